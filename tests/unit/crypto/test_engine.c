/* test_engine.c: each backend seals the same bytes as the plain way does, and opens nothing that is not right. */
#include "test.h"

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/engine.h"
#include "crypto/hash.h"
#include "crypto/reference.h"
#include "crypto/traces.h"
#include "crypto/vectors.h"

enum { MAX = ENGINE_BATCH_MAX };

static enum engine_backend backend_under_test;

/* An engine, keys, a plain batch, and what becomes of it. */
struct fixture {
	struct engine *engine;
	struct engine_keys keys;
	uint8_t e[32], h[32];
	unsigned which; /* secret keys, of those that are looked for in memory */
	uint8_t plain[MAX * ENGINE_PACKET], packets[MAX * ENGINE_PACKET], sealed[MAX * ENGINE_PACKET];
};

static uint8_t *
body_of(uint8_t *packets, size_t i)
{
	return packets + i * ENGINE_PACKET;
}

static void
make_e_and_h(uint8_t e[32], uint8_t h[32], unsigned which)
{
	for (unsigned i = 0; i < 32; i++) {
		e[i] = (uint8_t)(i * 7 + which * 31 + 3);
		h[i] = (uint8_t)(i * 13 + which * 57 + 91);
	}
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->engine = engine_new(backend_under_test);
	make_e_and_h(f->e, f->h, 0);
	if (f->engine == NULL || engine_prepare(f->engine, &f->keys, f->e, f->h) != OK)
		return -1;
	for (size_t i = 0; i < sizeof f->plain; i++)
		f->plain[i] = (uint8_t)(i * i % 251 + i / 1060);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	engine_forget(f->engine, &f->keys);
	engine_free(f->engine);
	free(f);
	return 0;
}

/* Seals count plain packets from number on, into packets, and keeps a copy in sealed. */
static void
seal(struct fixture *f, uint64_t number, size_t count)
{
	memcpy(f->packets, f->plain, count * ENGINE_PACKET);
	assert_int_equal(engine_seal(f->engine, &f->keys, number, f->packets, count), OK);
	memcpy(f->sealed, f->packets, count * ENGINE_PACKET);
}

static void
assert_sealed_as_the_reference(struct fixture *f, uint64_t number, size_t count)
{
	uint8_t expected[ENGINE_PACKET];

	for (size_t i = 0; i < count; i++) {
		memcpy(expected, body_of(f->plain, i), ENGINE_PACKET);
		reference_seal(f->e, f->h, number + i, expected);
		assert_memory_equal(body_of(f->packets, i), expected, ENGINE_PACKET);
	}
}

static void
assert_opened(struct fixture *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(body_of(f->packets, i), body_of(f->plain, i), ENGINE_BODY);
}

/* From the first bad one on, a packet is as it came, or wiped. */
static void
assert_still_sealed(struct fixture *f, const uint8_t *as_it_came, size_t from, size_t count)
{
	static const uint8_t wiped[ENGINE_BODY];

	for (size_t i = from; i < count; i++) {
		if (memcmp(body_of(f->packets, i), as_it_came + i * ENGINE_PACKET, ENGINE_BODY) != 0)
			assert_memory_equal(body_of(f->packets, i), wiped, ENGINE_BODY);
	}
}

static void
open_finds_bad_at(struct fixture *f, uint64_t number, size_t count, size_t bad)
{
	static uint8_t as_it_came[MAX * ENGINE_PACKET];
	size_t good = 12345;

	memcpy(as_it_came, f->packets, count * ENGINE_PACKET);
	assert_int_equal(engine_open(f->engine, &f->keys, number, f->packets, count, &good), ERROR_BAD_MAC);
	assert_int_equal(good, bad);
	assert_opened(f, bad);
	assert_still_sealed(f, as_it_came, bad, count);
}

static const uint64_t edges[] = {0, 1, 255, UINT64_C(0xffffffff) - 100, UINT64_C(0xffffffff), UINT64_C(0x100000000),
    UINT64_C(0x7fffffffffffff80), UINT64_C(0x8000000000000000), UINT64_MAX - 255};

/* AESAVS, VarTxt256: blocks that begin with ones, under the key 0; a packet number is the first half of such a block.
 */
static void
the_key_stream_is_that_of_the_published_vectors(void **state)
{
	static const struct {
		uint64_t number;
		const char *stream;
	} cases[] = {{UINT64_C(0x8000000000000000), "ddc6bf790c15760d8d9aeb6f9a75fd4e"},
	    {UINT64_C(0xc000000000000000), "0a6bdc6d4c1e6280301fd8e97ddbe601"},
	    {UINT64_C(0xe000000000000000), "9b80eefb7ebe2d2b16247aa0efc72f5d"},
	    {UINT64_C(0), "dc95c078a2408989ad48a21492842087"}};
	struct fixture *f = *state;
	static const uint8_t zero[32];
	struct engine_keys keys;

	assert_int_equal(engine_prepare(f->engine, &keys, zero, zero), OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		memset(f->packets, 0, ENGINE_PACKET);
		assert_int_equal(engine_seal(f->engine, &keys, cases[i].number, f->packets, 1), OK);
		assert_hex(f->packets, 16, cases[i].stream);
	}
	engine_forget(f->engine, &keys);
}

/* SP 800-38A, F.5.5: its counter starts in mid-stream, so it is the reference that it is checked on. */
static void
the_reference_gives_the_published_ciphertext(void **state)
{
	uint8_t e[32], counter[16], bytes[64];

	(void)state;
	from_hex(e, sizeof e, "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
	from_hex(counter, sizeof counter, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	from_hex(bytes, 32, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
	from_hex(bytes + 32, 32, "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
	reference_ctr(e, counter, bytes, sizeof bytes);
	assert_hex(bytes, 32, "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
	assert_hex(bytes + 32, 32, "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6");
}

/* Constants by tests/vectors/packets.py, which knows nothing of this code. */
static void
a_full_batch_is_what_another_implementation_seals(void **state)
{
	static const struct {
		uint64_t number;
		const char *hash;
	} cases[] = {{UINT64_C(0x0), "027cf41902b5328eaa304fc987f1d3ae2e81a5a1ddf99d9472f179743661bd89"},
	    {UINT64_C(0xffffff9c), "605e67aed96b8ac4a357c737d9ce55089d4128a18856305a78085f352e12a0a3"},
	    {UINT64_C(0xffffffffff), "47918ffe27a7a03e8cdcb880b5f509df2479e6d7cf93fe16cfea83eceafa3305"},
	    {UINT64_C(0xffffffffffffff00), "82d33b0437f53bf8e96efb7b64dabf95250559dedcb44728474cec548e85bead"}};
	struct fixture *f = *state;
	uint8_t e_and_h[64], hash[HASH_SIZE];
	struct engine_keys keys;

	for (size_t i = 0; i < sizeof e_and_h; i++)
		e_and_h[i] = (uint8_t)i;
	assert_int_equal(engine_prepare(f->engine, &keys, e_and_h, e_and_h + 32), OK);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		for (size_t at = 0; at < (size_t)MAX * ENGINE_BODY; at++)
			body_of(f->packets, at / ENGINE_BODY)[at % ENGINE_BODY] = (uint8_t)(at * at % 251);
		assert_int_equal(engine_seal(f->engine, &keys, cases[i].number, f->packets, MAX), OK);
		assert_int_equal(hash_sha256(f->packets, sizeof f->packets, hash), OK);
		assert_hex(hash, HASH_SIZE, cases[i].hash);
	}
	engine_forget(f->engine, &keys);
}

static void
each_batch_size_is_sealed_as_the_reference_does_and_opens_again(void **state)
{
	struct fixture *f = *state;
	size_t good;

	for (size_t count = 1; count <= MAX; count++) {
		uint64_t number = count * UINT64_C(0x0123456789abcd);

		seal(f, number, count);
		assert_sealed_as_the_reference(f, number, count);
		assert_int_equal(engine_open(f->engine, &f->keys, number, f->packets, count, &good), OK);
		assert_int_equal(good, count);
		assert_opened(f, count);
	}
}

static void
packet_numbers_are_whole_at_every_edge(void **state)
{
	static const size_t counts[] = {1, 2, 15, 16, 17, 101, 256};
	struct fixture *f = *state;
	size_t good;

	for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
		for (size_t j = 0; j < sizeof counts / sizeof counts[0]; j++) {
			seal(f, edges[i], counts[j]);
			assert_sealed_as_the_reference(f, edges[i], counts[j]);
			assert_int_equal(engine_open(f->engine, &f->keys, edges[i], f->packets, counts[j], &good), OK);
			assert_opened(f, counts[j]);
		}
	}
	seal(f, UINT64_MAX, 1);
	assert_sealed_as_the_reference(f, UINT64_MAX, 1);
}

static void
sealing_writes_the_batch_and_no_byte_beyond(void **state)
{
	struct fixture *f = *state;
	size_t good;

	for (size_t count = 1; count < MAX; count += count < 20 ? 1 : 47) {
		memset(f->packets, 0xaa, sizeof f->packets);
		seal(f, 5, count);
		assert_int_equal(body_of(f->packets, count)[0], 0xaa);
		assert_memory_equal(body_of(f->packets, count), body_of(f->packets, count) + 1, ENGINE_PACKET - 1);
		assert_int_equal(engine_open(f->engine, &f->keys, 5, f->packets, count, &good), OK);
		assert_int_equal(body_of(f->packets, count)[0], 0xaa);
		assert_memory_equal(body_of(f->packets, count), body_of(f->packets, count) + 1, ENGINE_PACKET - 1);
	}
}

static void
a_wrong_mac_is_found_where_it_is(void **state)
{
	static const size_t counts[] = {1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 255, 256};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		seal(f, 1000, counts[i]);
		for (size_t bad = 0; bad < counts[i]; bad++) {
			memcpy(f->packets, f->sealed, counts[i] * ENGINE_PACKET);
			body_of(f->packets, bad)[ENGINE_BODY + bad % ENGINE_MAC] ^= (uint8_t)(1 << bad % 8);
			open_finds_bad_at(f, 1000, counts[i], bad);
		}
	}
}

static void
of_several_wrong_macs_the_first_counts(void **state)
{
	struct fixture *f = *state;

	for (size_t first = 0; first < MAX - 1; first += 5) {
		seal(f, 0, MAX);
		for (size_t bad = first; bad < MAX; bad += 1 + first % 7)
			body_of(f->packets, bad)[0] ^= 0x80;
		open_finds_bad_at(f, 0, MAX, first);
	}
}

static void
each_bit_of_a_packet_is_covered(void **state)
{
	struct fixture *f = *state;

	seal(f, 77, 1);
	for (size_t bit = 0; bit < 8 * ENGINE_PACKET; bit++) {
		memcpy(f->packets, f->sealed, ENGINE_PACKET);
		f->packets[bit / 8] ^= (uint8_t)(1 << bit % 8);
		open_finds_bad_at(f, 77, 1, 0);
	}
}

static void
a_packet_opens_at_its_own_number_only(void **state)
{
	struct fixture *f = *state;

	for (int bit = 0; bit < 64; bit++) {
		seal(f, 40, 3);
		open_finds_bad_at(f, 40 ^ UINT64_C(1) << bit, 3, 0);
	}
	seal(f, 40, 3);
	memcpy(body_of(f->packets, 1), body_of(f->packets, 0), ENGINE_PACKET);
	open_finds_bad_at(f, 40, 3, 1);
}

static void
a_packet_opens_under_its_own_keys_only(void **state)
{
	struct fixture *f = *state;
	struct engine_keys other;
	uint8_t e[32], h[32];
	size_t good;

	make_e_and_h(e, h, 1);
	assert_int_equal(engine_prepare(f->engine, &other, f->e, h), OK);
	seal(f, 0, 2);
	assert_int_equal(engine_open(f->engine, &other, 0, f->packets, 2, &good), ERROR_BAD_MAC);
	assert_int_equal(good, 0);
	engine_forget(f->engine, &other);
}

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

static void
an_engine_has_the_name_that_was_asked_for(void **state)
{
	(void)state;
	assert_true(engine_available(ENGINE_BEST));
	if (backend_under_test == ENGINE_LIBCRYPTO)
		assert_string_equal(engine_name(backend_under_test), "libcrypto");
	if (backend_under_test == ENGINE_IPSEC_MB)
		assert_string_equal(engine_name(backend_under_test), "ipsec-mb");
	if (backend_under_test == ENGINE_BEST)
		assert_string_equal(engine_name(ENGINE_BEST),
		    engine_name(engine_available(ENGINE_IPSEC_MB) ? ENGINE_IPSEC_MB : ENGINE_LIBCRYPTO));
	engine_free(NULL);
}

/* By the processor alone, so that a backend which fails its own test is not passed over as one that is not there. */
static bool
should_be_there(enum engine_backend backend)
{
	if (backend != ENGINE_IPSEC_MB)
		return true;
#ifdef HAVE_IPSEC_MB
	uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_SHANI | IMB_FEATURE_SAFE_DATA;

	return (imb_get_feature_flags() & needed) == needed;
#else
	return false;
#endif
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    TEST(the_reference_gives_the_published_ciphertext),
	    TEST(the_key_stream_is_that_of_the_published_vectors),
	    TEST(a_full_batch_is_what_another_implementation_seals),
	    TEST(each_batch_size_is_sealed_as_the_reference_does_and_opens_again),
	    TEST(packet_numbers_are_whole_at_every_edge),
	    TEST(sealing_writes_the_batch_and_no_byte_beyond),
	    TEST(a_wrong_mac_is_found_where_it_is),
	    TEST(of_several_wrong_macs_the_first_counts),
	    TEST(each_bit_of_a_packet_is_covered),
	    TEST(a_packet_opens_at_its_own_number_only),
	    TEST(a_packet_opens_under_its_own_keys_only),
	    TEST(many_connections_in_turn_each_have_their_own_keys),
	    TEST(new_keys_in_the_memory_of_old_ones_are_the_new_ones),
	    TEST(keys_may_move_in_memory),
	    TEST(keys_that_were_forgotten_are_zeros_and_seal_nothing),
	    TEST(no_trace_of_forgotten_keys_stays_in_memory),
	    TEST(no_trace_of_keys_stays_when_the_engine_goes),
	    TEST(memory_in_use_does_not_grow_with_packets),
	    TEST(an_engine_has_the_name_that_was_asked_for),
	};
	static const char *const names[] = {"best", "libcrypto", "ipsec-mb"};
	int failed = 0;

	for (int i = 0; i < 3; i++) {
		backend_under_test = (enum engine_backend)i;
		if (should_be_there(backend_under_test))
			failed += cmocka_run_group_tests_name(names[i], tests, NULL, NULL);
		else
			print_message("%s: this build or this processor does not have it\n", names[i]);
	}
	return failed;
}
