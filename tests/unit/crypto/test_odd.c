/*
 * test_odd.c: machines and libraries that are not like this one: other processors, a library that fails its own test,
 * or computes something else and says that all is well. (One that fails and says so: test_failures.c.)
 *
 * The linker puts the functions below in place of those that they are named after.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/engine.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "test.h"
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum { PACKETS = 70, SEALED = 21, OPENED = 19, SLOTS = 64 /* of engine.c's test, and of the backend on libcrypto */ };

/* What is odd at the moment; all zeros: nothing. */
static struct {
	const char *function; /* this one lies or fails */
	unsigned left;        /* at this call from now on */
	bool has_come;
	void (*meanwhile)(void); /* somebody else does this while we look SHA-256 up */
	size_t much_wiped;
	uint64_t hidden;
	bool fails_self_test;
	size_t alignment, size; /* of the memory that was asked for last */
	size_t larger;          /* managers are, by so much */
	bool is_started_anew;   /* a manager, in that memory */
	bool is_wide;           /* one of AVX-512 was started */
} odd;

static void
be_odd_at(const char *function, unsigned call)
{
	memset(&odd, 0, sizeof odd);
	odd.function = function;
	odd.left = call;
}

static bool
is_odd(const char *function)
{
	bool is_it = odd.function != NULL && strcmp(odd.function, function) == 0 && odd.left > 0 && --odd.left == 0;

	odd.has_come = odd.has_come || is_it;
	return is_it;
}

EVP_MD *__real_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *name, const char *properties);
EVP_MD *__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *name, const char *properties);
int __real_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned *length);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned *length);
int __real_EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in, int n);
int __wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in, int n);
int __real_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM *parameters);
int __wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM *parameters);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __real_bytes_wipe(void *bytes, size_t length);
void __wrap_bytes_wipe(void *bytes, size_t length);

EVP_MD *
__wrap_EVP_MD_fetch(OSSL_LIB_CTX *context, const char *name, const char *properties)
{
	void (*act)(void) = odd.meanwhile;

	odd.meanwhile = NULL;
	if (act != NULL)
		act();
	return __real_EVP_MD_fetch(context, name, properties);
}

int
__wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned *length)
{
	int done = __real_EVP_DigestFinal_ex(context, hash, length);

	hash[0] ^= is_odd("lie of a hash");
	return done;
}

int
__wrap_EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *written, const unsigned char *in, int n)
{
	int done = __real_EVP_EncryptUpdate(context, out, written, in, n);

	out[0] ^= is_odd("lie of a cipher");
	return done;
}

int
__wrap_EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM *parameters)
{
	return is_odd("failing cipher") ? 0 : __real_EVP_EncryptInit_ex2(context, cipher, key, iv, parameters);
}

void *
__wrap_calloc(size_t count, size_t size)
{
	return is_odd("no memory") ? NULL : __real_calloc(count, size);
}

/* Of more than 1 GiB only the beginning is wiped, since a test has no more. */
void
__wrap_bytes_wipe(void *bytes, size_t length)
{
	if (length > (size_t)1 << 30) {
		odd.much_wiped = length;
		length = 32;
	}
	__real_bytes_wipe(bytes, length);
}

static void
hash_once(void)
{
	uint8_t hash[HASH_SIZE];

	assert_int_equal(hash_sha256((const uint8_t *)"abc", 3, hash), OK);
}

/* The first of all, while nobody has looked it up. */
static void
of_two_that_look_sha256_up_at_once_one_takes_the_others(void **state)
{
	static const uint8_t abc[4] = {0xba, 0x78, 0x16, 0xbf};
	uint8_t hash[HASH_SIZE];

	odd.meanwhile = hash_once;
	assert_int_equal(hash_sha256((const uint8_t *)"abc", 3, hash), OK);
	assert_null(odd.meanwhile);
	assert_memory_equal(hash, abc, sizeof abc);
}

static void
a_key_of_no_bytes_is_one_of_zeros(void **state)
{
	static const uint8_t zeros[32];
	uint8_t none[HASH_SIZE], same[HASH_SIZE];

	assert_int_equal(hash_hmac(NULL, 0, zeros, 3, none), OK);
	assert_int_equal(hash_hmac(zeros, sizeof zeros, zeros, 3, same), OK);
	assert_memory_equal(none, same, sizeof none);
}

/* As libcrypto's int it would be 32 bytes, and the rest of the memory no random ones at all. */
static void
more_random_bytes_than_there_can_be_are_none(void **state)
{
	const uint64_t much = UINT64_C(0x100000020);
	uint8_t bytes[32] = {1};

	if (much > SIZE_MAX)
		skip();
	memset(&odd, 0, sizeof odd);
	assert_int_equal(random_bytes(bytes, (size_t)much), ERROR_RANDOM);
	assert_int_equal(odd.much_wiped, much);
	for (size_t i = 0; i < sizeof bytes; i++)
		assert_int_equal(bytes[i], 0);
}

/* Has each call of that kind be odd in turn; how many there are, and with how many an engine is made all the same. */
static unsigned
engines_in_spite_of(const char *function, unsigned *calls)
{
	unsigned made = 0;

	for (*calls = 0;; ++*calls) {
		struct engine *engine;

		be_odd_at(function, *calls + 1);
		engine = engine_new(ENGINE_LIBCRYPTO);
		made += engine != NULL;
		engine_free(engine);
		if (!odd.has_come)
			return made - 1; /* the last one met nothing odd */
	}
}

static void
an_engine_that_computes_something_else_is_none(void **state)
{
	unsigned calls;

	/* Not when slots are wiped, and one more when the keys are forgotten. */
	assert_int_equal(engines_in_spite_of("lie of a cipher", &calls), SLOTS + 1);
	assert_int_equal(calls, SLOTS + 1 + SEALED + OPENED);
	/* Not in the inner hash of the MAC that is wrong anyway; in the outer one the lie makes it right. */
	assert_int_equal(engines_in_spite_of("lie of a hash", &calls), 1);
	assert_int_equal(calls, 2 * SEALED + 1 + 2 * (OPENED + 1));
}

static void
an_engine_that_cannot_be_used_is_none_and_a_problem(void **state)
{
	unsigned calls;

	/* Not when slots are wiped. */
	assert_int_equal(engines_in_spite_of("failing cipher", &calls), SLOTS + 1);
	be_odd_at("no memory", 1);
	assert_non_null(engine_problem(ENGINE_LIBCRYPTO));
	assert_null(engine_problem(ENGINE_LIBCRYPTO));
}

#ifdef HAVE_IPSEC_MB
int __wrap_imb_get_errno(IMB_MGR *manager);
int __real_imb_get_errno(IMB_MGR *manager);
uint64_t __wrap_imb_get_feature_flags(void);
uint64_t __real_imb_get_feature_flags(void);
void __real_init_mb_mgr_sse(IMB_MGR *manager);
void __wrap_init_mb_mgr_sse(IMB_MGR *manager);
void __real_init_mb_mgr_avx512(IMB_MGR *manager);
void __wrap_init_mb_mgr_avx512(IMB_MGR *manager);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
size_t __real_imb_get_mb_mgr_size(void);
size_t __wrap_imb_get_mb_mgr_size(void);
IMB_MGR *__real_imb_set_pointers_mb_mgr(void *memory, const uint64_t flags, const unsigned reset);
IMB_MGR *__wrap_imb_set_pointers_mb_mgr(void *memory, const uint64_t flags, const unsigned reset);

int
__wrap_imb_get_errno(IMB_MGR *manager)
{
	return is_odd("error of the library") ? IMB_ERR_SELFTEST : __real_imb_get_errno(manager);
}

uint64_t
__wrap_imb_get_feature_flags(void)
{
	return __real_imb_get_feature_flags() & ~odd.hidden;
}

void
__wrap_init_mb_mgr_sse(IMB_MGR *manager)
{
	__real_init_mb_mgr_sse(manager);
	if (odd.fails_self_test)
		manager->features &= ~(uint64_t)IMB_FEATURE_SELF_TEST_PASS;
}

void
__wrap_init_mb_mgr_avx512(IMB_MGR *manager)
{
	odd.is_wide = true;
	__real_init_mb_mgr_avx512(manager);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
	odd.alignment = alignment;
	odd.size = size;
	return __real_aligned_alloc(alignment, size);
}

size_t
__wrap_imb_get_mb_mgr_size(void)
{
	return __real_imb_get_mb_mgr_size() + odd.larger;
}

IMB_MGR *
__wrap_imb_set_pointers_mb_mgr(void *memory, const uint64_t flags, const unsigned reset)
{
	odd.is_started_anew = flags == 0 && reset == 1;
	return __real_imb_set_pointers_mb_mgr(memory, flags, reset);
}

/* In whole pieces of its alignment, which C11 wants, and no more of them than it takes. */
static void
a_manager_is_made_in_memory_that_its_vectors_can_use(void **state)
{
	memset(&odd, 0, sizeof odd);
	if (engine_problem(ENGINE_IPSEC_MB) != NULL)
		skip();
	for (odd.larger = 0; odd.larger < 64; odd.larger += 8) {
		engine_free(engine_new(ENGINE_IPSEC_MB));
		assert_int_equal(odd.alignment, 64);
		assert_int_equal(odd.size % 64, 0);
		assert_in_range(odd.size, imb_get_mb_mgr_size(), imb_get_mb_mgr_size() + 63);
		assert_true(odd.is_started_anew);
	}
}

static void
a_processor_or_library_that_will_not_do_is_a_problem(void **state)
{
	static const uint64_t needed[] = {IMB_FEATURE_AESNI, IMB_FEATURE_SHANI, IMB_FEATURE_SAFE_DATA};
	static const char *const said[] = {"AES", "SHA", "SAFE_DATA"};

	memset(&odd, 0, sizeof odd);
	if (engine_problem(ENGINE_IPSEC_MB) != NULL)
		skip();
	for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
		odd.hidden = needed[i];
		assert_non_null(engine_problem(ENGINE_IPSEC_MB));
		assert_non_null(strstr(engine_problem(ENGINE_IPSEC_MB), said[i]));
		assert_null(engine_new(ENGINE_IPSEC_MB));
		assert_int_equal(engine_choose(ENGINE_BEST), ENGINE_LIBCRYPTO);
	}
	odd.hidden = 0;
	odd.fails_self_test = true;
	assert_null(engine_new(ENGINE_IPSEC_MB));
	be_odd_at("error of the library", 1);
	assert_null(engine_new(ENGINE_IPSEC_MB));
	assert_true(odd.has_come);
}

/* The same packets by it and by libcrypto, in batches of every size that lanes make a difference to. */
static void
assert_seals_as_libcrypto(struct engine *engine)
{
	static const uint8_t e[32] = {1}, h[32] = {2};
	static uint8_t ours[PACKETS * ENGINE_PACKET], theirs[PACKETS * ENGINE_PACKET];
	struct engine *plain = engine_new(ENGINE_LIBCRYPTO);
	struct engine_keys keys, plain_keys;

	assert_non_null(engine);
	assert_non_null(plain);
	assert_int_equal(engine_prepare(engine, &keys, e, h), OK);
	assert_int_equal(engine_prepare(plain, &plain_keys, e, h), OK);
	for (size_t count = 1; count <= PACKETS; count++) {
		memset(ours, (int)count, sizeof ours);
		memset(theirs, (int)count, sizeof theirs);
		assert_int_equal(engine_seal(engine, &keys, count, ours, count), OK);
		assert_int_equal(engine_seal(plain, &plain_keys, count, theirs, count), OK);
		assert_memory_equal(ours, theirs, sizeof ours);
	}
	engine_forget(engine, &keys);
	engine_forget(plain, &plain_keys);
	engine_free(plain);
	engine_free(engine);
}

/* Which lanes are taken where there are some: test_lanes.c. */
static void
a_processor_without_wide_lanes_gives_the_same(void **state)
{
	memset(&odd, 0, sizeof odd);
	if (engine_problem(ENGINE_IPSEC_MB) != NULL)
		skip();
	odd.is_wide = false;
	odd.hidden = IMB_CPUFLAGS_AVX512_T2 & ~(IMB_FEATURE_AESNI | IMB_FEATURE_SHANI | IMB_FEATURE_SAFE_DATA);
	assert_seals_as_libcrypto(engine_new(ENGINE_IPSEC_MB));
	assert_false(odd.is_wide); /* its instructions would end the process */
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_two_that_look_sha256_up_at_once_one_takes_the_others),
	    cmocka_unit_test(a_key_of_no_bytes_is_one_of_zeros),
	    cmocka_unit_test(more_random_bytes_than_there_can_be_are_none),
	    cmocka_unit_test(an_engine_that_computes_something_else_is_none),
	    cmocka_unit_test(an_engine_that_cannot_be_used_is_none_and_a_problem),
#ifdef HAVE_IPSEC_MB
	    cmocka_unit_test(a_manager_is_made_in_memory_that_its_vectors_can_use),
	    cmocka_unit_test(a_processor_or_library_that_will_not_do_is_a_problem),
	    cmocka_unit_test(a_processor_without_wide_lanes_gives_the_same),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
