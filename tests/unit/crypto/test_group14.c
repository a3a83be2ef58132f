/* test_group14.c: powers against tests/vectors/group14.txt, which Python's integers computed; which y are accepted. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/group14.h"
#include "crypto/traces.h"
#include "crypto/vectors.h"

static const char *vectors_path;
static uint8_t p[GROUP14_SIZE];

/* p, moved by less than 256 up or down. */
static const uint8_t *
p_moved_by(int distance)
{
	static uint8_t moved[GROUP14_SIZE];
	int carry = distance;

	for (size_t i = GROUP14_SIZE; i-- > 0;) {
		int sum = p[i] + carry;

		moved[i] = (uint8_t)(sum & 0xff);
		carry = sum >> 8;
	}
	return moved;
}

static const uint8_t *
small(uint8_t value)
{
	static uint8_t y[GROUP14_SIZE];

	memset(y, 0, sizeof y);
	y[GROUP14_SIZE - 1] = value;
	return y;
}

static void
check_line(const char *line)
{
	char kind[8], words[3][2 * GROUP14_SIZE + 1];
	uint8_t base[GROUP14_SIZE], x[GROUP14_EXPONENT], power[GROUP14_SIZE];
	int fields = sscanf(line, "%7s %512s %512s %512s", kind, words[0], words[1], words[2]);

	if (strcmp(kind, "p") == 0 && fields == 2) {
		from_hex(p, sizeof p, words[0]);
		return;
	}
	if (strcmp(kind, "public") == 0 && fields == 3) {
		from_hex(x, sizeof x, words[0]);
		assert_int_equal(group14_public(x, power), OK);
		assert_hex(power, sizeof power, words[1]);
		return;
	}
	assert_string_equal(kind, "shared");
	assert_int_equal(fields, 4);
	from_hex(base, sizeof base, words[0]);
	from_hex(x, sizeof x, words[1]);
	assert_int_equal(group14_shared(base, x, power), OK);
	assert_hex(power, sizeof power, words[2]);
}

static void
powers_are_those_that_another_implementation_computed(void **state)
{
	FILE *vectors = fopen(vectors_path, "r");
	char line[2048];
	int lines = 0;

	(void)state;
	assert_non_null(vectors);
	for (; fgets(line, sizeof line, vectors) != NULL; lines++) {
		if (line[0] != '#')
			check_line(line);
	}
	(void)fclose(vectors);
	assert_true(lines > 90);
}

static void
both_ends_come_to_the_same_shared_value(void **state)
{
	uint8_t x[2][GROUP14_EXPONENT], y[2][GROUP14_SIZE], shared[2][GROUP14_SIZE];

	(void)state;
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < GROUP14_EXPONENT; i++) {
			x[0][i] = (uint8_t)((unsigned)round * 37 + i * i * 11 + 5);
			x[1][i] = (uint8_t)((unsigned)round * 91 + i * 59 + 77);
		}
		for (int end = 0; end < 2; end++)
			assert_int_equal(group14_public(x[end], y[end]), OK);
		for (int end = 0; end < 2; end++)
			assert_int_equal(group14_shared(y[1 - end], x[end], shared[end]), OK);
		assert_memory_equal(shared[0], shared[1], GROUP14_SIZE);
	}
}

static void
values_that_no_honest_end_sends_are_not_valid(void **state)
{
	uint8_t y[GROUP14_SIZE];

	(void)state;
	assert_false(group14_valid(small(0)));
	for (int distance = -1; distance < 256; distance++)
		assert_false(group14_valid(p_moved_by(distance)));
	memset(y, 0xff, sizeof y);
	assert_false(group14_valid(y));
}

static void
all_others_are_valid(void **state)
{
	uint8_t y[GROUP14_SIZE];

	(void)state;
	assert_true(group14_valid(small(1)));
	assert_true(group14_valid(small(2)));
	for (int distance = -600; distance < -1; distance++)
		assert_true(group14_valid(p_moved_by(distance)));
	/* One lower or higher in one byte of p decides, whichever byte it is. */
	for (size_t i = 0; i < GROUP14_SIZE - 1; i++) {
		memcpy(y, p, sizeof y);
		if (y[i] > 0) {
			y[i]--;
			memset(y + i + 1, 0xff, sizeof y - i - 1);
			assert_true(group14_valid(y));
		}
		memcpy(y, p, sizeof y);
		if (y[i] < 0xff) {
			y[i]++;
			memset(y + i + 1, 0, sizeof y - i - 1);
			assert_false(group14_valid(y));
		}
	}
}

static void
only_one_is_one(void **state)
{
	uint8_t y[GROUP14_SIZE];

	(void)state;
	assert_true(group14_is_one(small(1)));
	assert_false(group14_is_one(small(0)));
	assert_false(group14_is_one(small(2)));
	for (size_t i = 0; i < GROUP14_SIZE - 1; i++) {
		memcpy(y, small(1), sizeof y);
		y[i] = 1;
		assert_false(group14_is_one(y));
	}
}

static void
make_x(uint8_t x[GROUP14_EXPONENT])
{
	for (size_t i = 0; i < GROUP14_EXPONENT; i++)
		x[i] = (uint8_t)(0x9d + 61 * i + i * i);
}

static void
compute(void *remember)
{
	uint8_t x[GROUP14_EXPONENT], y[GROUP14_SIZE], shared[GROUP14_SIZE];

	make_x(x);
	assert_int_equal(group14_public(x, y), OK);
	assert_int_equal(group14_shared(y, x, shared), OK);
	if (remember != NULL) {
		traces_remember(x, sizeof x);
		traces_remember_reversed(x, sizeof x);
		traces_remember(shared, sizeof shared);
		traces_remember_reversed(shared, sizeof shared);
		assert_true(traces_found() >= 2 + sizeof shared / 16);
	}
	bytes_wipe(x, sizeof x);
	bytes_wipe(shared, sizeof shared);
}

static void
neither_exponent_nor_shared_value_stays_in_memory(void **state)
{
	bool remember = true;

	(void)state;
	if (!traces_can_be_looked_for())
		skip();
	traces_start();
	traces_run_deep(compute, &remember);
	traces_run_deep(compute, NULL); /* what the first one left may be overwritten by all that remembering takes */
	assert_int_equal(traces_found(), 0);
}

static void
a_power_before_the_start_is_an_error_and_leaves_zeros(void **state)
{
	static const uint8_t zero[GROUP14_SIZE];
	uint8_t x[GROUP14_EXPONENT] = {7}, y[GROUP14_SIZE];

	(void)state;
	group14_stop();
	memset(y, 0xaa, sizeof y);
	assert_int_equal(group14_public(x, y), ERROR_CRYPTO);
	assert_memory_equal(y, zero, sizeof y);
	memset(y, 0xaa, sizeof y);
	assert_int_equal(group14_shared(small(2), x, y), ERROR_CRYPTO);
	assert_memory_equal(y, zero, sizeof y);
	assert_int_equal(group14_start(), OK);
}

static int
start(void **state)
{
	(void)state;
	return group14_start() == OK ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	group14_stop();
	group14_stop();
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(powers_are_those_that_another_implementation_computed),
	    cmocka_unit_test(both_ends_come_to_the_same_shared_value),
	    cmocka_unit_test(values_that_no_honest_end_sends_are_not_valid),
	    cmocka_unit_test(all_others_are_valid),
	    cmocka_unit_test(only_one_is_one),
	    cmocka_unit_test(neither_exponent_nor_shared_value_stays_in_memory),
	    cmocka_unit_test(a_power_before_the_start_is_an_error_and_leaves_zeros),
	};

	if (argc != 2)
		return 2;
	vectors_path = argv[1];
	return cmocka_run_group_tests(tests, start, stop);
}
