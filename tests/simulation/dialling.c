/* dialling.c: connects to one of several addresses as race.h decides, and sees that it decides well. */
#include <string.h>

#include "sim.h"

void
dial_start(struct scene *scene, struct side *side)
{
	struct dial *dial = &side->dial;

	promise(scene, !dial->active && !dial->has_begun);
	if (dial->has_no_memory) {
		dial->verdict = ERROR_MEMORY;
		side_hear(scene, side,
		    (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_MEMORY, .leg = side->which == E});
		return;
	}
	dial->active = true;
	dial->began = dial->next_start = scene->now;
}

void
dial_cancel(struct side *side)
{
	side->dial.active = false;
}

uint64_t
dial_latest(const struct scene *scene, const struct dial *dial)
{
	uint64_t rounds = dial->count / RACE_AT_ONCE + 1;

	return dial->began + rounds * (scene->timeout + (uint64_t)RACE_AT_ONCE * RACE_HEAD_START);
}

uint64_t
dial_time(const struct side *side)
{
	const struct dial *dial = &side->dial;
	uint64_t at;

	if (!dial->active)
		return NEVER;
	if (!dial->has_begun)
		return dial->began;
	at = race_deadline(&dial->race);
	for (size_t i = 0; i < dial->count; i++)
		if (dial->addresses[i].is_under_way && dial->addresses[i].answer_at < at)
			at = dial->addresses[i].answer_at;
	return at;
}

/* Each was tried, and either it failed or its time is over. */
static bool
has_had_its_chance(const struct scene *scene, const struct dial *dial, size_t index)
{
	return dial->addresses[index].has_failed ||
	       (dial->addresses[index].has_started && !dial->addresses[index].is_under_way &&
		   scene->now >= dial->addresses[index].started_at + scene->timeout);
}

static void
lost(struct scene *scene, struct side *side, enum error error)
{
	struct dial *dial = &side->dial;

	for (size_t i = 0; i < dial->count; i++)
		promise(scene, has_had_its_chance(scene, dial, i));
	promise(scene, error == (dial->count == 0 ? ERROR_LOOKUP : dial->last_error));
	dial->active = false;
	dial->verdict = error;
	side_hear(scene, side, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = error, .leg = side->which == E});
}

static void
won(struct scene *scene, struct side *side, size_t index)
{
	struct leg *leg = &side->legs[side->which == E ? PIPE_CIPHER : PIPE_PLAIN];

	if (index > 0)
		happens(scene, HAPPENS_SECOND_ADDRESS);
	side->dial.active = false;
	leg->connected = true;
	side->dialled_at = scene->now;
	if (side->which == D) {
		side->link->target.there = true;
		side->link->target.say_at += scene->now;
	}
	side_hear(scene, side, (struct pipe_event){.kind = PIPE_DIALLED, .leg = side->which == E});
}

static void
failed(struct scene *scene, struct dial *dial, size_t index, enum error error)
{
	dial->addresses[index].is_under_way = false;
	dial->under_way_count--;
	dial->last_error = error;
	if (error == ERROR_CONNECT) {
		dial->addresses[index].has_failed = true;
		dial->next_start = scene->now;
		happens(scene, HAPPENS_ADDRESS_REFUSED);
	} else {
		dial->addresses[index].retry_at = scene->now + RACE_RETRY;
		happens(scene, HAPPENS_ADDRESS_SHORT);
	}
	race_failed(&dial->race, index, error, scene->now);
}

static void
try(struct scene *scene, struct side *side, size_t index)
{
	struct dial *dial = &side->dial;
	enum fate fate = dial->addresses[index].fate;
	bool may_start = scene->now >= dial->next_start;

	promise(
	    scene, index < dial->count && !dial->addresses[index].is_under_way && !dial->addresses[index].has_failed);
	if (!dial->addresses[index].has_started) {
		for (size_t i = 0; i < dial->count && !may_start; i++)
			may_start = !dial->addresses[i].has_failed && has_had_its_chance(scene, dial, i);
		promise(scene, may_start);
		dial->next_start = scene->now + RACE_HEAD_START;
		dial->addresses[index].started_at = scene->now;
		dial->addresses[index].has_started = true;
	} else {
		promise(scene, scene->now >= dial->addresses[index].retry_at);
		promise(scene, scene->now <= dial->addresses[index].started_at + scene->timeout + side->late);
	}
	dial->addresses[index].is_under_way = true;
	promise(scene, ++dial->under_way_count <= RACE_AT_ONCE);
	trace_note(scene, side, "try address", side->which == E, index);
	if ((fate == NO_DESCRIPTORS || fate == NO_MEMORY) && scene->now < dial->short_until)
		failed(scene, dial, index, fate == NO_MEMORY ? ERROR_MEMORY : ERROR_DESCRIPTORS);
	else
		dial->addresses[index].answer_at = fate == SILENT ? NEVER : scene->now + dial->addresses[index].delay;
}

/* The answer that is due, if any: true if the dial is over by it. */
static bool
take_answer(struct scene *scene, struct side *side)
{
	struct dial *dial = &side->dial;

	for (size_t i = 0; i < dial->count; i++) {
		if (!dial->addresses[i].is_under_way || dial->addresses[i].answer_at > scene->now)
			continue;
		if (dial->addresses[i].fate != REFUSES &&
		    (side->which == D || daemon_connect(scene, &scene->daemons[D], side->link))) {
			won(scene, side, i);
			return true;
		}
		side->link->is_harmed |= dial->addresses[i].fate != REFUSES;
		failed(scene, dial, i, ERROR_CONNECT);
		return false;
	}
	return false;
}

void
dial_happen(struct scene *scene, struct side *side)
{
	struct dial *dial = &side->dial;
	enum race_verdict verdict;
	size_t index = 0, turns = 0;

	if (!dial->has_begun) {
		dial->has_begun = true;
		if (dial->count == 0) {
			lost(scene, side, ERROR_LOOKUP);
			return;
		}
		memset(&dial->race, 0xa5, sizeof dial->race); /* it has to set all that it reads */
		race_start(&dial->race, dial->count, scene->timeout, scene->now);
	} else if (take_answer(scene, side)) {
		return;
	}
	while ((verdict = race_next(&dial->race, scene->now, &index)) != RACE_WAIT) {
		promise(scene, ++turns < 1000);
		if (verdict == RACE_LOST) {
			lost(scene, side, dial->race.last_error);
			return;
		}
		if (verdict == RACE_TRY) {
			try(scene, side, index);
			continue;
		}
		promise(scene, index < dial->count && dial->addresses[index].is_under_way);
		promise(scene, scene->now >= dial->addresses[index].started_at + scene->timeout);
		dial->addresses[index].is_under_way = false;
		dial->addresses[index].has_failed = true;
		dial->last_error = ERROR_CONNECT_TIMEOUT;
		dial->under_way_count--;
		dial->next_start = scene->now;
		happens(scene, HAPPENS_ADDRESS_SILENT);
	}
	/* whose turn it is waits for nothing */
	for (size_t i = 0; i < dial->count; i++)
		promise(scene, dial->addresses[i].has_started || dial->under_way_count == RACE_AT_ONCE ||
				   scene->now < dial->next_start);
}
