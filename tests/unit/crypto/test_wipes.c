/* test_wipes.c: each thing that is secret is wiped where it was used. */
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/group14.h"
#include "crypto/hash.h"
#include "crypto/reference.h"
#include "crypto/sealing.h"
#include "wipes.h"

enum { INNER = 0x36, OUTER = 0x5c };

static void
pad_key(uint8_t padded[HASH_SIZE], const uint8_t key[HASH_SIZE], uint8_t pad)
{
	for (size_t i = 0; i < HASH_SIZE; i++)
		padded[i] = key[i] ^ pad;
}

/* The inner hash of HMAC: SHA-256 of the padded key and the message. */
static void
hash_inner(const uint8_t key[HASH_SIZE], const uint8_t *bytes, size_t length, uint8_t hash[HASH_SIZE])
{
	uint8_t all[64 + ENGINE_PACKET];

	memset(all, INNER, 64);
	pad_key(all, key, INNER);
	memcpy(all + 64, bytes, length);
	assert_int_equal(EVP_Digest(all, 64 + length, hash, NULL, EVP_sha256(), NULL), 1);
}

static void
an_hmac_wipes_its_padded_key_and_its_inner_hash(void **state)
{
	uint8_t key[2 * 64], hashed[HASH_SIZE], padded[HASH_SIZE], inner[HASH_SIZE], mac[HASH_SIZE];

	(void)state;
	memset(key, 0x91, sizeof key);
	for (size_t length = HASH_SIZE; length <= sizeof key; length += sizeof key - HASH_SIZE) {
		memcpy(hashed, key, HASH_SIZE);
		if (length > 64)
			assert_int_equal(hash_sha256(key, length, hashed), OK);
		pad_key(padded, hashed, OUTER);
		hash_inner(hashed, (const uint8_t *)"abc", 3, inner);
		wipes_start();
		assert_int_equal(hash_hmac(key, length, (const uint8_t *)"abc", 3, mac), OK);
		assert_int_equal(wipes_of(padded, sizeof padded), 1);
		assert_int_equal(wipes_of(inner, sizeof inner), 1);
		assert_int_equal(wipes_of(mac, sizeof mac), 0);
	}
}

static void
a_derivation_wipes_its_last_block(void **state)
{
	uint8_t key[HASH_SIZE], padded[HASH_SIZE], out[2 * HASH_SIZE];

	(void)state;
	memset(key, 0x17, sizeof key);
	pad_key(padded, key, OUTER);
	wipes_start();
	assert_int_equal(hash_pbkdf2(key, (const uint8_t *)"salt", 4, out, sizeof out), OK);
	assert_int_equal(wipes_of(out + HASH_SIZE, HASH_SIZE), 1);
	assert_int_equal(wipes_of(padded, sizeof padded), 2);
}

static unsigned cleared;

/* The linker puts the second in place of BN_clear_free, and calls that the first. */
void __real_BN_clear_free(BIGNUM *number);
void __wrap_BN_clear_free(BIGNUM *number);

void
__wrap_BN_clear_free(BIGNUM *number)
{
	cleared++;
	__real_BN_clear_free(number);
}

/* Which entry of a table is used tells bits of x, and so does the entry itself. */
static void
a_power_wipes_what_tells_of_its_exponent(void **state)
{
	enum { COLUMNS = 11, TABLES = 4, ENTRIES = 64 };
	static const uint8_t all_ones[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	uint8_t x[GROUP14_EXPONENT], y[GROUP14_SIZE], shared[GROUP14_SIZE];

	(void)state;
	memset(x, 0x2d, sizeof x);
	assert_int_equal(group14_start(), OK);
	wipes_start();
	cleared = 0;
	assert_int_equal(group14_public(x, y), OK);
	assert_int_equal(cleared, 2);
	assert_int_equal(wipes_sized(8 * ENTRIES), COLUMNS * TABLES);
	assert_int_equal(wipes_of(all_ones, sizeof all_ones), COLUMNS * TABLES);
	assert_int_equal(wipes_sized(GROUP14_SIZE), 1);
	assert_int_equal(wipes_of(y, sizeof y), 0);
	wipes_start();
	assert_int_equal(group14_shared(y, x, shared), OK);
	assert_int_equal(cleared, 4);
	assert_int_equal(wipes_of(x, sizeof x), 1);
	assert_int_equal(wipes_of(shared, sizeof shared), 0);
	group14_stop();
}

static void
making_keys_wipes_what_they_are_made_of(void **state)
{
	struct fixture *f = *state;
	uint8_t padded[HASH_SIZE], e[32], h[32];

	make_e_and_h(e, h, 5);
	engine_forget(f->engine, &f->keys);
	wipes_start();
	assert_int_equal(engine_prepare(f->engine, &f->keys, e, h), OK);
	pad_key(padded, h, INNER);
	assert_int_equal(wipes_of(padded, sizeof padded), 1);
	pad_key(padded, h, OUTER);
	assert_int_equal(wipes_of(padded, sizeof padded), 1);
	wipes_start();
	engine_forget(f->engine, &f->keys);
	assert_int_equal(wipes_sized(sizeof f->keys), 1);
}

/* Whoever knew the right MAC of a packet that he made up could send it. */
static void
the_right_mac_of_a_forgery_is_wiped(void **state)
{
	struct fixture *f = *state;
	size_t good;

	seal(f, 9, 3);
	f->packets[2 * ENGINE_PACKET + ENGINE_BODY] ^= 1;
	wipes_start();
	assert_int_equal(engine_open(f->engine, &f->keys, 9, f->packets, 3, &good), ERROR_BAD_MAC);
	assert_int_equal(good, 2);
	assert_int_equal(wipes_of(f->sealed + 2 * ENGINE_PACKET + ENGINE_BODY, ENGINE_MAC), 1);
}

/* ipsec-mb keeps it in registers, and wipes those. */
static void
libcrypto_wipes_the_inner_hash_of_a_packets_mac(void **state)
{
	struct fixture *f = *state;
	uint8_t hashed[ENGINE_BODY + 8], inner[HASH_SIZE];

	wipes_start();
	seal(f, 3, 1);
	memcpy(hashed, f->sealed, ENGINE_BODY);
	bytes_put_be64(hashed + ENGINE_BODY, 3);
	hash_inner(f->h, hashed, sizeof hashed, inner);
	assert_int_equal(wipes_of(inner, sizeof inner), 1);
}

/* Counter mode has no use for them, and they are half of the way back to E. */
static void
ipsec_mb_wipes_the_round_keys_for_decrypting(void **state)
{
	struct fixture *f = *state;
	uint8_t rounds[240];

	reference_round_keys(f->e, rounds);
	wipes_start();
	assert_int_equal(engine_prepare(f->engine, &f->keys, f->e, f->h), OK);
	/* the first of them is the last for encrypting */
	assert_int_equal(wipes_of(rounds + sizeof rounds - 16, 16), 1);
	assert_int_equal(wipes_sized(sizeof rounds), 1);
}

#ifdef HAVE_IPSEC_MB
static IMB_MGR *started[2]; /* narrow, wide */

void __real_init_mb_mgr_sse(IMB_MGR *manager);
void __wrap_init_mb_mgr_sse(IMB_MGR *manager);
void __real_init_mb_mgr_avx512(IMB_MGR *manager);
void __wrap_init_mb_mgr_avx512(IMB_MGR *manager);

void
__wrap_init_mb_mgr_sse(IMB_MGR *manager)
{
	__real_init_mb_mgr_sse(manager);
	started[0] = manager;
}

void
__wrap_init_mb_mgr_avx512(IMB_MGR *manager)
{
	__real_init_mb_mgr_avx512(manager);
	started[1] = manager;
}

static uint32_t
refuse(IMB_MGR *manager, IMB_JOB *jobs, const uint32_t count, const IMB_HASH_ALG algorithm)
{
	(void)manager;
	(void)jobs;
	(void)count;
	(void)algorithm;
	return 0;
}
#endif

/* They wipe themselves after each call, as the library promises: this does not rely on it. */
static void
ipsec_mb_wipes_its_managers_and_its_state_when_it_goes(void **state)
{
#ifdef HAVE_IPSEC_MB
	enum { PIECE = 64 };
	struct shape { /* of the state: see struct ipsec_mb */
		void *managers[3];
		size_t wide_from;
		IMB_JOB jobs[PIECE];
		uint8_t counters[PIECE][16], macs[PIECE][ENGINE_MAC];
	};
	struct fixture *f = *state;
	size_t managers = started[1] != NULL ? 2 : 1;

	wipes_start();
	engine_free(f->engine);
	assert_int_equal(wipes_sized(imb_get_mb_mgr_size()), managers);
	assert_int_equal(wipes_sized(sizeof(struct shape)), 1);
	f->engine = engine_new(ENGINE_IPSEC_MB);
	assert_non_null(f->engine);
#else
	(void)state;
#endif
}

/* Those of the lanes that were done before the library refused the rest. */
static void
ipsec_mb_wipes_the_macs_of_a_batch_that_fails(void **state)
{
#ifdef HAVE_IPSEC_MB
	enum { COUNT = 3 };
	struct fixture *f = *state;
	size_t good;

	seal(f, 1, COUNT);
	for (size_t i = 0; i < 2; i++)
		if (started[i] != NULL)
			started[i]->submit_hash_burst = refuse;
	wipes_start();
	assert_int_equal(engine_seal(f->engine, &f->keys, 1, f->packets, COUNT), ERROR_CRYPTO);
	assert_int_equal(wipes_sized(COUNT * ENGINE_MAC), 1);
	memcpy(f->packets, f->sealed, COUNT * ENGINE_PACKET);
	wipes_start();
	assert_int_equal(engine_open(f->engine, &f->keys, 1, f->packets, COUNT, &good), ERROR_CRYPTO);
	assert_int_equal(wipes_sized(COUNT * ENGINE_MAC), 1);
#else
	(void)state;
#endif
}

int
main(void)
{
	static const struct CMUnitTest once[] = {
	    cmocka_unit_test(an_hmac_wipes_its_padded_key_and_its_inner_hash),
	    cmocka_unit_test(a_derivation_wipes_its_last_block),
	    cmocka_unit_test(a_power_wipes_what_tells_of_its_exponent),
	};
	static const struct CMUnitTest each[] = {
	    SEALING(making_keys_wipes_what_they_are_made_of),
	    SEALING(the_right_mac_of_a_forgery_is_wiped),
	};
	static const struct CMUnitTest of_libcrypto[] = {SEALING(libcrypto_wipes_the_inner_hash_of_a_packets_mac)};
	static const struct CMUnitTest of_ipsec_mb[] = {
	    SEALING(ipsec_mb_wipes_the_round_keys_for_decrypting),
	    SEALING(ipsec_mb_wipes_its_managers_and_its_state_when_it_goes),
	    SEALING(ipsec_mb_wipes_the_macs_of_a_batch_that_fails),
	};
	int failed = cmocka_run_group_tests(once, NULL, NULL) + sealing_run(each);

	backend_under_test = ENGINE_LIBCRYPTO;
	failed += cmocka_run_group_tests(of_libcrypto, NULL, NULL);
	backend_under_test = ENGINE_IPSEC_MB;
	if (engine_problem(ENGINE_IPSEC_MB) == NULL)
		failed += cmocka_run_group_tests(of_ipsec_mb, NULL, NULL);
	return failed;
}
