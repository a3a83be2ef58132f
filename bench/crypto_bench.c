/* crypto_bench.c: what the crypto alone costs, each backend and batch size, beside libcrypto's low-level calls. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "crypto/engine.h"
#include "crypto/group14.h"
#include "crypto_ways.h"
#include "protocol/keyring.h"

enum { ROUNDS = 21, ROUND_NS = 2000000, MAX = ENGINE_BATCH_MAX, WORKS_MAX = 64, KEYS = 100 };

static const size_t batches[] = {1, 2, 4, 8, 16, 64, 256};
enum { BATCHES = sizeof batches / sizeof batches[0] };

/* One thing to measure: run does it once, for count packets (or powers). */
struct work {
	const char *name;
	void (*run)(const struct work *work);
	size_t count;
	struct engine *engine;
	struct engine_keys *keys;
	const struct way *way;
	double samples[ROUNDS]; /* nanoseconds for each of count */
};

static struct work works[WORKS_MAX];
static size_t works_count;
static uint8_t packets[MAX * ENGINE_PACKET], sealed[MAX * ENGINE_PACKET];
static uint8_t x[GROUP14_EXPONENT] = {0xc3, 1, 2}, y[GROUP14_SIZE], shared[GROUP14_SIZE];

static void
need(bool ok)
{
	if (ok)
		return;
	(void)fprintf(stderr, "crypto_bench: the crypto failed\n");
	exit(1);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void
run_raw(const struct work *work)
{
	for (size_t i = 0; i < work->count; i++)
		ways_raw(packets + i * ENGINE_PACKET, i);
}

static void
run_seal(const struct work *work)
{
	need(engine_seal(work->engine, work->keys, 0, packets, work->count) == OK);
}

/* Opening works in place, so each time a sealed copy is made; that alone is measured too, and taken off. */
static void
run_copy(const struct work *work)
{
	memcpy(packets, sealed, work->count * ENGINE_PACKET);
	__asm__ volatile("" ::: "memory");
}

static void
run_open(const struct work *work)
{
	size_t good;

	run_copy(work);
	need(engine_open(work->engine, work->keys, 0, packets, work->count, &good) == OK);
}

static void
run_way(const struct work *work)
{
	work->way->run(packets, 0);
}

static void
run_public(const struct work *work)
{
	(void)work;
	need(group14_public(x, y) == OK);
}

static void
run_shared(const struct work *work)
{
	(void)work;
	need(group14_shared(y, x, shared) == OK);
}

/* S4 for a stranger, whose key is none of them. */
static void
run_match(const struct work *work)
{
	static struct key keys[KEYS];
	struct keyring ring = {.count = KEYS, .keys = keys};
	static uint8_t nonces[2 * WIRE_NONCE], mac[WIRE_MAC], dk_1[WIRE_DK_1];
	const struct key *found;

	(void)work;
	need(keyring_match(&ring, nonces, y, mac, &found, dk_1) == ERROR_WRONG_KEY);
}

static struct work *
add(const char *name, void (*run)(const struct work *), size_t count)
{
	struct work *work = &works[works_count++];

	need(works_count <= WORKS_MAX);
	work->name = name;
	work->run = run;
	work->count = count;
	return work;
}

static void
measure(struct work *work, int round)
{
	size_t times = 0, at_once = MAX / work->count; /* reading the clock costs 30 ns: rarely, then */
	double start, took;

	work->run(work); /* so that its code and its data are at hand */
	start = now();
	do {
		for (size_t i = 0; i < at_once; i++)
			work->run(work);
		times += at_once;
		took = now() - start;
	} while (took < ROUND_NS);
	work->samples[round] = took / (double)times / (double)work->count;
}

static int
compare(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return (difference > 0) - (difference < 0);
}

/* The lower quartile: whatever else the machine does can only make a round longer. */
static double
quartile(struct work *work)
{
	qsort(work->samples, ROUNDS, sizeof work->samples[0], compare);
	return work->samples[ROUNDS / 4];
}

struct backend_works {
	const char *name;
	struct work *seal[BATCHES], *open[BATCHES];
};

static void
add_backend(struct backend_works *backend, enum engine_backend choice, struct engine_keys *keys)
{
	static const uint8_t key[32] = {1, 2, 3};
	struct engine *engine = engine_new(choice);

	backend->name = engine_words[choice];
	need(engine != NULL && engine_prepare(engine, keys, key, key) == OK);
	for (size_t i = 0; i < BATCHES; i++) {
		backend->seal[i] = add(backend->name, run_seal, batches[i]);
		backend->open[i] = add(backend->name, run_open, batches[i]);
		backend->seal[i]->engine = backend->open[i]->engine = engine;
		backend->seal[i]->keys = backend->open[i]->keys = keys;
	}
	need(engine_seal(engine, keys, 0, sealed, MAX) == OK);
}

static void
print_row(const char *name, const char *what, const double values[BATCHES], const double raw[BATCHES])
{
	printf("%-10s %-7s", name, what);
	for (size_t i = 0; i < BATCHES; i++)
		printf(" %7.0f", values[i]);
	if (raw != NULL) {
		printf("\n%-10s %-7s", "", "of raw");
		for (size_t i = 0; i < BATCHES; i++)
			printf(" %7.2f", values[i] / raw[i]);
	}
	printf("\n");
}

static void
print_json(const char *name, const double ns[BATCHES], const double open_ns[BATCHES])
{
	for (size_t i = 0; i < BATCHES; i++) {
		printf("{\"backend\": \"%s\", \"batch\": %zu, \"ns\": %.1f", name, batches[i], ns[i]);
		if (open_ns != NULL)
			printf(", \"open_ns\": %.1f", open_ns[i]);
		printf("}\n");
	}
}

static void
report_packets(struct backend_works *backends, size_t count, struct work **raw_works, struct work **copies, bool json)
{
	double raw[BATCHES], seal[BATCHES], open[BATCHES];

	for (size_t i = 0; i < BATCHES; i++)
		raw[i] = quartile(raw_works[i]);
	if (json) {
		print_json("raw", raw, NULL);
	} else {
		printf("nanoseconds a packet, in batches of\n%-18s", "");
		for (size_t i = 0; i < BATCHES; i++)
			printf(" %7zu", batches[i]);
		printf("\n");
		print_row("raw", "sealed", raw, NULL);
	}
	for (size_t backend = 0; backend < count; backend++) {
		for (size_t i = 0; i < BATCHES; i++) {
			seal[i] = quartile(backends[backend].seal[i]);
			open[i] = quartile(backends[backend].open[i]) - quartile(copies[i]);
		}
		if (json) {
			print_json(backends[backend].name, seal, open);
			continue;
		}
		print_row(backends[backend].name, "sealed", seal, raw);
		print_row("", "opened", open, NULL);
	}
}

static void
report_others(size_t from, bool json)
{
	if (!json)
		printf("\nnanoseconds, one packet or one power\n");
	for (size_t i = from; i < works_count; i++) {
		if (json) /* a batch of 0: nothing that is to be compared with packets */
			printf(
			    "{\"backend\": \"%s\", \"batch\": 0, \"ns\": %.0f}\n", works[i].name, quartile(&works[i]));
		else
			printf("%-36s %8.0f\n", works[i].name, quartile(&works[i]));
	}
}

int
main(int argc, char **argv)
{
	static const enum engine_backend choices[] = {ENGINE_LIBCRYPTO, ENGINE_IPSEC_MB};
	static struct engine_keys keys[2];
	struct backend_works backends[2];
	struct work *raw[BATCHES], *copies[BATCHES];
	bool json = argc == 2 && strcmp(argv[1], "--json") == 0;
	size_t count = 0, others;

	if (argc > 1 && !json) {
		(void)fprintf(stderr, "usage: crypto_bench [--json]\n");
		return 1;
	}
	need(group14_start() == OK);
	ways_start();
	for (size_t i = 0; i < BATCHES; i++) {
		raw[i] = add("raw", run_raw, batches[i]);
		copies[i] = add("copy", run_copy, batches[i]);
	}
	for (size_t i = 0; i < 2; i++) {
		if (engine_problem(choices[i]) == NULL) {
			add_backend(&backends[count], choices[i], &keys[i]);
			count++;
		}
	}
	others = works_count;
	for (size_t i = 0; i < ways_count; i++)
		add(ways[i].name, run_way, 1)->way = &ways[i];
	add("group 14, 2^x", run_public, 1);
	add("group 14, y^x", run_shared, 1);
	add("trying a key, of 100", run_match, KEYS);
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < works_count; i++)
			measure(&works[i], round);
	}
	report_packets(backends, count, raw, copies, json);
	report_others(others, json);
	return 0;
}
