/* action.c: does what a pipe says, with simulated sockets, and keeps the driver's buffers. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { GUARD = 32, GUARD_BYTE = 0x3c, IDLE_SMALL, IDLE_LARGE };

/* A pipe's buffer, with guarded bytes behind what the pipe may use. */
struct guarded {
	struct pipe_buffer buffer; /* first */
	struct guarded *next;
	bool is_large;
};

static struct pipe_buffer **
idle_of(struct scene *scene, bool is_large)
{
	return &scene->idle[is_large ? 1 : 0];
}

struct pipe_buffer *
buffer_get(struct scene *scene, struct side *side, size_t packets)
{
	bool is_large = packets > PIPE_READ_SMALL;
	struct pipe_buffer **idle = idle_of(scene, is_large);
	struct guarded *guarded = (struct guarded *)*idle;
	size_t place = 0;

	if (scene->now >= scene->no_buffer_from && scene->now < scene->no_buffer_until) {
		happens(scene, HAPPENS_NO_BUFFER);
		trace_note(scene, side, "no buffer", -1, packets);
		return NULL;
	}
	if (guarded == NULL) {
		guarded = calloc(1, sizeof *guarded);
		if (guarded == NULL)
			abort();
		guarded->is_large = is_large;
		guarded->buffer.bytes =
		    malloc((is_large ? PIPE_READ_LARGE : PIPE_READ_SMALL) * PIPE_OUT_PER_PACKET + GUARD);
		if (guarded->buffer.bytes == NULL)
			abort();
	} else {
		*idle = (struct pipe_buffer *)guarded->next;
	}
	guarded->buffer.size = packets * PIPE_OUT_PER_PACKET;
	memset(guarded->buffer.bytes + guarded->buffer.size, GUARD_BYTE, GUARD);
	while (place < PIPE_RELEASES && side->held[place] != NULL)
		place++;
	promise(scene, place < PIPE_RELEASES);
	side->held[place] = &guarded->buffer;
	scene->handed_out++;
	return &guarded->buffer;
}

void
buffer_put(struct scene *scene, struct side *side, struct pipe_buffer *buffer)
{
	struct guarded *guarded = (struct guarded *)buffer;
	size_t place = 0;

	while (place < PIPE_RELEASES && side->held[place] != buffer)
		place++;
	promise(scene, buffer != NULL && place < PIPE_RELEASES);
	side->held[place] = NULL;
	for (size_t i = 0; i < GUARD; i++)
		promise(scene, buffer->bytes[buffer->size + i] == GUARD_BYTE);
	guarded->next = (struct guarded *)*idle_of(scene, guarded->is_large);
	*idle_of(scene, guarded->is_large) = buffer;
	scene->handed_out--;
}

void
buffer_free_idle(struct scene *scene)
{
	for (int i = 0; i < 2; i++) {
		struct guarded *next;

		for (struct guarded *guarded = (struct guarded *)scene->idle[i]; guarded != NULL; guarded = next) {
			next = guarded->next;
			free(guarded->buffer.bytes);
			free(guarded);
		}
		scene->idle[i] = NULL;
	}
}

/* What comes out of a plain leg is, byte for byte, what the application at the other end wrote. */
static void
check_plain(struct scene *scene, const struct side *side, const uint8_t *bytes, size_t length)
{
	const struct app *from = side->which == E ? &side->link->target : &side->link->client;
	uint64_t at = side->legs[PIPE_PLAIN].wrote;

	promise(scene, side->opened && is_genuine(side->link, side));
	promise(scene, at + length <= from->said);
	promise(scene, memcmp(bytes, from->text + at, length) == 0);
	scene->bytes += length;
}

/* A leg that was full gets small batches, until it takes whole ones again. */
static void
note_batch(struct leg *leg, size_t taken)
{
	if (leg->unwritten > 0)
		leg->most = PIPE_READ_SMALL;
	else if (!leg->was_cut && leg->most < PIPE_READ_LARGE)
		leg->most *= 2;
	leg->was_cut = leg->unwritten > 0 && (leg->was_cut || taken > 0);
}

static bool
is_within(const struct pipe_action *action)
{
	const struct pipe_buffer *buffer = action->buffer;

	return action->bytes >= buffer->bytes && action->bytes + action->length <= buffer->bytes + buffer->size;
}

static void
do_send(struct scene *scene, struct side *side, const struct pipe_action *action)
{
	struct leg *leg = &side->legs[action->leg];
	size_t length = action->length, room = flow_room(leg->out);

	promise(scene, leg->connected && !leg->shut && !leg->closed && !leg->unwritable && length > 0);
	promise(
	    scene, action->buffer != NULL ? is_within(action) : action->leg == PIPE_CIPHER && leg->wrote < HANDSHAKE);
	if (leg->out->dead) {
		leg->unwritable = true;
		leg->unwritten = 0;
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITE_FAILED, .leg = action->leg});
		return;
	}
	length = length < room ? length : room;
	if (chance(scene, scene->shortness / 4))
		length = 0;
	else if (length > 1 && chance(scene, scene->shortness))
		length = 1 + (size_t)draw(scene, length - 1);
	if (length < action->length)
		happens(scene, length == 0 ? HAPPENS_WRITE_FULL : HAPPENS_SHORT_WRITE);
	if (action->leg == PIPE_PLAIN)
		check_plain(scene, side, action->bytes, length);
	else if (leg->wrote < HANDSHAKE) {
		promise(scene, leg->wrote + length <= HANDSHAKE);
		memcpy(side->told + leg->wrote, action->bytes, length);
	}
	flow_put(leg->out, action->bytes, length);
	leg->wrote += length;
	leg->unwritten = action->length - length;
	/* nothing of S5 before there is room */
	if (action->leg == PIPE_CIPHER && side->which == D)
		promise(scene, side->admitted || leg->wrote <= WIRE_NONCE);
	if (action->buffer != NULL)
		note_batch(leg, length);
	side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = action->leg, .length = length});
}

static void
do_shutdown(struct scene *scene, struct side *side, enum pipe_leg which)
{
	struct leg *leg = &side->legs[which], *from = &side->legs[which == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN];

	promise(scene, side->opened && from->fin_read && !from->hung_up && !leg->shut && leg->unwritten == 0);
	if (which == PIPE_PLAIN)
		promise_at_end_shown(scene, side);
	else
		promise(scene, leg->wrote == HANDSHAKE + side->packets * WIRE_PACKET);
	if (which == PIPE_PLAIN && !side->legs[PIPE_PLAIN].fin_read)
		happens(scene, side->which == E ? HAPPENS_TARGET_ENDS_FIRST : HAPPENS_CLIENT_ENDS_FIRST);
	leg->shut = leg->out->fin = true;
}

static void
do_close(struct scene *scene, struct side *side, enum pipe_leg which, bool is_reset)
{
	struct leg *leg = &side->legs[which];

	promise_at_close(scene, side, which, is_reset);
	leg->closed = true;
	leg->awaiting = false;
	/* a UNIX socket has no reset to send: who reads from it has to do with whole packets */
	if (is_reset && leg->out->is_unix) {
		leg->out->is_shorter = true;
		happens(scene, HAPPENS_RESET_WITHOUT);
	}
	flow_close(leg->out, leg->in, is_reset && !leg->out->is_unix);
}

static void
do_over(struct scene *scene, struct side *side)
{
	side->over = true;
	dial_cancel(side);
	side->job_wanted = false;
	promise_at_over(scene, side);
	keys_let_go(side);
	scene->seen[MARK_VERDICTS + pipe_reason(&side->pipe)] = 1;
	daemon_hears_of(scene, side, MAIL_GONE);
}

void
side_do(struct scene *scene, struct side *side, const struct pipe_action *action)
{
	scene->seen[MARK_ACTIONS + (int)action->kind * PIPE_LEGS + (int)action->leg] = 1;
	trace_note(
	    scene, side, tally_action(action->kind), tally_action_leg(action->kind, action->leg), action->length);
	if (action->kind == PIPE_OVER)
		trace_note(scene, side, error_word(pipe_reason(&side->pipe)), -1, (uint64_t)pipe_reason(&side->pipe));
	switch (action->kind) {
	case PIPE_DIAL:
		promise_at_dial(scene, side);
		dial_start(scene, side);
		break;
	case PIPE_ADMIT:
		promise(scene, side->which == D && is_genuine(side->link, side) && !side->admit_asked);
		promise(scene, pipe_key(&side->pipe) == side->expected);
		side->admit_asked = true;
		daemon_hears_of(scene, side, MAIL_PROVED);
		break;
	case PIPE_JOB:
		promise_at_job(scene, side);
		side->job_wanted = true;
		side->job_at = scene->now + setup_delay(scene);
		break;
	case PIPE_OPENED:
		promise_at_opened(scene, side);
		side->opened = true;
		keys_opened(scene, side);
		break;
	case PIPE_SEND:
		do_send(scene, side, action);
		break;
	case PIPE_SHUTDOWN:
		do_shutdown(scene, side, action->leg);
		break;
	case PIPE_AWAIT_DELIVERY:
		promise(scene, side->legs[action->leg].unwritten == 0 && !side->legs[action->leg].awaiting);
		side->legs[action->leg].awaiting = true;
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		do_close(scene, side, action->leg, action->kind == PIPE_RESET);
		break;
	case PIPE_RELEASE:
		buffer_put(scene, side, action->buffer);
		break;
	case PIPE_OVER:
		do_over(scene, side);
		break;
	}
}
