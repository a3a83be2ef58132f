/* test_admission.c: who is let in, who waits and who goes. */
#include "house.h"

enum { SPREAD = 8192 };

/* Somebody from a source comes in, and nobody has to go for it. */
static uint32_t
enter(struct house *house, uint32_t from)
{
	struct admission_source source = source_of(from);
	uint32_t evicted, slot = admission_enter(&house->admission, &source, &evicted);

	assert_int_not_equal(slot, ADMISSION_NONE);
	assert_int_equal(evicted, ADMISSION_NONE);
	return slot;
}

/* Somebody from a source comes in for another, who is named. */
static uint32_t
enter_instead(struct house *house, uint32_t from)
{
	struct admission_source source = source_of(from);
	uint32_t evicted, slot = admission_enter(&house->admission, &source, &evicted);

	assert_int_not_equal(evicted, ADMISSION_NONE);
	assert_int_equal(slot, evicted);
	return evicted;
}

static void
over_the_cap_the_oldest_of_the_source_that_has_the_most_goes(void **state)
{
	struct house house;
	uint32_t honest, flood[3];

	open_house(&house, 4, 0);
	honest = enter(&house, 1);
	for (size_t i = 0; i < 3; i++)
		flood[i] = enter(&house, 2);
	assert_int_equal(enter_instead(&house, 3), flood[0]);
	assert_int_equal(enter_instead(&house, 2), flood[1]);
	assert_int_equal(house.admission.strangers, 4);
	assert_true(admission_authenticated(&house.admission, honest));
	close_house(&house);
}

static void
the_newcomer_counts_with_its_source(void **state)
{
	struct house house;
	uint32_t other[2], mine[2];

	open_house(&house, 4, 0);
	other[0] = enter(&house, 1);
	other[1] = enter(&house, 1);
	mine[0] = enter(&house, 2);
	mine[1] = enter(&house, 2);
	/* two and two; with the newcomer its source would have three */
	assert_int_equal(enter_instead(&house, 2), mine[0]);
	assert_int_equal(enter_instead(&house, 2), mine[1]);
	assert_int_not_equal(other[0], other[1]);
	close_house(&house);
}

static void
strangers_from_everywhere_go_in_the_order_in_which_they_came(void **state)
{
	struct house house;
	uint32_t slots[8];

	open_house(&house, 8, 0);
	for (uint32_t i = 0; i < 8; i++)
		slots[i] = enter(&house, i);
	for (uint32_t i = 0; i < 8; i++)
		assert_int_equal(enter_instead(&house, 100 + i), slots[i]);
	close_house(&house);
}

static void
one_that_leaves_changes_nothing_about_whose_turn_it_is(void **state)
{
	struct house house;
	uint32_t slots[4];

	open_house(&house, 4, 0);
	for (uint32_t i = 0; i < 4; i++)
		slots[i] = enter(&house, i);
	admission_leave(&house.admission, slots[2]);
	assert_int_equal(admission_evict(&house.admission), slots[0]);
	assert_int_equal(admission_evict(&house.admission), slots[1]);
	assert_int_equal(admission_evict(&house.admission), slots[3]);
	close_house(&house);
}

static void
it_takes_as_much_memory_as_it_says_and_has_a_table_of_a_power_of_two(void **state)
{
	const uint32_t caps[] = {1, 2, 3, 4, 5, 1000}, sizes[] = {1, 2, 4, 4, 8, 1024};
	struct house house;

	(void)state;
	for (size_t i = 0; i < sizeof caps / sizeof caps[0]; i++) {
		open_house(&house, caps[i], 0);
		assert_int_equal(house.admission.hash_size, sizes[i]);
		assert_ptr_equal(house.admission.by_hash + sizes[i], (uint8_t *)house.memory + admission_size(caps[i]));
		close_house(&house);
	}
}

static void
sources_spread_over_the_table(void **state)
{
	struct house house;

	open_house(&house, SPREAD, 0);
	for (uint32_t i = 0; i < SPREAD; i++)
		enter(&house, i);
	for (uint32_t i = 0; i < house.admission.hash_size; i++) {
		uint32_t length = 0;

		for (uint32_t at = house.admission.by_hash[i]; at != ADMISSION_NONE; length++)
			at = house.admission.buckets[at].chain;
		assert_true(length < 12);
	}
	close_house(&house);
}

/* Computed by another program from the key of open_house; the bytes of each half are the same either way round. */
static void
a_source_stands_where_the_keyed_mixing_of_splitmix64_puts_it(void **state)
{
	struct house house;
	struct admission_source source;
	uint32_t evicted;

	(void)state;
	open_house(&house, 1 << 16, 0);
	memset(source.bytes, 0x2b, 8);
	memset(source.bytes + 8, 0x91, 8);
	admission_enter(&house.admission, &source, &evicted);
	assert_int_not_equal(house.admission.by_hash[0xc52a], ADMISSION_NONE);
	close_house(&house);
}

static void
with_room_for_one_the_newcomer_takes_the_place(void **state)
{
	struct house house;
	uint32_t slot;

	open_house(&house, 1, 0);
	slot = enter(&house, 1);
	assert_int_equal(enter_instead(&house, 2), slot);
	assert_int_equal(enter_instead(&house, 2), slot);
	assert_int_equal(house.admission.strangers, 1);
	close_house(&house);
}

static void
making_room_takes_from_the_source_that_has_the_most_until_nobody_is_left(void **state)
{
	struct house house;
	uint32_t a, b, c;

	open_house(&house, 8, 0);
	a = enter(&house, 1);
	b = enter(&house, 2);
	c = enter(&house, 2);
	assert_int_equal(admission_evict(&house.admission), b);
	assert_int_equal(admission_evict(&house.admission), a);
	assert_int_equal(admission_evict(&house.admission), c);
	assert_int_equal(admission_evict(&house.admission), ADMISSION_NONE);
	assert_int_equal(house.admission.strangers, 0);
	close_house(&house);
}

static void
beyond_the_limit_they_wait_and_are_admitted_in_the_order_in_which_they_asked(void **state)
{
	struct house house;
	uint32_t first, second, third, fourth;

	open_house(&house, 8, 1);
	first = enter(&house, 1);
	second = enter(&house, 2);
	third = enter(&house, 2);
	fourth = enter(&house, 1);
	assert_true(admission_authenticated(&house.admission, first));
	assert_true(admission_is_full(&house.admission));
	assert_false(admission_authenticated(&house.admission, third));
	assert_false(admission_authenticated(&house.admission, second));
	assert_false(admission_authenticated(&house.admission, fourth));
	admission_leave(&house.admission, second); /* its -o has passed */
	assert_int_equal(admission_end(&house.admission), third);
	assert_int_equal(house.admission.admitted, 1);
	assert_int_equal(admission_end(&house.admission), fourth);
	assert_int_equal(admission_end(&house.admission), ADMISSION_NONE);
	assert_int_equal(house.admission.admitted, 0);
	assert_int_equal(house.admission.strangers, 0);
	assert_false(admission_is_full(&house.admission));
	close_house(&house);
}

static void
one_that_waits_for_room_is_never_evicted(void **state)
{
	struct house house;
	struct admission_source stranger = source_of(9);
	uint32_t admitted, evicted, waiting[2], newcomer;

	open_house(&house, 3, 1);
	admitted = enter(&house, 1);
	assert_true(admission_authenticated(&house.admission, admitted));
	waiting[0] = enter(&house, 1);
	waiting[1] = enter(&house, 1);
	assert_false(admission_authenticated(&house.admission, waiting[0]));
	assert_false(admission_authenticated(&house.admission, waiting[1]));
	newcomer = enter(&house, 2);
	assert_int_equal(enter_instead(&house, 9), newcomer);
	assert_false(admission_authenticated(&house.admission, newcomer));
	assert_int_equal(admission_enter(&house.admission, &stranger, &evicted), ADMISSION_NONE);
	assert_int_equal(evicted, ADMISSION_NONE);
	assert_int_equal(admission_evict(&house.admission), ADMISSION_NONE);
	assert_int_equal(admission_end(&house.admission), waiting[0]);
	enter(&house, 9);
	close_house(&house);
}

static void
a_flood_from_one_source_never_costs_another_its_place(void **state)
{
	struct house house;
	struct admission_source flood = source_of(666);
	uint32_t honest[4], evicted;

	open_house(&house, 16, 0);
	for (uint32_t i = 0; i < 4; i++)
		honest[i] = enter(&house, i);
	for (uint32_t i = 0; i < 20000; i++) {
		admission_enter(&house.admission, &flood, &evicted);
		for (uint32_t j = 0; j < 4; j++)
			assert_int_not_equal(evicted, honest[j]);
	}
	for (uint32_t i = 0; i < 4; i++)
		assert_true(admission_authenticated(&house.admission, honest[i]));
	close_house(&house);
}

static void
where_all_count_from_the_start_there_is_room_up_to_the_limit(void **state)
{
	struct house house;

	open_house(&house, 1, 2);
	assert_true(admission_take(&house.admission));
	assert_false(admission_is_full(&house.admission));
	assert_true(admission_take(&house.admission));
	assert_true(admission_is_full(&house.admission));
	assert_false(admission_take(&house.admission));
	assert_int_equal(admission_end(&house.admission), ADMISSION_NONE);
	assert_true(admission_take(&house.admission));
	close_house(&house);
}

static void
a_limit_of_0_is_none(void **state)
{
	struct house house;

	open_house(&house, 1, 0);
	for (size_t i = 0; i < 1000; i++)
		assert_true(admission_take(&house.admission));
	assert_false(admission_is_full(&house.admission));
	close_house(&house);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(over_the_cap_the_oldest_of_the_source_that_has_the_most_goes),
	    cmocka_unit_test(the_newcomer_counts_with_its_source),
	    cmocka_unit_test(strangers_from_everywhere_go_in_the_order_in_which_they_came),
	    cmocka_unit_test(with_room_for_one_the_newcomer_takes_the_place),
	    cmocka_unit_test(one_that_leaves_changes_nothing_about_whose_turn_it_is),
	    cmocka_unit_test(it_takes_as_much_memory_as_it_says_and_has_a_table_of_a_power_of_two),
	    cmocka_unit_test(sources_spread_over_the_table),
	    cmocka_unit_test(a_source_stands_where_the_keyed_mixing_of_splitmix64_puts_it),
	    cmocka_unit_test(making_room_takes_from_the_source_that_has_the_most_until_nobody_is_left),
	    cmocka_unit_test(beyond_the_limit_they_wait_and_are_admitted_in_the_order_in_which_they_asked),
	    cmocka_unit_test(one_that_waits_for_room_is_never_evicted),
	    cmocka_unit_test(a_flood_from_one_source_never_costs_another_its_place),
	    cmocka_unit_test(where_all_count_from_the_start_there_is_room_up_to_the_limit),
	    cmocka_unit_test(a_limit_of_0_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
