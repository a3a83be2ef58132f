/*
 * timing.c: whether the time that a check of a MAC takes tells anything about the right one. timing [COUNT [HOW]]
 *
 * Two kinds of input are measured in a random order, COUNT times in all (a million), and their means are compared by
 * Welch's t-test: over 4.5 is no chance. So that a noisy machine can't hide anything, the test is made three times:
 * with all measurements, and without the longest 5 % and 50 % of them, the limits being the same for both kinds (as
 * dudect does: Reparaz, Balasch, Verbauwhede, "Dude, is my code constant time?"). So that it can't cry wolf, what is
 * over 4.5 is measured again, and has to be over it each of three times.
 *
 * HOW is what compares (replaced.h): what is not bytes_equal must be seen.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "protocol/job.h"
#include "replaced.h"

enum { KEYS = 8, POOL = 64, ATTEMPTS = 3, CROPS = 3 };

static const double limit = 4.5, crops[CROPS] = {1, 0.95, 0.5};

/* Cycles where there is a counter of them that user programs may read, else nanoseconds. */
static uint64_t
ticks(void)
{
#ifdef __x86_64__
	uint32_t low, high;

	__asm__ volatile("lfence\n\trdtsc\n\tlfence" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
#else
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
#endif
}

static uint64_t
draw(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void
draw_bytes(uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (uint8_t)(draw() >> 32);
}

/* How a MAC is made wrong; RIGHT is left as it is. */
enum spoiling { RIGHT, FIRST, LAST, ALL };

static void
spoil(uint8_t mac[WIRE_MAC], enum spoiling spoiling)
{
	if (spoiling == FIRST)
		mac[0] ^= (uint8_t)(1 + draw() % 255);
	if (spoiling == LAST)
		mac[WIRE_MAC - 1] ^= (uint8_t)(1 + draw() % 255);
	for (size_t i = 0; spoiling == ALL && i < WIRE_MAC; i++)
		mac[i] ^= (uint8_t)(1 + draw() % 255);
}

/* An input of either operation. What is measured always works on one copy, in one place. */
union input {
	struct {
		uint8_t ours[WIRE_MAC], theirs[WIRE_MAC];
	} macs;
	uint8_t packet[WIRE_PACKET];
	struct {
		uint8_t nonces[2 * WIRE_NONCE], y[WIRE_Y], mac[WIRE_MAC];
	} client;
};

static struct {
	struct key keys[KEYS + 1]; /* the last is nobody's */
	struct keyring ring;
	struct job job;
	struct engine *engine;
	struct engine_keys engine_keys;
	union input pools[2][POOL], input;
	volatile bool result;
} world;

static void
new_macs(union input *input, unsigned kind)
{
	draw_bytes(input->macs.ours, WIRE_MAC);
	memcpy(input->macs.theirs, input->macs.ours, WIRE_MAC);
	spoil(input->macs.theirs, (enum spoiling)kind);
}

static void
run_comparison(union input *input)
{
	world.result = bytes_equal(input->macs.ours, input->macs.theirs, WIRE_MAC);
}

static void
new_packet(union input *input, unsigned kind)
{
	draw_bytes(input->packet, sizeof input->packet);
	(void)engine_seal(world.engine, &world.engine_keys, 7, input->packet, 1);
	spoil(input->packet + WIRE_PADDED, (enum spoiling)kind);
}

static void
run_open(union input *input)
{
	size_t good;

	world.result = engine_open(world.engine, &world.engine_keys, 7, input->packet, 1, &good) == OK;
}

/* A client with key number 0 and so on, with one that is not in the ring, or one whose MAC is wrong. */
enum { KEY = 16, UNKNOWN = KEY + KEYS };

static void
new_client(union input *input, unsigned kind)
{
	uint8_t dk_1[WIRE_DK_1];

	draw_bytes(input->client.nonces, 2 * WIRE_NONCE);
	draw_bytes(input->client.y, WIRE_Y);
	(void)hash_pbkdf2(
	    world.keys[kind >= KEY ? kind - KEY : 1].k, input->client.nonces, 2 * WIRE_NONCE, dk_1, WIRE_DK_1);
	(void)hash_hmac(dk_1 + WIRE_DHMAC_C, WIRE_MAC, input->client.y, WIRE_Y, input->client.mac);
	if (kind < KEY)
		spoil(input->client.mac, (enum spoiling)kind);
}

static void
run_match(union input *input)
{
	struct job_match *match = &world.job.match;

	world.job.kind = JOB_MATCH;
	match->keyring = &world.ring;
	memcpy(match->nonces, input->client.nonces, 2 * WIRE_NONCE);
	memcpy(match->y_and_mac, input->client.y, WIRE_Y);
	memcpy(match->y_and_mac + WIRE_Y, input->client.mac, WIRE_MAC);
	job_run(&world.job);
	world.result = world.job.error == OK;
}

struct operation {
	const char *name;
	void (*make)(union input *input, unsigned kind);
	void (*run)(union input *input);
	unsigned kinds[2];
};

/* What a right MAC leads to takes its own time, and may: everybody sees that it was right. But which key it was for,
 * no. */
static const struct operation comparisons[] = {
    {"comparing two MACs: right, or wrong at the first byte", new_macs, run_comparison, {RIGHT, FIRST}},
    {"comparing two MACs: right, or wrong at the last byte", new_macs, run_comparison, {RIGHT, LAST}},
    {"comparing two MACs: right, or all wrong", new_macs, run_comparison, {RIGHT, ALL}},
    {"comparing two MACs: wrong at the first byte, or the last", new_macs, run_comparison, {FIRST, LAST}},
    {"finding a client's key: wrong at the first byte, or the last", new_client, run_match, {FIRST, LAST}},
    {"finding a client's key: wrong at the first byte, or all wrong", new_client, run_match, {FIRST, ALL}},
    {"finding a client's key: it is the first, or the last", new_client, run_match, {KEY, KEY + KEYS - 1}},
    {"finding a client's key: the first byte of its MAC is wrong, or its key is unknown", new_client, run_match,
	{FIRST, UNKNOWN}},
    {"finding a client's key: all of its MAC is wrong, or its key is unknown", new_client, run_match, {ALL, UNKNOWN}},
};
static const struct operation openings[] = {
    {"wrong at the first byte, or the last", new_packet, run_open, {FIRST, LAST}},
    {"wrong at the first byte, or all wrong", new_packet, run_open, {FIRST, ALL}},
    {"wrong at the last byte, or all wrong", new_packet, run_open, {LAST, ALL}},
};

static int
by_size(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

/* The longest time that is not cropped, whichever kind it is of. */
static uint64_t
longest_of(const uint64_t *times, size_t count, double crop)
{
	uint64_t *sorted = malloc(count * sizeof *sorted), longest;

	if (sorted == NULL)
		exit(2);
	memcpy(sorted, times, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, by_size);
	longest = sorted[(size_t)((double)(count - 1) * crop)];
	free(sorted);
	return longest;
}

static double
welch(const uint64_t *times, const uint8_t *kinds, size_t count, uint64_t longest)
{
	double n[2] = {0, 0}, mean[2] = {0, 0}, squares[2] = {0, 0};

	for (size_t i = 0; i < count; i++) {
		unsigned kind = kinds[i];
		double x = (double)times[i], before = mean[kind];

		if (times[i] > longest)
			continue;
		n[kind]++;
		mean[kind] += (x - before) / n[kind];
		squares[kind] += (x - before) * (x - mean[kind]);
	}
	if (squares[0] == 0 && squares[1] == 0)
		return mean[0] == mean[1] ? 0 : HUGE_VAL;
	return (mean[0] - mean[1]) / sqrt(squares[0] / (n[0] - 1) / n[0] + squares[1] / (n[1] - 1) / n[1]);
}

static void
measure(const struct operation *operation, uint64_t *times, uint8_t *kinds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t random = draw(), start;

		/* Now and then other inputs. None of this has a branch that depends on the kind. */
		if (i % 4096 == 0)
			for (size_t j = 0; j < sizeof world.pools / sizeof world.pools[0][0]; j++)
				operation->make(&world.pools[j % 2][j / 2], operation->kinds[j % 2]);
		kinds[i] = (uint8_t)(random >> 40 & 1);
		memcpy(&world.input, &world.pools[kinds[i]][random >> 48 & (POOL - 1)], sizeof world.input);
		start = ticks();
		operation->run(&world.input);
		times[i] = ticks() - start;
	}
}

/* The largest |t| of the crops. */
static double
test(const struct operation *operation, uint64_t *times, uint8_t *kinds, size_t count, double t[CROPS])
{
	double worst = 0;

	measure(operation, times, kinds, count);
	for (size_t i = 0; i < CROPS; i++) {
		t[i] = welch(times, kinds, count, longest_of(times, count, crops[i]));
		worst = fabs(t[i]) > worst ? fabs(t[i]) : worst;
	}
	return worst;
}

static bool
tells_nothing(const struct operation *operation, const char *where, size_t count)
{
	uint64_t *times = malloc(count * sizeof *times);
	uint8_t *kinds = malloc(count);
	double worst = HUGE_VAL, t[CROPS] = {0};
	int attempts = 0;

	if (times == NULL || kinds == NULL)
		exit(2);
	while (worst >= limit && attempts < ATTEMPTS) {
		worst = test(operation, times, kinds, count, t);
		printf("%s%s: median %" PRIu64 ", t = %.2f, %.2f without 5 %%, %.2f without 50 %%%s\n", where,
		    operation->name, longest_of(times, count, 0.5), t[0], t[1], t[2],
		    worst < limit           ? ""
		    : ++attempts < ATTEMPTS ? "; again"
					    : "; it tells");
		fflush(stdout);
	}
	free(times);
	free(kinds);
	return worst < limit;
}

static size_t
test_all(size_t count)
{
	size_t telling = 0;
	char where[64];

	for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
		telling += !tells_nothing(&comparisons[i], "", count);
	for (int backend = ENGINE_LIBCRYPTO; backend < ENGINE_BACKENDS; backend++) {
		uint8_t e_and_h[64];

		draw_bytes(e_and_h, sizeof e_and_h);
		world.engine = engine_new((enum engine_backend)backend);
		if (world.engine == NULL)
			continue;
		if (engine_prepare(world.engine, &world.engine_keys, e_and_h, e_and_h + 32) != OK)
			exit(2);
		(void)snprintf(where, sizeof where, "opening a packet, %s: ", engine_words[backend]);
		for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++)
			telling += !tells_nothing(&openings[i], where, count);
		engine_free(world.engine);
	}
	return telling;
}

int
main(int argc, char *argv[])
{
	size_t count = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 1000000, telling;
	const char *how = argc > 2 ? argv[2] : "bytes_equal";

	if (count < 1000 || !replaced_by(how))
		return 2;
	world.ring = (struct keyring){.count = KEYS, .keys = world.keys};
	for (size_t i = 0; i <= KEYS; i++)
		draw_bytes(world.keys[i].k, WIRE_KEY);
	telling = test_all(count);
	printf("%s: %zu of the pairs can be told apart by time, of %zu measurements each, |t| of %.1f or more\n", how,
	    telling, count, limit);
	return telling == 0 ? 0 : 1;
}
