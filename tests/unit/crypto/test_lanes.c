/*
 * test_lanes.c: which way ipsec-mb's backend sends a batch, by what each way seems to take. The linker puts a clock of
 * the test's in place of the system's, and the library's managers tell what they are given.
 */
#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#include <string.h>
#include <time.h>

#include "crypto/sealing.h"

enum { ROUNDS = 8, BURSTS_MAX = 16 };

/* What 16 packets take, in nanoseconds; the first time, with nothing in the caches, it is ten times that. */
static long narrow_takes, wide_takes;
static struct timespec fake_now;
static submit_hash_burst_t real_narrow, real_wide;
static unsigned narrow_calls, wide_calls;
static uint32_t narrow[BURSTS_MAX + 1], wide[BURSTS_MAX + 1]; /* bursts of one batch, and a 0 */

int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
void __real_init_mb_mgr_sse(IMB_MGR *manager);
void __wrap_init_mb_mgr_sse(IMB_MGR *manager);
void __real_init_mb_mgr_avx512(IMB_MGR *manager);
void __wrap_init_mb_mgr_avx512(IMB_MGR *manager);

int
__wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	(void)clock;
	*now = fake_now;
	return 0;
}

static void
pass(long nanoseconds)
{
	fake_now.tv_nsec += nanoseconds;
	fake_now.tv_sec += fake_now.tv_nsec / 1000000000;
	fake_now.tv_nsec %= 1000000000;
}

/* A burst; its keys stand where no load of a vector crosses a cache line. */
static void
note(uint32_t bursts[BURSTS_MAX + 1], const IMB_JOB *jobs, uint32_t count)
{
	size_t i = 0;

	assert_int_equal((uintptr_t)jobs->enc_keys % 16, 0);
	assert_int_equal((uintptr_t)jobs->u.HMAC._hashed_auth_key_xor_ipad % 16, 0);
	assert_int_equal((uintptr_t)jobs->u.HMAC._hashed_auth_key_xor_opad % 16, 0);
	for (uint32_t job = 0; job < count; job++)
		assert_non_null(jobs[job].src);
	while (bursts[i] != 0)
		i++;
	if (i < BURSTS_MAX)
		bursts[i] = count;
}

static uint32_t
narrow_burst(IMB_MGR *m, IMB_JOB *jobs, const uint32_t n, const IMB_HASH_ALG h)
{
	pass(narrow_calls++ == 0 ? 10 * narrow_takes : narrow_takes);
	note(narrow, jobs, n);
	return real_narrow(m, jobs, n, h);
}

static uint32_t
wide_burst(IMB_MGR *m, IMB_JOB *jobs, const uint32_t n, const IMB_HASH_ALG h)
{
	pass(wide_calls++ == 0 ? 10 * wide_takes : wide_takes);
	note(wide, jobs, n);
	return real_wide(m, jobs, n, h);
}

void
__wrap_init_mb_mgr_sse(IMB_MGR *manager)
{
	__real_init_mb_mgr_sse(manager);
	real_narrow = manager->submit_hash_burst;
	manager->submit_hash_burst = narrow_burst;
}

void
__wrap_init_mb_mgr_avx512(IMB_MGR *manager)
{
	__real_init_mb_mgr_avx512(manager);
	real_wide = manager->submit_hash_burst;
	manager->submit_hash_burst = wide_burst;
}

static int
start(void **state, long narrow_nanoseconds, long wide_nanoseconds)
{
	narrow_takes = narrow_nanoseconds;
	wide_takes = wide_nanoseconds;
	narrow_calls = wide_calls = 0;
	memset(narrow, 0, sizeof narrow);
	memset(wide, 0, sizeof wide);
	fake_now = (struct timespec){.tv_sec = 7, .tv_nsec = 999999000};
	backend_under_test = ENGINE_IPSEC_MB;
	return sealing_setup(state);
}

/* A batch goes in these bursts of wide lanes, and these of narrow ones, one for each piece at most. */
static void
assert_goes(struct fixture *f, size_t count, const uint32_t *expected_wide, const uint32_t *expected_narrow)
{
	memset(narrow, 0, sizeof narrow);
	memset(wide, 0, sizeof wide);
	seal(f, 1, count);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(wide[i], expected_wide[i]);
		assert_int_equal(narrow[i], expected_narrow[i]);
	}
	assert_sealed_as_the_reference(f, 1, count);
}

#define BURSTS(...) ((const uint32_t[5]){__VA_ARGS__})

static void
wide_lanes_are_taken_where_they_are_filled_enough_to_be_faster(void **state)
{
	struct fixture *f;

	assert_int_equal(start(state, 1000, 500), 0);
	f = *state;
	for (size_t i = 0; i < ROUNDS; i++) { /* both are tried out, filled */
		assert_int_equal(wide[i], 16);
		assert_int_equal(narrow[i], 16);
	}
	assert_int_equal(narrow[ROUNDS], 5); /* then the engine's own test seals 21 packets */
	assert_goes(f, 1, BURSTS(0), BURSTS(1));
	assert_goes(f, 8, BURSTS(0), BURSTS(8));
	assert_goes(f, 9, BURSTS(9), BURSTS(0));
	assert_goes(f, 16, BURSTS(16), BURSTS(0));
	assert_goes(f, 24, BURSTS(16), BURSTS(8));
	assert_goes(f, 25, BURSTS(25), BURSTS(0));
	assert_goes(f, 64, BURSTS(64), BURSTS(0));
	assert_goes(f, 130, BURSTS(64, 64), BURSTS(2));
	sealing_teardown(state);
}

static void
wide_lanes_that_are_hardly_faster_are_not_taken(void **state)
{
	assert_int_equal(start(state, 1000, 899), 0);
	assert_goes(*state, 14, BURSTS(0), BURSTS(14));
	assert_goes(*state, 15, BURSTS(15), BURSTS(0));
	sealing_teardown(state);
	assert_int_equal(start(state, 1000, 900), 0);
	assert_goes(*state, 64, BURSTS(0), BURSTS(64));
	assert_goes(*state, 130, BURSTS(0), BURSTS(64, 64, 2));
	sealing_teardown(state);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wide_lanes_are_taken_where_they_are_filled_enough_to_be_faster),
	    cmocka_unit_test(wide_lanes_that_are_hardly_faster_are_not_taken),
	};

	if (engine_problem(ENGINE_IPSEC_MB) != NULL ||
	    (imb_get_feature_flags() & IMB_CPUFLAGS_AVX512_T2) != IMB_CPUFLAGS_AVX512_T2)
		return 77; /* this processor has one way only */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int
main(void)
{
	return 77;
}
#endif
