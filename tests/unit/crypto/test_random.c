/* test_random.c: random bytes are there and are not the same twice. What they are worth is the kernel's matter. */
#include "test.h"

#include <openssl/rand.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/random.h"
#include "crypto/traces.h"

/* First of all: libcrypto makes its generator when it is asked for the first bytes. */
static void
without_a_generator_there_is_an_error_and_no_byte(void **state)
{
	static const uint8_t zero[32];
	uint8_t draw[32];

	(void)state;
	memset(draw, 0xaa, sizeof draw);
	assert_int_equal(RAND_set_DRBG_type(NULL, "NO-SUCH-DRBG", NULL, NULL, NULL), 1);
	assert_int_equal(random_bytes(draw, sizeof draw), ERROR_RANDOM);
	assert_memory_equal(draw, zero, sizeof zero);
	assert_int_equal(RAND_set_DRBG_type(NULL, "CTR-DRBG", NULL, "AES-256-CTR", NULL), 1);
}

static void
no_two_draws_are_the_same(void **state)
{
	uint8_t draws[64][32];

	(void)state;
	for (size_t i = 0; i < 64; i++) {
		assert_int_equal(random_bytes(draws[i], sizeof draws[i]), OK);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(draws[i], draws[j], sizeof draws[i]);
	}
}

static void
each_byte_asked_for_is_drawn_and_no_other(void **state)
{
	uint8_t seen[80] = {0}, draw[80];

	(void)state;
	for (int round = 0; round < 32; round++) {
		memset(draw, 0, sizeof draw);
		assert_int_equal(random_bytes(draw + 1, sizeof draw - 2), OK);
		for (size_t i = 0; i < sizeof draw; i++)
			seen[i] |= draw[i];
	}
	assert_int_equal(seen[0], 0);
	assert_int_equal(seen[sizeof seen - 1], 0);
	for (size_t i = 1; i < sizeof seen - 1; i++)
		assert_true(seen[i] != 0);
}

static void
what_was_drawn_stays_with_its_owner_alone(void **state)
{
	uint8_t draw[64];

	(void)state;
	if (!traces_can_be_looked_for())
		skip();
	assert_int_equal(random_bytes(draw, sizeof draw), OK);
	traces_start();
	traces_remember(draw, sizeof draw);
	assert_int_equal(traces_found(), sizeof draw / 16);
	bytes_wipe(draw, sizeof draw);
	assert_int_equal(traces_found(), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_generator_there_is_an_error_and_no_byte),
	    cmocka_unit_test(no_two_draws_are_the_same),
	    cmocka_unit_test(what_was_drawn_stays_with_its_owner_alone),
	    cmocka_unit_test(each_byte_asked_for_is_drawn_and_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
