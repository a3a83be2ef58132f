/* test_bytes.c: big-endian numbers, wiping, comparing. */
#include "test.h"

#include <string.h>

#include "base/bytes.h"

static void
numbers_are_written_with_the_highest_byte_first(void **state)
{
	uint8_t out[8];

	(void)state;
	bytes_put_be32(out, 0x01020304);
	assert_memory_equal(out, "\x01\x02\x03\x04", 4);
	bytes_put_be64(out, UINT64_C(0x0102030405060708));
	assert_memory_equal(out, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
}

static void
numbers_come_back_as_they_were_written(void **state)
{
	static const uint64_t numbers[] = {0, 1, 0x80, 0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(0x100000000),
	    UINT64_C(0x8000000000000000), UINT64_MAX};
	uint8_t out[8];

	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		bytes_put_be64(out, numbers[i]);
		assert_int_equal(bytes_get_be32(out), (uint32_t)(numbers[i] >> 32));
		assert_int_equal(bytes_get_be32(out + 4), (uint32_t)numbers[i]);
		bytes_put_be32(out, (uint32_t)numbers[i]);
		assert_int_equal(bytes_get_be32(out), (uint32_t)numbers[i]);
	}
}

static void
wiping_clears_what_it_was_given_and_nothing_else(void **state)
{
	uint8_t bytes[40], expected[40];

	(void)state;
	for (size_t length = 0; length <= 32; length++) {
		memset(bytes, 0xaa, sizeof bytes);
		memset(expected, 0xaa, sizeof expected);
		memset(expected + 4, 0, length);
		bytes_wipe(bytes + 4, length);
		assert_memory_equal(bytes, expected, sizeof bytes);
	}
	bytes_wipe(NULL, 0);
}

static void
one_bit_anywhere_makes_bytes_differ(void **state)
{
	uint8_t a[40], b[40];

	(void)state;
	for (size_t length = 0; length < sizeof a; length++) {
		memset(a, 0x5a, sizeof a);
		memset(b, 0x5a, sizeof b);
		b[length] ^= 1; /* just behind: must not matter */
		assert_true(bytes_equal(a, b, length));
		for (size_t bit = 0; bit < 8 * length; bit++) {
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_false(bytes_equal(a, b, length));
			b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

static void
what_is_copied_if_wanted_is_all_or_nothing(void **state)
{
	(void)state;
	for (size_t length = 0; length < 40; length++) {
		uint8_t to[41], from[41], before[41];

		for (size_t i = 0; i < sizeof to; i++) {
			to[i] = before[i] = (uint8_t)(3 * i + length);
			from[i] = (uint8_t)(7 * i + 0x85);
		}
		bytes_copy_if(false, to, from, length);
		assert_memory_equal(to, before, sizeof to);
		bytes_copy_if(true, to, from, length);
		assert_memory_equal(to, from, length);
		assert_memory_equal(to + length, before + length, sizeof to - length);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_are_written_with_the_highest_byte_first),
	    cmocka_unit_test(numbers_come_back_as_they_were_written),
	    cmocka_unit_test(wiping_clears_what_it_was_given_and_nothing_else),
	    cmocka_unit_test(one_bit_anywhere_makes_bytes_differ),
	    cmocka_unit_test(what_is_copied_if_wanted_is_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
