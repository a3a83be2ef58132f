/* test_admission_model.c: any mix of arrivals, proofs and departures, against a model that looks at everybody. */
#include "house.h"

enum { CAP_MAX = 40 };

/* Everybody in one table, by slot, looked through from end to end each time. */
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
	    cmocka_unit_test(any_mix_of_calls_does_what_a_model_that_looks_at_everybody_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
