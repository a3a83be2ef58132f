/*
 * test_failures.c: whatever call of libcrypto's, of ipsec-mb's or for memory fails, it is an error, and nothing is
 * left.
 *
 * The linker puts the functions below in place of those that they are named after. Each that a piece of work calls
 * fails once, at its first calls and at its last ones; where the work is done again and again that is every place.
 */
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#include <stdlib.h>
#include <string.h>

#include "crypto/failing.h"
#include "crypto/group14.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/sealing.h"

#define NUMBERED(type, failure, name, parameters, arguments) FAILS_##name,
enum function { FUNCTIONS(NUMBERED) FAILS_cipher_burst, FAILS_hash_burst, FUNCTIONS_COUNT };

enum { FIRST_CALLS = 64, LAST_CALLS = 3 };

static unsigned calls[FUNCTIONS_COUNT], failing_call;
static enum function failing = FUNCTIONS_COUNT;
static uint8_t out[GROUP14_SIZE];              /* what comes out of a piece of work; no zero is in it before */
static bool is_counting, is_lying, has_failed; /* lying: comparisons, and nothing else, fail */

static bool
fails(enum function function)
{
	if (!is_counting || (function == FAILS_bytes_equal) != is_lying || ++calls[function] != failing_call ||
	    function != failing)
		return false;
	has_failed = true;
	return true;
}

#define REPLACED(type, failure, name, parameters, arguments)                    \
	type __real_##name parameters;                                          \
	type __wrap_##name parameters;                                          \
	type __wrap_##name parameters                                           \
	{                                                                       \
		return fails(FAILS_##name) ? failure : __real_##name arguments; \
	}
FUNCTIONS(REPLACED)

#ifdef HAVE_IPSEC_MB
/* A burst that is refused does nothing, and says that it has done 0 of its jobs. */
static submit_cipher_burst_t real_cipher_burst;
static submit_hash_burst_t real_sse_hash_burst, real_avx512_hash_burst;

static uint32_t
cipher_burst(IMB_MGR *m, IMB_JOB *jobs, const uint32_t n, const IMB_CIPHER_MODE c, const IMB_CIPHER_DIRECTION d,
    const IMB_KEY_SIZE_BYTES k)
{
	return fails(FAILS_cipher_burst) ? 0 : real_cipher_burst(m, jobs, n, c, d, k);
}

static uint32_t
sse_hash_burst(IMB_MGR *m, IMB_JOB *jobs, const uint32_t n, const IMB_HASH_ALG h)
{
	return fails(FAILS_hash_burst) ? 0 : real_sse_hash_burst(m, jobs, n, h);
}

static uint32_t
avx512_hash_burst(IMB_MGR *m, IMB_JOB *jobs, const uint32_t n, const IMB_HASH_ALG h)
{
	return fails(FAILS_hash_burst) ? 0 : real_avx512_hash_burst(m, jobs, n, h);
}

void __real_init_mb_mgr_sse(IMB_MGR *manager);
void __wrap_init_mb_mgr_sse(IMB_MGR *manager);
void __real_init_mb_mgr_avx512(IMB_MGR *manager);
void __wrap_init_mb_mgr_avx512(IMB_MGR *manager);

void
__wrap_init_mb_mgr_sse(IMB_MGR *manager)
{
	__real_init_mb_mgr_sse(manager);
	real_cipher_burst = manager->submit_cipher_burst;
	real_sse_hash_burst = manager->submit_hash_burst;
	manager->submit_cipher_burst = cipher_burst;
	manager->submit_hash_burst = sse_hash_burst;
}

void
__wrap_init_mb_mgr_avx512(IMB_MGR *manager)
{
	__real_init_mb_mgr_avx512(manager);
	real_cipher_burst = manager->submit_cipher_burst;
	real_avx512_hash_burst = manager->submit_hash_burst;
	manager->submit_cipher_burst = cipher_burst;
	manager->submit_hash_burst = avx512_hash_burst;
}
#endif

/* A piece of work, and what must be true after it: it has failed, or it has not. */
typedef void work(void *context, bool has_to_fail);

static void
run_once(work *run, void *context, enum function function, unsigned call)
{
	memset(calls, 0, sizeof calls);
	failing = function;
	failing_call = call;
	has_failed = false;
	memset(out, 1, sizeof out);
	run(context, function != FUNCTIONS_COUNT);
	assert_false(is_counting);
	assert_true(has_failed || function == FUNCTIONS_COUNT);
}

/* Runs it with each of its calls failing in turn; the test knows how many functions it calls at least. */
static void
fail_each(work *run, void *context, unsigned functions)
{
	unsigned usual[FUNCTIONS_COUNT], called = 0;

	run_once(run, context, FUNCTIONS_COUNT, 0);
	memcpy(usual, calls, sizeof usual);
	for (int function = 0; function < FUNCTIONS_COUNT; function++) {
		called += usual[function] > 0;
		for (unsigned call = 1; call <= usual[function]; call++)
			if (call <= FIRST_CALLS || call + LAST_CALLS > usual[function])
				run_once(run, context, (enum function)function, call);
	}
	assert_true(called >= functions);
}

#define COUNTED(result, call)        \
	do {                         \
		is_counting = true;  \
		(result) = (call);   \
		is_counting = false; \
	} while (0)

static void
assert_wiped(const void *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		assert_int_equal(((const uint8_t *)bytes)[i], 0);
}

static void
assert_result(enum error error, bool has_to_fail, const uint8_t *result, size_t length)
{
	assert_int_equal(error, has_to_fail ? ERROR_CRYPTO : OK);
	if (has_to_fail)
		assert_wiped(result, length);
}

static void
do_sha256(void *context, bool has_to_fail)
{
	enum error error;

	COUNTED(error, hash_sha256(context, 3, out));
	assert_result(error, has_to_fail, out, HASH_SIZE);
}

static void
do_hmac(void *context, bool has_to_fail)
{
	uint8_t key[100] = {2};
	enum error error;

	COUNTED(error, hash_hmac(key, sizeof key, context, 3, out));
	assert_result(error, has_to_fail, out, HASH_SIZE);
}

static void
do_pbkdf2(void *context, bool has_to_fail)
{
	uint8_t key[HASH_SIZE] = {2};
	enum error error;

	COUNTED(error, hash_pbkdf2(key, context, 3, out, 128));
	assert_result(error, has_to_fail, out, 128);
}

static void
do_stream(void *context, bool has_to_fail)
{
	struct hash_stream *stream;
	enum error error = ERROR_CRYPTO;

	COUNTED(stream, hash_stream_new());
	assert_int_equal(stream == NULL, has_failed);
	if (stream != NULL)
		COUNTED(error, hash_stream_add(stream, context, 3));
	if (stream != NULL && error == OK) {
		COUNTED(error, hash_stream_finish(stream, out));
		assert_result(error, has_to_fail, out, HASH_SIZE);
	} else {
		hash_stream_drop(stream);
		assert_true(has_to_fail);
	}
}

/* First of all: it is looked up once only. */
static void
without_sha256_there_is_no_hash(void **state)
{
	uint8_t bytes[] = "abc";

	(void)state;
	run_once(do_sha256, bytes, FAILS_EVP_MD_fetch, 1);
	run_once(do_sha256, bytes, FUNCTIONS_COUNT, 0);
	assert_int_equal(calls[FAILS_EVP_MD_fetch], 1);
	run_once(do_sha256, bytes, FUNCTIONS_COUNT, 0);
	assert_int_equal(calls[FAILS_EVP_MD_fetch], 0); /* it was kept */
}

static void
a_hash_that_fails_anywhere_is_an_error_and_no_hash(void **state)
{
	uint8_t bytes[] = "abc";

	(void)state;
	fail_each(do_sha256, bytes, 4);
	fail_each(do_hmac, bytes, 4);
	fail_each(do_pbkdf2, bytes, 4);
	fail_each(do_stream, bytes, 5);
}

static void
do_start(void *context, bool has_to_fail)
{
	uint8_t x[GROUP14_EXPONENT] = {3};
	enum error error;

	(void)context;
	COUNTED(error, group14_start());
	assert_true((error == OK) != has_to_fail);
	assert_result(group14_public(x, out), has_to_fail, out, sizeof out);
	group14_stop();
}

static void
do_public(void *context, bool has_to_fail)
{
	enum error error;

	COUNTED(error, group14_public(context, out));
	assert_result(error, has_to_fail, out, sizeof out);
}

static void
do_shared(void *context, bool has_to_fail)
{
	uint8_t y[GROUP14_SIZE] = {1};
	enum error error;

	COUNTED(error, group14_shared(y, context, out));
	assert_result(error, has_to_fail, out, sizeof out);
}

static void
a_power_that_fails_anywhere_is_an_error_and_no_number(void **state)
{
	uint8_t x[GROUP14_EXPONENT] = {7, 1, 2, 3};

	(void)state;
	fail_each(do_start, x, 12);
	assert_int_equal(group14_start(), OK);
	fail_each(do_public, x, 5);
	fail_each(do_shared, x, 5);
	group14_stop();
}

static void
do_random(void *context, bool has_to_fail)
{
	uint8_t *bytes = context;
	enum error error;

	memset(bytes, 1, 48);
	COUNTED(error, random_bytes(bytes, 48));
	if (!has_to_fail || failing_call > 1) { /* what is drawn after it is nobody's */
		assert_int_equal(error, OK);
		return;
	}
	assert_int_equal(error, ERROR_RANDOM);
	assert_wiped(bytes, 48);
}

static void
a_generator_that_fails_is_an_error_and_no_bytes(void **state)
{
	uint8_t bytes[48];

	(void)state;
	fail_each(do_random, bytes, 1);
}

/* Some failures are let pass that change nothing: then what comes is a good engine. */
static void
do_new(void *context, bool has_to_fail)
{
	struct fixture *f = context;
	struct engine *mine = f->engine, *engine;

	COUNTED(engine, engine_new(backend_under_test));
	assert_true(engine != NULL || has_to_fail);
	/* instead of the best the next best is tried */
	assert_true(engine == NULL || !is_lying || !has_to_fail || backend_under_test == ENGINE_BEST);
	if (engine == NULL)
		return;
	f->engine = engine;
	assert_int_equal(engine_prepare(engine, &f->keys, f->e, f->h), OK);
	seal(f, 5, 3);
	assert_sealed_as_the_reference(f, 5, 3);
	engine_forget(engine, &f->keys);
	engine_free(engine);
	f->engine = mine;
}

static void
an_engine_that_cannot_be_made_whole_is_none(void **state)
{
	struct fixture *f = *state;

	engine_forget(f->engine, &f->keys);
	fail_each(do_new, f, 3);
}

/* That it knows the answers is found out by comparing: each answer counts. */
static void
an_engine_that_gives_a_wrong_answer_is_none(void **state)
{
	struct fixture *f = *state;

	engine_forget(f->engine, &f->keys);
	is_lying = true;
	fail_each(do_new, f, 1);
	is_lying = false;
}

static void
do_prepare(void *context, bool has_to_fail)
{
	struct fixture *f = context;
	enum error error;

	engine_forget(f->engine, &f->keys);
	COUNTED(error, engine_prepare(f->engine, &f->keys, f->e, f->h));
	assert_result(error, has_to_fail, f->keys.bytes, sizeof f->keys);
	if (failing == FAILS_EVP_DigestUpdate) /* half of them is where nobody finds it to forget it: overwritten */
		assert_int_equal(calls[FAILS_EVP_EncryptUpdate], 1);
}

static void
do_seal(void *context, bool has_to_fail)
{
	struct fixture *f = context;
	size_t count = 21;
	enum error error;

	memcpy(f->packets, f->plain, count * ENGINE_PACKET);
	COUNTED(error, engine_seal(f->engine, &f->keys, 1, f->packets, count));
	assert_result(error, has_to_fail, f->packets, count * ENGINE_PACKET);
	if (!has_to_fail)
		assert_sealed_as_the_reference(f, 1, count);
}

static void
do_open(void *context, bool has_to_fail)
{
	struct fixture *f = context;
	size_t good = 77, count = 21;
	enum error error;

	memcpy(f->packets, f->sealed, count * ENGINE_PACKET);
	COUNTED(error, engine_open(f->engine, &f->keys, 1, f->packets, count, &good));
	assert_result(error, has_to_fail, f->packets, count * ENGINE_PACKET);
	assert_int_equal(good, has_to_fail ? 0 : count);
}

static void
a_batch_that_fails_anywhere_is_an_error_and_wiped(void **state)
{
	struct fixture *f = *state;

	fail_each(do_prepare, f, 0); /* ipsec-mb's cannot fail */
	assert_int_equal(engine_prepare(f->engine, &f->keys, f->e, f->h), OK);
	seal(f, 1, 21);
	fail_each(do_seal, f, 2);
	fail_each(do_open, f, 2);
}

/* Setting keys up costs half of a packet, so it is done once while they are among those that were used last. */
static void
keys_that_are_used_again_are_not_set_up_again(void **state)
{
	struct fixture *f = *state;

	run_once(do_seal, f, FUNCTIONS_COUNT, 0);
	assert_int_equal(calls[FAILS_EVP_DigestInit_ex2], 0);
}

int
main(void)
{
	static const struct CMUnitTest once[] = {
	    cmocka_unit_test(without_sha256_there_is_no_hash),
	    cmocka_unit_test(a_hash_that_fails_anywhere_is_an_error_and_no_hash),
	    cmocka_unit_test(a_power_that_fails_anywhere_is_an_error_and_no_number),
	    cmocka_unit_test(a_generator_that_fails_is_an_error_and_no_bytes),
	};
	static const struct CMUnitTest each[] = {
	    SEALING(an_engine_that_cannot_be_made_whole_is_none),
	    SEALING(an_engine_that_gives_a_wrong_answer_is_none),
	    SEALING(keys_that_are_used_again_are_not_set_up_again),
	    SEALING(a_batch_that_fails_anywhere_is_an_error_and_wiped),
	};

	return cmocka_run_group_tests(once, NULL, NULL) + sealing_run(each);
}
