/* race.c: which address of a target to try next, and when (RFC 8305). */
#include "pipe/race.h"

#include <string.h>

void
race_order(const int *families, size_t count, size_t order[])
{
	size_t rank[RACE_MAX] = {0}, first[RACE_MAX] = {0};

	/* Each one's place among its family, and where that family begins. */
	for (size_t i = 0; i < count; i++) {
		first[i] = i;
		for (size_t j = i; j-- > 0;) {
			if (families[j] != families[i])
				continue;
			rank[i]++;
			first[i] = j;
		}
	}
	for (size_t i = 0; i < count; i++) {
		size_t place = 0;

		for (size_t j = 0; j < count; j++)
			place += rank[j] < rank[i] || (rank[j] == rank[i] && first[j] < first[i]);
		order[place] = i;
	}
}

void
race_start(struct race *race, size_t count, uint64_t timeout, uint64_t now)
{
	memset(race, 0, sizeof *race);
	race->count = count;
	race->timeout = timeout;
	race->next_start = now;
	race->last_error = ERROR_CONNECT;
}

/* Its time is over, or it was refused: the next one need not wait for its turn. */
static void
give_up(struct race *race, size_t index, enum error error, uint64_t now)
{
	race->states[index] = RACE_FAILED;
	race->last_error = error;
	race->next_start = now;
}

/* Gives up one whose deadline has passed; RACE_ABANDON if an attempt of it is under way. */
static enum race_verdict
expire(struct race *race, uint64_t now, size_t *index)
{
	for (size_t i = 0; i < race->count; i++) {
		if (race->states[i] == RACE_RETRYING && now >= race->deadlines[i])
			give_up(race, i, race->last_error, now);
		if (race->states[i] != RACE_TRYING || now < race->deadlines[i])
			continue;
		give_up(race, i, ERROR_CONNECT_TIMEOUT, now);
		race->trying--;
		*index = i;
		return RACE_ABANDON;
	}
	return RACE_WAIT;
}

/* When this one is to be started: never, for one that has been and is not to be tried again. */
static uint64_t
start_time(const struct race *race, size_t index)
{
	if (race->trying >= RACE_AT_ONCE)
		return UINT64_MAX;
	if (race->states[index] == RACE_WAITING)
		return race->next_start;
	if (race->states[index] == RACE_RETRYING)
		return race->retries[index];
	return UINT64_MAX;
}

enum race_verdict
race_next(struct race *race, uint64_t now, size_t *index)
{
	size_t failed = 0;

	if (expire(race, now, index) == RACE_ABANDON)
		return RACE_ABANDON;
	for (size_t i = 0; i < race->count; i++) {
		failed += race->states[i] == RACE_FAILED;
		if (now < start_time(race, i))
			continue;
		if (race->states[i] == RACE_WAITING) {
			race->deadlines[i] = now + race->timeout;
			race->next_start = now + RACE_HEAD_START;
		}
		race->states[i] = RACE_TRYING;
		race->trying++;
		*index = i;
		return RACE_TRY;
	}
	return failed == race->count ? RACE_LOST : RACE_WAIT;
}

void
race_failed(struct race *race, size_t index, enum error error, uint64_t now)
{
	if (race->states[index] != RACE_TRYING)
		return;
	race->trying--;
	if (error != ERROR_DESCRIPTORS && error != ERROR_MEMORY) {
		give_up(race, index, error, now);
		return;
	}
	/* We are short of something, the address is as good as before. The others keep their turn: they would fail too.
	 */
	race->states[index] = RACE_RETRYING;
	race->retries[index] = now + RACE_RETRY;
	race->last_error = error;
}

uint64_t
race_deadline(const struct race *race)
{
	uint64_t deadline = UINT64_MAX;

	for (size_t i = 0; i < race->count; i++) {
		uint64_t start = start_time(race, i);

		if (start < deadline)
			deadline = start;
		if (race->states[i] != RACE_TRYING && race->states[i] != RACE_RETRYING)
			continue;
		if (race->deadlines[i] < deadline)
			deadline = race->deadlines[i];
	}
	return deadline;
}
