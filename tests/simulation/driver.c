/* driver.c: one side of a link: tells its pipe what happens and does as it says, in the order in which net/ would. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { ACTIONS_MOST = 10000, RETRY_MS = 100 };

/* What a pipe may make of an event, as far as the promises need to know. */
static void
keep_account(struct scene *scene, struct side *side, const struct pipe_event *event)
{
	const struct leg *other = &side->legs[event->leg == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN];
	bool progress = event->kind == PIPE_WRITTEN && event->length > 0 && (other->told_hang_up || other->unwritable);

	if (event->kind == PIPE_STOP || (event->kind == PIPE_TIME && scene->now >= pipe_deadline(&side->pipe)))
		side->is_excused = true;
	if (progress || event->kind == PIPE_WRITE_FAILED || event->kind == PIPE_HANGUP)
		side->stalled_at = scene->now;
}

void
side_hear(struct scene *scene, struct side *side, struct pipe_event event)
{
	scene->seen[MARK_EVENTS + (int)event.kind * PIPE_LEGS + (int)event.leg] = 1;
	trace_note(scene, side, tally_event(event.kind), tally_event_leg(event.kind, event.leg), event.length);
	if (event.error != OK)
		trace_note(scene, side, error_word(event.error), -1, event.error);
	keep_account(scene, side, &event);
	pipe_event(&side->pipe, &event, scene->now);
}

/* A leg that is no longer watched, but may hold something to read. */
static bool
read_unwatched(struct scene *scene, struct side *side)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		struct leg *leg = &side->legs[which];

		if (leg->closed || !(leg->hung_up || leg->unwritable) || scene->now < side->retry_at ||
		    (pipe_wants(&side->pipe, (enum pipe_leg)which) & PIPE_WANT_READ) == 0)
			continue;
		return side_read(scene, side, (enum pipe_leg)which);
	}
	return false;
}

bool
side_tell_hang_up(struct scene *scene, struct side *side)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		struct leg *leg = &side->legs[which];

		if (leg->closed || !leg->hung_up || leg->told_hang_up ||
		    (pipe_wants(&side->pipe, (enum pipe_leg)which) & PIPE_WANT_READ) != 0)
			continue;
		leg->told_hang_up = true;
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_HANGUP, .leg = (enum pipe_leg)which});
		return true;
	}
	return false;
}

void
side_check_delivery(struct scene *scene, struct side *side)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		struct leg *leg = &side->legs[which];

		if (!leg->awaiting || !(leg->out->end == leg->out->arrived || leg->hung_up || leg->out->dead))
			continue;
		leg->awaiting = false;
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_DELIVERED, .leg = (enum pipe_leg)which});
	}
}

static bool
next_action(struct side *side, struct pipe_action *action)
{
	memset(action, 0xa5, sizeof *action); /* it has to set all that goes with the action */
	return pipe_next(&side->pipe, action);
}

void
side_settle(struct scene *scene, struct side *side)
{
	struct pipe_action action;
	int actions = 0;

	side->link->quiet_until = 0;
	if (!side->started || side->over)
		return;
	do {
		while (!side->over && next_action(side, &action)) {
			promise(scene, ++actions < ACTIONS_MOST);
			side_do(scene, side, &action);
			if (chance(scene, 500))
				side_check_delivery(scene, side);
		}
	} while (!side->over && (read_unwatched(scene, side) || side_tell_hang_up(scene, side)));
	promise_settled(scene, side);
}

void
side_start(struct scene *scene, struct side *side)
{
	struct link *link = side->link;

	side->started = true;
	memset(&side->pipe, 0xa5, sizeof side->pipe); /* it has to set all that it reads */
	side->started_at = side->stalled_at = scene->now;
	side->legs[side->which == E ? PIPE_PLAIN : PIPE_CIPHER].connected = true;
	trace_note(scene, side, "start", -1, 0);
	pipe_start(
	    &side->pipe, &side->settings, keys_hold(scene, side), scene->engine, link->random[side->which], scene->now);
	side_settle(scene, side);
}

void
side_stop(struct scene *scene, struct side *side, enum error error)
{
	side_hear(scene, side, (struct pipe_event){.kind = PIPE_STOP, .error = error});
	side_settle(scene, side);
}

void
side_admitted(struct scene *scene, struct side *side)
{
	side->admitted = true;
	side_hear(scene, side, (struct pipe_event){.kind = PIPE_ADMITTED});
	side_settle(scene, side);
}

/* Keeps where a packet that is sealed now ends in the plain stream. */
static void
note_packets(struct scene *scene, struct side *side, size_t length)
{
	if (side->packets + packet_count(length) >= side->plain_at_size) {
		side->plain_at_size = 2 * (side->packets + packet_count(length)) + 16;
		side->plain_at = realloc(side->plain_at, side->plain_at_size * sizeof *side->plain_at);
		if (side->plain_at == NULL)
			abort();
	}
	side->plain_at[0] = 0;
	while (length > 0) {
		size_t n = length < WIRE_PLAIN_MAX ? length : WIRE_PLAIN_MAX;

		side->plain_at[side->packets + 1] = side->plain_at[side->packets] + (uint32_t)n;
		side->packets++;
		length -= n;
	}
}

/* What the kernel would say to a read of `most` bytes; *length: how many they are. */
static enum pipe_event_kind
ask_kernel(struct scene *scene, struct leg *leg, size_t most, size_t *length)
{
	*length = flow_ready(leg->in);
	if (*length == 0 && leg->in->broken) {
		leg->unreadable = true;
		/* a write that failed has taken the error with it */
		return leg->unwritable && chance(scene, 500) ? PIPE_END : PIPE_READ_FAILED;
	}
	if (*length == 0 && leg->in->fin_arrived) {
		leg->fin_read = true;
		return PIPE_END;
	}
	if (!leg->hung_up && !leg->unwritable && chance(scene, scene->shortness / 4))
		*length = 0;
	if (*length == 0)
		happens(scene, HAPPENS_READ_EAGAIN);
	*length = *length < most ? *length : most;
	if (*length > 1 && chance(scene, scene->shortness)) {
		*length = 1 + (size_t)draw(scene, *length - 1);
		happens(scene, HAPPENS_SHORT_READ);
	}
	return PIPE_READ;
}

static void
fetch(struct scene *scene, struct side *side, enum pipe_leg which, size_t offset, size_t length)
{
	struct leg *leg = &side->legs[which];

	flow_take(leg->in, scene->in + offset, length);
	if (which == PIPE_CIPHER && leg->read < HANDSHAKE)
		memcpy(side->heard + leg->read, scene->in + offset, length);
	leg->read += length;
	if (which == PIPE_PLAIN && length > 0)
		note_packets(scene, side, length);
}

bool
side_read(struct scene *scene, struct side *side, enum pipe_leg which)
{
	struct leg *to = &side->legs[which == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN];
	struct pipe_event event = {.leg = which, .in = scene->in};
	bool pressure = scene->now < scene->pressure_until;
	size_t offset = SIZE_MAX, packets = SIZE_MAX, most, length;

	memset(scene->in, 0xa5, WIRE_PACKET); /* another connection was here */
	most = pipe_read_into(&side->pipe, which, pressure, scene->in, &offset, &packets);
	promise(scene, most > 0 && offset < WIRE_PACKET && offset + most <= PIPE_IN_SIZE);
	promise(scene, packets <= (pressure ? (size_t)PIPE_READ_SMALL : to->most));
	promise(scene, side->opened == (packets > 0));
	if (packets > 0) {
		event.out = buffer_get(scene, side, packets);
		if (event.out == NULL) {
			side->retry_at = scene->now + RETRY_MS;
			side->retries = true;
			return false;
		}
		happens(scene, pressure                    ? HAPPENS_PRESSURE
			       : packets < PIPE_READ_LARGE ? HAPPENS_READ_SMALL
							   : HAPPENS_READ_LARGE);
	}
	event.kind = ask_kernel(scene, &side->legs[which], most, &length);
	if (event.kind == PIPE_READ) {
		fetch(scene, side, which, offset, length);
		event.length = length;
	} else if (event.out != NULL) {
		buffer_put(scene, side, event.out);
		event.out = NULL;
	}
	side_hear(scene, side, event);
	return true;
}
