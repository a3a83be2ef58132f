/* racers.c: see racers.h. */
#include "racers.h"

#include <stdio.h>
#include <string.h>

#include "pipe/race.h"

enum { MOVE_REFUSED, MOVE_SHORT = RACERS_MAX, MOVE_TIME = 2 * RACERS_MAX, STEPS_MAX = 200 };

/* One address, by what has happened to it. */
struct racer {
	enum { RACER_NEW, RACER_TRIED, RACER_TO_RETRY, RACER_OUT } state;
	uint64_t due;      /* when its time is over */
	uint64_t retry_at; /* RACER_TO_RETRY */
};

static struct {
	struct race race;
	struct racer racers[RACERS_MAX];
	uint64_t now;
	uint64_t turn; /* from when on the next one may start */
	enum error last_error;
	bool is_lost;
} field;

static struct {
	size_t count;
	uint64_t timeout, tick;
} rules;

void
racers_prepare(size_t count, uint64_t timeout, uint64_t tick)
{
	rules.count = count;
	rules.timeout = timeout;
	rules.tick = tick;
}

static size_t
count_in(unsigned state)
{
	size_t count = 0;

	for (size_t i = 0; i < rules.count; i++)
		count += field.racers[i].state == state;
	return count;
}

/* When an address may be tried (again); UINT64_MAX: never. */
static uint64_t
start_of(size_t index)
{
	const struct racer *racer = &field.racers[index];

	if (count_in(RACER_TRIED) == RACE_AT_ONCE)
		return UINT64_MAX;
	if (racer->state == RACER_NEW)
		return field.turn;
	return racer->state == RACER_TO_RETRY ? racer->retry_at : UINT64_MAX;
}

static void
take_out(size_t index, enum error error)
{
	field.racers[index].state = RACER_OUT;
	field.turn = field.now;
	field.last_error = error;
}

static void
do_try(size_t index)
{
	struct racer *racer = &field.racers[index];

	PROMISE(index < rules.count && field.now >= start_of(index), "address %zu is tried before its turn", index);
	PROMISE(racer->state == RACER_NEW || field.now < racer->due, "address %zu is tried after its time", index);
	for (size_t i = 0; i < index && racer->state == RACER_NEW; i++)
		PROMISE(field.racers[i].state != RACER_NEW, "address %zu is passed over", i);
	if (racer->state == RACER_NEW) {
		racer->due = field.now + rules.timeout;
		field.turn = field.now + RACE_HEAD_START;
	}
	racer->state = RACER_TRIED;
}

static void
do_abandon(size_t index)
{
	PROMISE(index < rules.count && field.racers[index].state == RACER_TRIED && field.now >= field.racers[index].due,
	    "address %zu is given up before its time", index);
	take_out(index, ERROR_CONNECT_TIMEOUT);
}

/* One that waits to be tried again goes without a word when its time is over; the next one need not wait for it. */
static void
see_expired(void)
{
	for (size_t i = 0; i < rules.count; i++)
		if (field.racers[i].state == RACER_TO_RETRY && field.now >= field.racers[i].due)
			take_out(i, field.last_error);
}

static void
promise_standing(void)
{
	uint64_t due = UINT64_MAX, deadline = race_deadline(&field.race);

	PROMISE(field.is_lost == (count_in(RACER_OUT) == rules.count), "it is lost, or not, against what happened");
	PROMISE(count_in(RACER_TRIED) <= RACE_AT_ONCE, "more are tried at once than may be");
	if (field.is_lost) {
		PROMISE(field.race.last_error == field.last_error, "it is lost by %s, and not %s",
		    error_word(field.race.last_error), error_word(field.last_error));
		return;
	}
	for (size_t i = 0; i < rules.count; i++) {
		const struct racer *racer = &field.racers[i];

		if (start_of(i) < due)
			due = start_of(i);
		if ((racer->state == RACER_TRIED || racer->state == RACER_TO_RETRY) && racer->due < due)
			due = racer->due;
	}
	PROMISE(deadline > field.now && deadline == due, "it has to be asked in %lld ms, and says %lld",
	    (long long)(due - field.now), (long long)(deadline - field.now));
}

/* As the header says: asked until there is nothing more. */
static void
settle(void)
{
	enum race_verdict verdict = RACE_TRY;

	for (unsigned steps = 0; verdict == RACE_TRY || verdict == RACE_ABANDON; steps++) {
		size_t index = RACERS_MAX;

		PROMISE(steps < STEPS_MAX, "it wants to do ever more");
		verdict = race_next(&field.race, field.now, &index);
		see_expired();
		if (verdict == RACE_TRY && !search_is_broken())
			do_try(index);
		else if (verdict == RACE_ABANDON)
			do_abandon(index);
		if (search_is_broken())
			return;
	}
	field.is_lost = verdict == RACE_LOST;
	promise_standing();
}

static size_t
moves(uint8_t moves[SEARCH_MOVES])
{
	size_t count = 0;

	for (size_t i = 0; i < rules.count; i++) {
		if (field.racers[i].state != RACER_TRIED)
			continue;
		moves[count++] = (uint8_t)(MOVE_REFUSED + i);
		moves[count++] = (uint8_t)(MOVE_SHORT + i);
	}
	if (!field.is_lost)
		moves[count++] = MOVE_TIME;
	return count;
}

static void
make(uint8_t move)
{
	if (move < MOVE_SHORT) {
		take_out(move, ERROR_CONNECT);
		race_failed(&field.race, move, ERROR_CONNECT, field.now);
	} else if (move < MOVE_TIME) {
		size_t index = move - (size_t)MOVE_SHORT;

		field.racers[index].state = RACER_TO_RETRY;
		field.racers[index].retry_at = field.now + RACE_RETRY;
		field.last_error = ERROR_DESCRIPTORS;
		race_failed(&field.race, index, ERROR_DESCRIPTORS, field.now);
	} else {
		field.now = rules.tick > 0 ? field.now + rules.tick : race_deadline(&field.race);
	}
	settle();
}

static void
start(void)
{
	memset(&field, 0, sizeof field);
	field.now = field.turn = 1000;
	field.last_error = ERROR_CONNECT;
	memset(&field.race, 0xa5, sizeof field.race);
	race_start(&field.race, rules.count, rules.timeout, field.now);
	settle();
}

/* Time left, or 0 where it is over or nobody asks for it. */
static uint64_t
left(uint64_t at, bool matters)
{
	return matters && at > field.now ? at - field.now : 0;
}

static uint64_t
digest(void)
{
	static struct race race;
	struct racer racers[RACERS_MAX];
	uint64_t turn = left(field.turn, true);

	memcpy(&race, &field.race, sizeof race);
	memcpy(racers, field.racers, sizeof racers);
	race.next_start = left(race.next_start, true);
	for (size_t i = 0; i < rules.count; i++) {
		bool is_on = racers[i].state == RACER_TRIED || racers[i].state == RACER_TO_RETRY;

		race.deadlines[i] = left(race.deadlines[i], is_on);
		race.retries[i] = left(race.retries[i], racers[i].state == RACER_TO_RETRY);
		racers[i].due = left(racers[i].due, is_on);
		racers[i].retry_at = left(racers[i].retry_at, racers[i].state == RACER_TO_RETRY);
	}
	return search_hash(search_hash(turn + field.last_error, &race, sizeof race), racers, sizeof racers);
}

/* What is not under way (any more) cannot fail; and time alone ends it, before all have had theirs. */
static void
check(void)
{
	uint64_t before = digest(), latest = field.now;

	for (size_t i = 0; i < rules.count; i++)
		if (field.racers[i].state != RACER_TRIED)
			race_failed(&field.race, i, ERROR_CONNECT, field.now);
	PROMISE(digest() == before, "the failure of what is not under way is not ignored");
	latest += rules.count * (rules.timeout + RACE_HEAD_START);
	for (unsigned steps = 0; !field.is_lost && !search_is_broken(); steps++) {
		PROMISE(steps < STEPS_MAX && field.now <= latest, "it never ends, however long one waits");
		field.now = race_deadline(&field.race);
		if (!search_is_broken())
			settle();
	}
}

static void
name(uint8_t move, char *text, size_t size)
{
	if (move < MOVE_SHORT)
		snprintf(text, size, "address %d is refused", move - MOVE_REFUSED);
	else if (move < MOVE_TIME)
		snprintf(text, size, "there is no descriptor for address %d", move - MOVE_SHORT);
	else if (rules.tick > 0)
		snprintf(text, size, "%u ms pass", (unsigned)rules.tick);
	else
		snprintf(text, size, "it is asked when it said");
}

const struct search_model racers_model = {
    .world = &field,
    .size = sizeof field,
    .start = start,
    .moves = moves,
    .make = make,
    .digest = digest,
    .check = check,
    .name = name,
};
