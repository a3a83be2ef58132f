/*
 * steps.c: whether what handles secrets takes the very same instructions whatever the secret is, on this processor and
 * in every library below us. Each operation runs in a child, one instruction at a time, and where it went is compared
 * with where it went with other secrets. steps [TRIALS [HOW]]
 *
 * valgrind sees branches and indices, but knows neither SHA instructions nor AVX-512, and so not ipsec-mb; this sees no
 * indices, but the real instructions. x86-64; elsewhere it exits 77, as one that was skipped. HOW is what compares
 * (replaced.h): what is not bytes_equal must be seen.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/engine.h"
#include "crypto/hash.h"
#include "protocol/job.h"
#include "replaced.h"

#ifdef __x86_64__
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 5, MAX = 3 };

/* What an operation works on; secret is made from the number of the trial. */
struct world {
	uint8_t secret[64], y[WIRE_Y], out[WIRE_DK_1], mac[WIRE_MAC];
	uint8_t packets[MAX * ENGINE_PACKET];
	struct engine_keys engine_keys;
	struct key keys[KEYS + 1]; /* the last is nobody's */
	struct keyring ring;
	struct job job;
	struct engine *engine;
	size_t count;
};

struct way {
	uint64_t steps, hash;
};

struct operation {
	const char *name;
	void (*prepare)(struct world *world, unsigned trial);
	void (*run)(struct world *world);
	bool in_another_order; /* the same steps, of which some come earlier or later */
};

static struct world world;

static void
fill(uint8_t *bytes, size_t length, unsigned seed)
{
	uint32_t state = seed * 2654435761u + 12345;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
}

/* The first secrets are extreme ones. */
static void
new_secret(struct world *w, unsigned trial)
{
	fill(w->secret, sizeof w->secret, trial);
	if (trial < 2)
		memset(w->secret, trial == 0 ? 0x80 : 0xff, sizeof w->secret);
	fill(w->y, sizeof w->y, 7);
	w->y[0] = 0x55;
}

/* Two times the same, or else at the first byte, the last or all. */
static void
new_macs(struct world *w, unsigned trial)
{
	new_secret(w, trial);
	memcpy(w->mac, w->secret, sizeof w->mac);
	if (trial % 4 == 1)
		w->mac[0] ^= 1;
	if (trial % 4 == 2)
		w->mac[WIRE_MAC - 1] ^= 0x80;
	if (trial % 4 == 3)
		memset(w->mac, trial & 0xff, sizeof w->mac);
}

static void
run_equal(struct world *w)
{
	w->out[0] = bytes_equal(w->secret, w->mac, WIRE_MAC);
}

/* The match of a client who has this key. */
static void
new_match(struct world *w, unsigned trial, unsigned key)
{
	struct job_match *match = &w->job.match;
	uint8_t dk_1[WIRE_DK_1];

	new_secret(w, trial);
	for (unsigned i = 0; i <= KEYS; i++)
		fill(w->keys[i].k, WIRE_KEY, 100 * trial + i);
	w->ring = (struct keyring){.count = KEYS, .keys = w->keys};
	w->job.kind = JOB_MATCH;
	match->keyring = &w->ring;
	memcpy(match->nonces, w->secret, 2 * WIRE_NONCE);
	memcpy(match->y_and_mac, w->y, WIRE_Y);
	(void)hash_pbkdf2(w->keys[key].k, w->secret, 2 * WIRE_NONCE, dk_1, sizeof dk_1);
	(void)hash_hmac(dk_1 + WIRE_DHMAC_C, WIRE_MAC, w->y, WIRE_Y, match->y_and_mac + WIRE_Y);
}

/* A client that has one key after the other. */
static void
new_client(struct world *w, unsigned trial)
{
	new_match(w, trial, trial % KEYS);
}

/* One that has a key which nobody knows, or whose MAC is wrong at the first byte, or the last. */
static void
new_stranger(struct world *w, unsigned trial)
{
	new_match(w, trial, trial % 3 == 0 ? KEYS : trial % KEYS);
	if (trial % 3 != 0)
		w->job.match.y_and_mac[trial % 3 == 1 ? WIRE_Y : WIRE_Y_AND_MAC - 1] ^= 1;
}

static void
run_match(struct world *w)
{
	job_run(&w->job);
}

static void
new_packets(struct world *w, unsigned trial)
{
	new_secret(w, trial);
	fill(w->packets, w->count * ENGINE_PACKET, trial);
}

static void
run_seal(struct world *w)
{
	(void)engine_prepare(w->engine, &w->engine_keys, w->secret, w->secret + 32);
	(void)engine_seal(w->engine, &w->engine_keys, 5, w->packets, w->count);
	engine_forget(w->engine, &w->engine_keys);
}

static void
sealed_packets(struct world *w, unsigned trial)
{
	new_packets(w, trial);
	(void)engine_prepare(w->engine, &w->engine_keys, w->secret, w->secret + 32);
	(void)engine_seal(w->engine, &w->engine_keys, 5, w->packets, w->count);
}

/* The last one is forged, at the first byte of its MAC, at the last, in the body, or in all of the MAC. */
static void
forged_packets(struct world *w, unsigned trial)
{
	uint8_t *packet = w->packets + (w->count - 1) * ENGINE_PACKET;

	sealed_packets(w, trial);
	if (trial % 4 == 3)
		fill(packet + ENGINE_BODY, ENGINE_MAC, trial);
	packet[trial % 4 == 0 ? ENGINE_BODY : trial % 4 == 1 ? ENGINE_PACKET - 1 : trial] ^= 1;
}

static void
run_open(struct world *w)
{
	size_t good;

	(void)engine_open(w->engine, &w->engine_keys, 5, w->packets, w->count, &good);
}

static const struct operation once[] = {
    {"comparing two MACs", new_macs, run_equal, false},
    {"finding one of five keys", new_client, run_match, true},
    {"finding none of five keys", new_stranger, run_match, false},
};
static const struct operation for_each_backend[] = {
    {"sealing", new_packets, run_seal, false},
    {"opening good packets", sealed_packets, run_open, false},
    {"opening forged packets", forged_packets, run_open, false},
};

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

static bool
is_at(pid_t child, int wanted)
{
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
		fail("the child has ended");
	return WSTOPSIG(status) == wanted;
}

static struct way
way_of(const struct operation *operation, unsigned trial)
{
	struct way way = {0, 0};
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (child == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		operation->prepare(&world, trial);
		(void)raise(SIGSTOP);
		operation->run(&world);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	if (!is_at(child, SIGSTOP))
		fail("the child's first stop");
	do {
		uint64_t at = (uint64_t)ptrace(PTRACE_PEEKUSER, child, offsetof(struct user_regs_struct, rip), NULL);

		way.hash = operation->in_another_order ? way.hash + at * 0x9e3779b97f4a7c15u
						       : (way.hash ^ at) * 0x100000001b3u;
		way.steps++;
		if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0)
			fail("ptrace");
	} while (is_at(child, SIGTRAP));
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return way;
}

static bool
is_one_way(const struct operation *operation, unsigned trials, const char *where)
{
	struct way first = way_of(operation, 0);

	for (unsigned trial = 1; trial < trials; trial++) {
		struct way way = way_of(operation, trial);

		if (way.steps != first.steps || way.hash != first.hash) {
			printf("%s%s: secret %u takes another way: %llu steps, not %llu\n", operation->name, where,
			    trial, (unsigned long long)way.steps, (unsigned long long)first.steps);
			fflush(stdout);
			return false;
		}
	}
	printf(
	    "%s%s: %llu steps, the same %u times\n", operation->name, where, (unsigned long long)first.steps, trials);
	fflush(stdout);
	return true;
}

static bool
backends_go_one_way(unsigned trials)
{
	static const size_t counts[] = {1, 3};
	bool ok = true;
	char where[64];

	for (int backend = ENGINE_LIBCRYPTO; backend < ENGINE_BACKENDS; backend++) {
		world.engine = engine_new((enum engine_backend)backend);
		for (size_t i = 0; world.engine != NULL && i < sizeof counts / sizeof counts[0]; i++) {
			world.count = counts[i];
			snprintf(where, sizeof where, ", %zu at a time, %s", counts[i], engine_words[backend]);
			for (size_t j = 0; j < sizeof for_each_backend / sizeof for_each_backend[0]; j++)
				ok = is_one_way(&for_each_backend[j], trials, where) && ok;
		}
		engine_free(world.engine);
	}
	return ok;
}

int
main(int argc, char *argv[])
{
	unsigned trials = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 8;
	bool ok = true;

	if (trials < 4 || (argc > 2 && !replaced_by(argv[2])))
		return 2;
	for (size_t i = 0; i < sizeof once / sizeof once[0]; i++)
		ok = is_one_way(&once[i], trials, "") && ok;
	ok = backends_go_one_way(trials) && ok;
	return ok ? 0 : 1;
}
#else
int
main(void)
{
	return 77;
}
#endif
