/*
 * ways.c: nothing is ever stuck. From each state two ways are gone to their ends: everybody helps; and nobody does
 * anything any more, but time passes. See scene.h.
 */
#include <string.h>

#include "scene.h"

enum { HELPS_MAX = 200, WAITS_MAX = 12 };

static enum move
on_leg(enum pipe_leg leg, enum move move)
{
	return (enum move)((unsigned)move + (leg == PIPE_CIPHER ? MOVES_OF_LEG : 0u));
}

/* What does the most good; MOVES: nothing can be done. */
static enum move
help(void)
{
	static const enum move first[] = {
	    MOVE_WROTE_ALL, MOVE_SENT_ALREADY, MOVE_DIALLED, MOVE_ADMITTED, MOVE_JOB_TAKEN, MOVE_JOB_DONE};
	static const enum move then[] = {MOVE_DELIVERED, MOVE_WRITABLE, MOVE_READ_UNIT, MOVE_END};

	for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
		if (scene_can(first[i]))
			return first[i];
	for (size_t i = 0; i < sizeof then / sizeof then[0]; i++)
		for (int leg = 0; leg < PIPE_LEGS; leg++)
			if (scene_can(on_leg((enum pipe_leg)leg, then[i])))
				return on_leg((enum pipe_leg)leg, then[i]);
	return MOVES;
}

/*
 * A cut inside a packet that nothing more comes of is no good end, what is left of a broken leg is none either, and a
 * stranger is one before its match shows it.
 */
static bool
can_end_well(void)
{
	bool is_cut = scene.is.part > 0 && scene.is.packets == plot.packets;

	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		const struct side *side = &scene.is.sides[leg];

		if (side->unwritable || side->hung != HUNG_NOT)
			return false;
	}
	return scene.is.blamed == OK && scene.is.claim == OK && !is_cut;
}

static void
with_help(void)
{
	bool ends_well = can_end_well();
	unsigned count = 0;

	while (!scene.is.over && !search_is_broken()) {
		enum move move = help();

		PROMISE(move != MOVES, "stuck: nobody can help it to its end");
		PROMISE(++count < HELPS_MAX, "it never ends, whatever helps");
		if (!search_is_broken())
			scene_make((uint8_t)move);
	}
	PROMISE(!ends_well || pipe_reason(&scene.pipe) == OK, "all went well, and it ended with %s",
	    error_word(pipe_reason(&scene.pipe)));
}

/* What a driver does by itself: it answers, and reads what is known to be broken until that has an end. */
static enum move
driver_must(void)
{
	if (scene_can(MOVE_WROTE_NOTHING))
		return MOVE_WROTE_NOTHING;
	if (scene_can(MOVE_SENT_LATER))
		return MOVE_SENT_LATER;
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		const struct side *side = &scene.is.sides[leg];

		if ((side->hung == HUNG_KNOWN || side->unwritable) &&
		    scene_can(on_leg((enum pipe_leg)leg, MOVE_READ_FAILED)))
			return on_leg((enum pipe_leg)leg, MOVE_READ_FAILED);
	}
	return MOVES;
}

/* Open, whole and idle, which may last for ever; or the target is being dialled, which has a time of its own. */
static bool
may_last(void)
{
	if (scene.is.blamed != OK)
		return false;
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		if (scene.is.sides[leg].unwritable || scene.is.sides[leg].hung != HUNG_NOT)
			return false;
	return scene.is.opened || (scene.is.dial_asked && !scene.is.dial_answered);
}

static void
with_time_alone(void)
{
	for (unsigned count = 0; !scene.is.over && !search_is_broken(); count++) {
		enum move move = driver_must();

		PROMISE(count < WAITS_MAX, "it never ends, however long one waits");
		if (move == MOVES && pipe_deadline(&scene.pipe) == UINT64_MAX) {
			PROMISE(may_last(), "stuck: it waits for something that may never come");
			return;
		}
		if (move == MOVES && pipe_deadline(&scene.pipe) > scene.now + 1)
			scene.now = pipe_deadline(&scene.pipe) - 1;
		if (!search_is_broken())
			scene_make((uint8_t)(move == MOVES ? MOVE_TIME_PASSES : move));
	}
}

void
promise_ways(void)
{
	static struct scene saved;

	memcpy(&saved, &scene, sizeof saved);
	with_time_alone();
	if (search_is_broken())
		return;
	memcpy(&scene, &saved, sizeof saved);
	with_help();
}
