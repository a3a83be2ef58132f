/* test_admission.c: who is let in, waits and goes; and any mix of it against a model that looks at everybody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipe/admission.h"

enum { CAP_MAX = 40, SPREAD = 8192, HASH_KEY = 0x5eed };

struct house {
	struct admission admission;
	void *memory;
};

static void
open_house(struct house *house, uint32_t cap, uint32_t limit)
{
	house->memory = malloc(admission_size(cap));
	assert_non_null(house->memory);
	memset(house->memory, 0xa5, admission_size(cap));
	admission_start(&house->admission, house->memory, cap, limit, HASH_KEY);
}

static void
close_house(struct house *house)
{
	free(house->memory);
}

static struct admission_source
source_of(uint32_t number)
{
	struct admission_source source = {{0}};

	memcpy(source.bytes + 12, &number, sizeof number);
	return source;
}

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

/* The model: everybody in one table, by slot, looked through from end to end each time. */
struct guest {
	bool present, waiting;
	uint32_t source;
	uint64_t since; /* when it came; when it asked, if it waits */
};

struct model {
	struct guest guests[CAP_MAX];
	uint32_t cap, limit, admitted;
	uint64_t clock;
};

static uint32_t
model_count(const struct model *model, bool waiting)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < model->cap; i++)
		count += model->guests[i].present && model->guests[i].waiting == waiting;
	return count;
}

/* How many strangers a source has who do not wait, the newcomer included. */
static uint32_t
model_has(const struct model *model, uint32_t source, uint32_t newcomer)
{
	uint32_t count = source == newcomer;

	for (uint32_t i = 0; i < model->cap; i++)
		count += model->guests[i].present && !model->guests[i].waiting && model->guests[i].source == source;
	return count;
}

/* Whether the one that went was the oldest of a source that had the most. */
static void
assert_fair(const struct model *model, uint32_t evicted, uint32_t newcomer)
{
	const struct guest *gone = &model->guests[evicted];

	assert_true(gone->present && !gone->waiting);
	for (uint32_t i = 0; i < model->cap; i++) {
		const struct guest *other = &model->guests[i];

		if (!other->present || other->waiting)
			continue;
		assert_true(model_has(model, gone->source, newcomer) >= model_has(model, other->source, newcomer));
		if (other->source == gone->source)
			assert_true(other->since >= gone->since);
	}
}

static uint32_t
model_first_waiting(const struct model *model)
{
	uint32_t first = ADMISSION_NONE;

	for (uint32_t i = 0; i < model->cap; i++) {
		const struct guest *guest = &model->guests[i];

		if (!guest->present || !guest->waiting)
			continue;
		if (first == ADMISSION_NONE || guest->since < model->guests[first].since)
			first = i;
	}
	return first;
}

/* A guest picked at random; ADMISSION_NONE if there is none. */
static uint32_t
model_pick(const struct model *model, bool may_wait)
{
	uint32_t start = (uint32_t)rand() % model->cap;

	for (uint32_t i = 0; i < model->cap; i++) {
		uint32_t slot = (start + i) % model->cap;

		if (model->guests[slot].present && (may_wait || !model->guests[slot].waiting))
			return slot;
	}
	return ADMISSION_NONE;
}

static void
step_enter(struct house *house, struct model *model, uint32_t from)
{
	struct admission_source source = source_of(from);
	bool room = model_count(model, true) + model_count(model, false) < model->cap;
	uint32_t evicted, slot = admission_enter(&house->admission, &source, &evicted);

	if (!room && model_count(model, false) == 0) {
		assert_int_equal(slot, ADMISSION_NONE);
		assert_int_equal(evicted, ADMISSION_NONE);
		return;
	}
	assert_true(slot < model->cap);
	assert_true(room == (evicted == ADMISSION_NONE));
	if (!room) {
		assert_fair(model, evicted, from);
		model->guests[evicted].present = false;
	}
	assert_false(model->guests[slot].present);
	model->guests[slot] = (struct guest){.present = true, .source = from, .since = model->clock};
}

static void
step_authenticated(struct house *house, struct model *model)
{
	uint32_t slot = model_pick(model, false);
	bool room = model->limit == 0 || model->admitted < model->limit;

	if (slot == ADMISSION_NONE)
		return;
	assert_true(admission_authenticated(&house->admission, slot) == room);
	model->guests[slot].present = !room;
	model->guests[slot].waiting = true;
	model->guests[slot].since = model->clock;
	model->admitted += room;
}

static void
step_leave(struct house *house, struct model *model)
{
	uint32_t slot = model_pick(model, true);

	if (slot == ADMISSION_NONE)
		return;
	admission_leave(&house->admission, slot);
	model->guests[slot].present = false;
}

static void
step_end(struct house *house, struct model *model)
{
	uint32_t first = model_first_waiting(model);

	if (model->admitted == 0)
		return;
	assert_int_equal(admission_end(&house->admission), first);
	if (first == ADMISSION_NONE) {
		model->admitted--;
		return;
	}
	model->guests[first].present = false;
}

static void
step_evict(struct house *house, struct model *model)
{
	uint32_t slot = admission_evict(&house->admission);

	if (model_count(model, false) == 0) {
		assert_int_equal(slot, ADMISSION_NONE);
		return;
	}
	assert_true(slot < model->cap);
	assert_fair(model, slot, ADMISSION_NONE);
	model->guests[slot].present = false;
}

/* Weights differ from seed to seed, so that some houses are always full and some always empty. */
static void
play(unsigned seed)
{
	struct house house;
	struct model model;
	uint32_t sources, enters, ends;

	srand(seed);
	memset(&model, 0, sizeof model);
	model.cap = 1 + (uint32_t)rand() % CAP_MAX;
	model.limit = (uint32_t)rand() % 6;
	sources = 1 + (uint32_t)rand() % 12;
	enters = 1 + (uint32_t)rand() % 10;
	ends = 1 + (uint32_t)rand() % 4;
	open_house(&house, model.cap, model.limit);
	for (size_t i = 0; i < 2000; i++) {
		uint32_t dice = (uint32_t)rand() % (enters + ends + 5);

		model.clock++;
		if (dice < enters)
			step_enter(&house, &model, (uint32_t)rand() % sources);
		else if (dice < enters + ends)
			step_end(&house, &model);
		else if (dice < enters + ends + 2)
			step_authenticated(&house, &model);
		else if (dice < enters + ends + 4)
			step_leave(&house, &model);
		else
			step_evict(&house, &model);
		assert_int_equal(house.admission.admitted, model.admitted);
		assert_int_equal(house.admission.strangers, model_count(&model, true) + model_count(&model, false));
		assert_true(admission_is_full(&house.admission) == (model.limit > 0 && model.admitted == model.limit));
	}
	close_house(&house);
}

static void
any_mix_of_calls_does_what_a_model_that_looks_at_everybody_does(void **state)
{
	for (unsigned seed = 1; seed <= 300; seed++)
		play(seed);
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
	    cmocka_unit_test(sources_spread_over_the_table),
	    cmocka_unit_test(making_room_takes_from_the_source_that_has_the_most_until_nobody_is_left),
	    cmocka_unit_test(beyond_the_limit_they_wait_and_are_admitted_in_the_order_in_which_they_asked),
	    cmocka_unit_test(one_that_waits_for_room_is_never_evicted),
	    cmocka_unit_test(a_flood_from_one_source_never_costs_another_its_place),
	    cmocka_unit_test(where_all_count_from_the_start_there_is_room_up_to_the_limit),
	    cmocka_unit_test(a_limit_of_0_is_none),
	    cmocka_unit_test(any_mix_of_calls_does_what_a_model_that_looks_at_everybody_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
