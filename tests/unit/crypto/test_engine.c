/* test_engine.c: each backend seals the same bytes as the plain way does, and opens nothing that is not right. */
#include "sealing.h"

#include <string.h>

#include "crypto/hash.h"
#include "crypto/reference.h"
#include "crypto/vectors.h"

static void
assert_opened(struct fixture *f, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_memory_equal(body_of(f->packets, i), body_of(f->plain, i), ENGINE_BODY);
}

/* From the first bad one on, a packet is as it came, or its body is wiped. */
static void
assert_still_sealed(struct fixture *f, const uint8_t *as_it_came, size_t from, size_t count)
{
	static const uint8_t wiped[ENGINE_BODY];

	for (size_t i = from; i < count; i++) {
		if (memcmp(body_of(f->packets, i), wiped, ENGINE_BODY) != 0)
			assert_memory_equal(body_of(f->packets, i), as_it_came + i * ENGINE_PACKET, ENGINE_PACKET);
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
			body_of(f->packets, at / ENGINE_BODY)[at % ENGINE_BODY] = (uint8_t)((uint64_t)at * at % 251);
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

static void
the_backend_is_the_one_that_was_asked_for(void **state)
{
	(void)state;
	assert_null(engine_problem(backend_under_test));
	if (backend_under_test != ENGINE_BEST)
		assert_int_equal(engine_choose(backend_under_test), backend_under_test);
	assert_string_equal(engine_words[ENGINE_LIBCRYPTO], "libcrypto");
	assert_string_equal(engine_words[ENGINE_IPSEC_MB], "ipsec-mb");
	assert_int_equal(
	    engine_choose(ENGINE_BEST), engine_problem(ENGINE_IPSEC_MB) == NULL ? ENGINE_IPSEC_MB : ENGINE_LIBCRYPTO);
	engine_free(NULL);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    SEALING(the_reference_gives_the_published_ciphertext),
	    SEALING(the_key_stream_is_that_of_the_published_vectors),
	    SEALING(a_full_batch_is_what_another_implementation_seals),
	    SEALING(each_batch_size_is_sealed_as_the_reference_does_and_opens_again),
	    SEALING(packet_numbers_are_whole_at_every_edge),
	    SEALING(sealing_writes_the_batch_and_no_byte_beyond),
	    SEALING(a_wrong_mac_is_found_where_it_is),
	    SEALING(of_several_wrong_macs_the_first_counts),
	    SEALING(each_bit_of_a_packet_is_covered),
	    SEALING(a_packet_opens_at_its_own_number_only),
	    SEALING(a_packet_opens_under_its_own_keys_only),
	    SEALING(the_backend_is_the_one_that_was_asked_for),
	};

	return sealing_run(tests);
}
