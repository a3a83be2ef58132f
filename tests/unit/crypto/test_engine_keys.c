/* test_engine_keys.c: each connection has its own keys, and of those that are forgotten nothing stays in memory. */
#include "sealing.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/reference.h"
#include "crypto/traces.h"

/* More keys than any cache of contexts has room for, in turn and back again. */
static void
many_connections_in_turn_each_have_their_own_keys(void **state)
{
	enum { CONNECTIONS = 300 };
	static struct engine_keys keys[CONNECTIONS];
	struct fixture *f = *state;
	size_t good;

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		make_e_and_h(f->e, f->h, i);
		assert_int_equal(engine_prepare(f->engine, &keys[i], f->e, f->h), OK);
	}
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned j = 0; j < CONNECTIONS; j++) {
			unsigned i = round == 1 ? CONNECTIONS - 1 - j : j;

			make_e_and_h(f->e, f->h, i);
			memcpy(f->packets, f->plain, 2 * ENGINE_PACKET);
			assert_int_equal(engine_seal(f->engine, &keys[i], i, f->packets, 2), OK);
			assert_sealed_as_the_reference(f, i, 2);
			assert_int_equal(engine_open(f->engine, &keys[i], i, f->packets, 2, &good), OK);
		}
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		engine_forget(f->engine, &keys[i]);
}

static void
new_keys_in_the_memory_of_old_ones_are_the_new_ones(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i < 200; i++) {
		if (i % 2 == 0) /* else their owner went without a word */
			engine_forget(f->engine, &f->keys);
		make_e_and_h(f->e, f->h, i);
		assert_int_equal(engine_prepare(f->engine, &f->keys, f->e, f->h), OK);
		seal(f, i, 1);
		assert_sealed_as_the_reference(f, i, 1);
	}
}

static void
keys_may_move_in_memory(void **state)
{
	struct fixture *f = *state;
	struct engine_keys *moved = aligned_alloc(16, sizeof *moved);

	memcpy(moved, &f->keys, sizeof *moved);
	memcpy(f->packets, f->plain, ENGINE_PACKET);
	assert_int_equal(engine_seal(f->engine, moved, 3, f->packets, 1), OK);
	assert_sealed_as_the_reference(f, 3, 1);
	free(moved);
}

static void
keys_that_were_forgotten_are_zeros_and_seal_nothing(void **state)
{
	static const struct engine_keys zero;
	static const uint8_t wiped[2 * ENGINE_PACKET];
	struct fixture *f = *state;
	size_t good = 7;

	engine_forget(f->engine, &f->keys);
	assert_memory_equal(&f->keys, &zero, sizeof zero);
	memcpy(f->packets, f->plain, sizeof f->packets);
	assert_int_equal(engine_seal(f->engine, &f->keys, 0, f->packets, 2), ERROR_CRYPTO);
	assert_memory_equal(f->packets, wiped, sizeof wiped);
	memcpy(f->packets, f->plain, sizeof f->packets);
	assert_int_equal(engine_open(f->engine, &f->keys, 0, f->packets, 2, &good), ERROR_CRYPTO);
	assert_int_equal(good, 0);
	assert_memory_equal(f->packets, wiped, sizeof wiped);
	engine_forget(f->engine, &f->keys);
}

static void
remember_all_that_comes_of(const uint8_t e[32], const uint8_t h[32])
{
	static const uint8_t nobody[32];
	uint8_t rounds[240], state[32], stream[16], counter[16] = {0};

	reference_round_keys(e, rounds);
	traces_remember(rounds, sizeof rounds);
	traces_remember(h, 32);
	for (int i = 0; i < 2; i++) {
		uint8_t pad = i == 0 ? 0x36 : 0x5c;

		reference_padded_state(h, pad, state);
		traces_remember(state, sizeof state);
		for (size_t j = 0; j < 32; j++)
			state[j] = h[j] ^ pad;
		traces_remember(state, sizeof state);
	}
	/* Of the last block of a packet's key stream only a part is used. */
	bytes_put_be64(counter + 8, ENGINE_BODY / 16);
	memset(stream, 0, sizeof stream);
	reference_ctr(e, counter, stream, sizeof stream);
	traces_remember(stream, sizeof stream);
	/* On arm64 the last round key is still in a register, which resolving a function for the first time stores. */
	reference_ctr(nobody, counter, stream, sizeof stream);
	bytes_wipe(stream, sizeof stream);
	bytes_wipe(rounds, sizeof rounds);
	bytes_wipe(state, sizeof state);
}

static void
remember_keys(void *which)
{
	uint8_t e[32], h[32];

	make_e_and_h(e, h, *(unsigned *)which);
	remember_all_that_comes_of(e, h);
	bytes_wipe(e, sizeof e);
	bytes_wipe(h, sizeof h);
}

static void
prepare_secret_keys(void *context)
{
	struct fixture *f = context;
	uint8_t e[32], h[32];

	make_e_and_h(e, h, f->which);
	assert_int_equal(engine_prepare(f->engine, &f->keys, e, h), OK);
	bytes_wipe(e, sizeof e);
	bytes_wipe(h, sizeof h);
}

static void
use_secret_keys(void *context)
{
	struct fixture *f = context;
	size_t good;

	for (size_t count = MAX; count >= 1; count /= 2) {
		seal(f, 0, count);
		assert_int_equal(engine_open(f->engine, &f->keys, 0, f->packets, count, &good), OK);
	}
	seal(f, 0, 1);
	body_of(f->packets, 0)[0] ^= 1;
	assert_int_equal(engine_open(f->engine, &f->keys, 0, f->packets, 1, &good), ERROR_BAD_MAC);
}

static void
look_for_traces(struct fixture *f, unsigned which, bool prepared_only)
{
	engine_forget(f->engine, &f->keys);
	traces_start();
	f->which = which;
	traces_run_deep(remember_keys, &f->which);
	assert_int_equal(traces_found(), 0);
	traces_run_deep(prepare_secret_keys, f);
	if (!prepared_only)
		traces_run_deep(use_secret_keys, f);
	assert_true(traces_found() >= 4);
}

static void
no_trace_of_forgotten_keys_stays_in_memory(void **state)
{
	struct fixture *f = *state;

	if (!traces_can_be_looked_for())
		skip();
	for (unsigned i = 0; i < 100; i++) /* so that these are not among the first that the engine sees */
		assert_int_equal(engine_prepare(f->engine, &f->keys, f->e, f->h), OK);
	for (unsigned i = 0; i < 2; i++) {
		look_for_traces(f, 9 + i, i == 0);
		engine_forget(f->engine, &f->keys);
		assert_int_equal(traces_found(), 0);
	}
}

static void
no_trace_of_keys_stays_when_the_engine_goes(void **state)
{
	struct fixture *f = *state;

	if (!traces_can_be_looked_for())
		skip();
	look_for_traces(f, 11, false);
	bytes_wipe(&f->keys, sizeof f->keys); /* nobody told the engine */
	engine_free(f->engine);
	assert_int_equal(traces_found(), 0);
	f->engine = engine_new(backend_under_test);
	assert_non_null(f->engine);
}

static void
memory_in_use_does_not_grow_with_packets(void **state)
{
	struct fixture *f = *state;
	struct mallinfo2 before, after;
	size_t good;

	seal(f, 0, 1);
	before = mallinfo2();
	for (uint64_t number = 0; number < 500; number++) {
		seal(f, number, 3);
		assert_int_equal(engine_open(f->engine, &f->keys, number, f->packets, 3, &good), OK);
	}
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	assert_int_equal(after.hblkhd, before.hblkhd);
}

/* But for a few bytes that libcrypto keeps of its look-ups: the contexts of one connection are a thousand. */
static void
an_engine_that_goes_leaves_no_memory(void **state)
{
	struct mallinfo2 before, after;

	(void)state;
	engine_free(engine_new(backend_under_test));
	before = mallinfo2();
	engine_free(engine_new(backend_under_test));
	after = mallinfo2();
	assert_true(after.uordblks < before.uordblks + 512);
	assert_int_equal(after.hblkhd, before.hblkhd);
}

/* All that libcrypto will need for them is there from the start, and the engine has it for 64 connections. */
static void
keys_cost_no_memory(void **state)
{
	enum { KEYS = 70 };
	struct fixture *f = *state;
	struct mallinfo2 before = mallinfo2(), after;
	struct engine_keys keys[KEYS];

	for (unsigned i = 0; i < KEYS; i++) {
		assert_int_equal(engine_prepare(f->engine, &keys[i], f->e, f->h), OK);
		memcpy(f->packets, f->plain, ENGINE_PACKET);
		assert_int_equal(engine_seal(f->engine, &keys[i], 0, f->packets, 1), OK);
	}
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	for (unsigned i = 0; i < KEYS; i++)
		engine_forget(f->engine, &keys[i]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    SEALING(many_connections_in_turn_each_have_their_own_keys),
	    SEALING(new_keys_in_the_memory_of_old_ones_are_the_new_ones),
	    SEALING(keys_may_move_in_memory),
	    SEALING(keys_that_were_forgotten_are_zeros_and_seal_nothing),
	    SEALING(no_trace_of_forgotten_keys_stays_in_memory),
	    SEALING(no_trace_of_keys_stays_when_the_engine_goes),
	    SEALING(memory_in_use_does_not_grow_with_packets),
	    SEALING(keys_cost_no_memory),
	    SEALING(an_engine_that_goes_leaves_no_memory),
	};

	return sealing_run(tests);
}
