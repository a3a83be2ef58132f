/* test_race.c: the order of addresses, the head start, and what failures and deadlines do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipe/race.h"

enum { START = 1000, TIMEOUT = 5000 };

static void
expect_try(struct race *race, uint64_t now, size_t index)
{
	size_t got = RACE_MAX;

	assert_int_equal(race_next(race, now, &got), RACE_TRY);
	assert_int_equal(got, index);
}

static void
expect_abandon(struct race *race, uint64_t now, size_t index)
{
	size_t got = RACE_MAX;

	assert_int_equal(race_next(race, now, &got), RACE_ABANDON);
	assert_int_equal(got, index);
}

/* Nothing to do now, nothing a moment before `until`, and that is when it asks to be asked. */
static void
expect_wait(struct race *race, uint64_t now, uint64_t until)
{
	size_t index;

	assert_int_equal(race_next(race, now, &index), RACE_WAIT);
	assert_int_equal(race_deadline(race), until);
	if (until != UINT64_MAX)
		assert_int_equal(race_next(race, until - 1, &index), RACE_WAIT);
}

static void
expect_lost(struct race *race, uint64_t now, enum error error)
{
	size_t index;

	assert_int_equal(race_next(race, now, &index), RACE_LOST);
	assert_int_equal(race->last_error, error);
	assert_int_equal(race_deadline(race), UINT64_MAX);
}

static void
expect_order(const char *families, const char *expected)
{
	int numbers[RACE_MAX] = {0};
	size_t order[RACE_MAX], count = strlen(families);

	for (size_t i = 0; i < count; i++)
		numbers[i] = families[i];
	race_order(numbers, count, order);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(order[i], expected[i] - 'a');
}

static void
families_take_turns_and_each_keeps_its_own_order(void **state)
{
	expect_order("6", "a");
	expect_order("44", "ab");
	expect_order("6644", "acbd");
	expect_order("6446", "abdc");
	expect_order("4666644", "abfcgde");
	expect_order("123123", "abcdef");
	expect_order("33211", "acdbe");
}

static void
an_order_has_each_address_once(void **state)
{
	srand(1);
	for (size_t round = 0; round < 1000; round++) {
		size_t count = 1 + (size_t)rand() % RACE_MAX, order[RACE_MAX];
		int families[RACE_MAX], seen[RACE_MAX] = {0};

		memset(order, 0xff, sizeof order);
		for (size_t i = 0; i < count; i++)
			families[i] = rand() % 4;
		race_order(families, count, order);
		for (size_t i = 0; i < count; i++) {
			assert_true(order[i] < count);
			assert_int_equal(seen[order[i]]++, 0);
		}
		assert_int_equal(order[0], 0);
	}
}

static void
the_first_address_is_tried_at_once_and_each_next_one_after_a_head_start(void **state)
{
	struct race race;

	race_start(&race, 3, TIMEOUT, START);
	assert_int_equal(race_deadline(&race), START);
	expect_try(&race, START, 0);
	expect_wait(&race, START, START + RACE_HEAD_START);
	expect_try(&race, START + RACE_HEAD_START, 1);
	expect_wait(&race, START + RACE_HEAD_START, START + 2 * RACE_HEAD_START);
	expect_try(&race, START + 2 * RACE_HEAD_START, 2);
	expect_wait(&race, START + 2 * RACE_HEAD_START, START + TIMEOUT);
}

static void
when_one_fails_the_next_starts_at_once(void **state)
{
	struct race race;

	race_start(&race, 3, TIMEOUT, START);
	expect_try(&race, START, 0);
	race_failed(&race, 0, ERROR_CONNECT, START + 10);
	expect_try(&race, START + 10, 1);
	expect_wait(&race, START + 10, START + 10 + RACE_HEAD_START);
	race_failed(&race, 1, ERROR_CONNECT, START + 20);
	expect_try(&race, START + 20, 2);
	race_failed(&race, 2, ERROR_CONNECT, START + 30);
	expect_lost(&race, START + 30, ERROR_CONNECT);
}

static void
no_more_than_a_few_are_under_way_at_once(void **state)
{
	struct race race;
	uint64_t now = START;

	race_start(&race, RACE_AT_ONCE + 2, TIMEOUT, START);
	for (size_t i = 0; i < RACE_AT_ONCE; i++, now += RACE_HEAD_START)
		expect_try(&race, now, i);
	expect_wait(&race, now, START + TIMEOUT);
	race_failed(&race, 2, ERROR_CONNECT, now);
	expect_try(&race, now, RACE_AT_ONCE);
	expect_wait(&race, now + RACE_HEAD_START, START + TIMEOUT);
	expect_abandon(&race, START + TIMEOUT, 0);
	expect_try(&race, START + TIMEOUT, RACE_AT_ONCE + 1);
}

static void
each_address_is_given_up_after_its_own_timeout(void **state)
{
	struct race race;

	race_start(&race, 2, TIMEOUT, START);
	expect_try(&race, START, 0);
	expect_try(&race, START + RACE_HEAD_START, 1);
	expect_wait(&race, START + RACE_HEAD_START, START + TIMEOUT);
	expect_abandon(&race, START + TIMEOUT, 0);
	expect_wait(&race, START + TIMEOUT, START + TIMEOUT + RACE_HEAD_START);
	expect_abandon(&race, START + TIMEOUT + RACE_HEAD_START, 1);
	expect_lost(&race, START + TIMEOUT + RACE_HEAD_START, ERROR_CONNECT_TIMEOUT);
}

static void
with_a_timeout_under_the_head_start_the_next_one_is_tried_when_it_is_over(void **state)
{
	struct race race;

	race_start(&race, 2, 100, START);
	expect_try(&race, START, 0);
	expect_wait(&race, START, START + 100);
	expect_abandon(&race, START + 100, 0);
	expect_try(&race, START + 100, 1);
}

static void
the_last_failure_is_the_one_that_is_told(void **state)
{
	struct race race;

	race_start(&race, 2, TIMEOUT, START);
	expect_try(&race, START, 0);
	expect_try(&race, START + RACE_HEAD_START, 1);
	expect_abandon(&race, START + TIMEOUT, 0);
	race_failed(&race, 1, ERROR_CONNECT, START + TIMEOUT + 1);
	expect_lost(&race, START + TIMEOUT + 1, ERROR_CONNECT);
}

/* Tries address 0 again and again, as long as its error is a shortage of ours. Returns how often. */
static size_t
retry_until_lost(struct race *race, enum error error)
{
	size_t tries = 0, index;

	for (size_t round = 0; round < 1000; round++) {
		uint64_t now = race_deadline(race);

		switch (race_next(race, now, &index)) {
		case RACE_TRY:
			assert_int_equal(index, 0);
			tries++;
			race_failed(race, index, error, now);
			break;
		case RACE_LOST:
			assert_int_equal(now, START + TIMEOUT);
			return tries;
		case RACE_WAIT:
			break;
		case RACE_ABANDON:
			fail();
		}
	}
	fail();
	return 0;
}

static void
a_shortage_of_ours_is_tried_again_until_the_addresss_own_timeout(void **state)
{
	struct race race;
	const enum error shortages[] = {ERROR_DESCRIPTORS, ERROR_MEMORY};

	for (size_t i = 0; i < 2; i++) {
		race_start(&race, 1, TIMEOUT, START);
		assert_int_equal(retry_until_lost(&race, shortages[i]), TIMEOUT / RACE_RETRY);
		expect_lost(&race, START + TIMEOUT, shortages[i]);
	}
}

static void
a_shortage_of_ours_does_not_hurry_the_next_address(void **state)
{
	struct race race;

	race_start(&race, 2, TIMEOUT, START);
	expect_try(&race, START, 0);
	race_failed(&race, 0, ERROR_DESCRIPTORS, START);
	expect_wait(&race, START, START + RACE_RETRY);
	expect_try(&race, START + RACE_RETRY, 0);
	expect_wait(&race, START + RACE_RETRY, START + RACE_HEAD_START);
	expect_try(&race, START + RACE_HEAD_START, 1);
	/* a retry keeps the deadline of the first try */
	expect_wait(&race, START + RACE_HEAD_START, START + TIMEOUT);
	expect_abandon(&race, START + TIMEOUT, 0);
}

static void
one_that_waits_to_be_tried_again_is_not_under_way(void **state)
{
	struct race race;
	uint64_t now = START;

	race_start(&race, RACE_AT_ONCE + 1, TIMEOUT, START);
	for (size_t i = 0; i < RACE_AT_ONCE; i++, now += RACE_HEAD_START)
		expect_try(&race, now, i);
	race_failed(&race, 0, ERROR_MEMORY, now);
	expect_try(&race, now, RACE_AT_ONCE);
	/* as many are under way as may be: the retry waits for one of them */
	expect_wait(&race, now + RACE_RETRY, START + TIMEOUT);
	race_failed(&race, 3, ERROR_CONNECT, now + RACE_RETRY);
	expect_try(&race, now + RACE_RETRY, 0);
}

static void
a_failure_of_one_that_is_not_under_way_is_ignored(void **state)
{
	struct race race;

	race_start(&race, 2, TIMEOUT, START);
	race_failed(&race, 0, ERROR_CONNECT, START);
	expect_try(&race, START, 0);
	race_failed(&race, 1, ERROR_CONNECT, START);
	race_failed(&race, 0, ERROR_CONNECT, START + 1);
	race_failed(&race, 0, ERROR_CONNECT, START + 1);
	expect_try(&race, START + 1, 1);
	assert_int_equal(race.trying, 1);
}

/* What people may rely on: docs and man pages speak of these. */
static void
there_is_room_for_32_addresses_4_are_tried_at_once_and_each_has_a_head_start_of_250_ms(void **state)
{
	struct race race;

	(void)state;
	assert_int_equal(RACE_MAX, 32);
	assert_int_equal(RACE_AT_ONCE, 4);
	assert_int_equal(RACE_HEAD_START, 250);
	assert_int_equal(RACE_RETRY, 100);
	assert_int_equal(sizeof race.deadlines, RACE_MAX * sizeof race.deadlines[0]);
	assert_int_equal(sizeof race.retries, RACE_MAX * sizeof race.retries[0]);
	assert_int_equal(sizeof race.states, RACE_MAX * sizeof race.states[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(there_is_room_for_32_addresses_4_are_tried_at_once_and_each_has_a_head_start_of_250_ms),
	    cmocka_unit_test(families_take_turns_and_each_keeps_its_own_order),
	    cmocka_unit_test(an_order_has_each_address_once),
	    cmocka_unit_test(the_first_address_is_tried_at_once_and_each_next_one_after_a_head_start),
	    cmocka_unit_test(when_one_fails_the_next_starts_at_once),
	    cmocka_unit_test(no_more_than_a_few_are_under_way_at_once),
	    cmocka_unit_test(each_address_is_given_up_after_its_own_timeout),
	    cmocka_unit_test(with_a_timeout_under_the_head_start_the_next_one_is_tried_when_it_is_over),
	    cmocka_unit_test(the_last_failure_is_the_one_that_is_told),
	    cmocka_unit_test(a_shortage_of_ours_is_tried_again_until_the_addresss_own_timeout),
	    cmocka_unit_test(a_shortage_of_ours_does_not_hurry_the_next_address),
	    cmocka_unit_test(one_that_waits_to_be_tried_again_is_not_under_way),
	    cmocka_unit_test(a_failure_of_one_that_is_not_under_way_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
