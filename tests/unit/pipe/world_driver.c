/* world_driver.c: does as a pipe says and tells it what happens, as net/ does, and checks that it keeps its promises.
 */
#include "world.h"

#include <stdlib.h>

/* The byte that the application beside this end writes at this offset. */
uint8_t
world_byte(int end, uint64_t offset)
{
	return (uint8_t)(((offset + 1) * 2654435761u >> 11) ^ (end == ENCRYPTER ? 0 : 0x5a));
}

static struct end *
peer_of(struct world *world, const struct end *end)
{
	return &world->ends[end == &world->ends[ENCRYPTER] ? DECRYPTER : ENCRYPTER];
}

static enum pipe_leg
other(enum pipe_leg which)
{
	return which == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;
}

/* What must hold whenever an end has done all that it wanted to do. */
static void
check(struct world *world, struct end *end)
{
	unsigned all = 0;
	uint64_t in, out;

	pipe_counts(&end->pipe, &in, &out);
	assert_int_equal(in, end->legs[PIPE_PLAIN].read);
	assert_int_equal(out, end->legs[PIPE_PLAIN].wrote);
	if (pipe_reason(&end->pipe) != OK && end->broken_at == UINT64_MAX)
		end->broken_at = world->now;
	/* keys are gone from the moment at which it ends, however long its legs take to close */
	if (end->broken_at != UINT64_MAX || end->over)
		assert_int_equal(session_wants(&end->pipe.session), SESSION_FAILED);
	if (end->over) {
		struct pipe_action action;

		assert_false(pipe_next(&end->pipe, &action));
		assert_int_equal(pipe_deadline(&end->pipe), UINT64_MAX);
		return;
	}
	for (int which = 0; which < PIPE_LEGS; which++) {
		const struct leg *leg = &end->legs[which], *to = &end->legs[other((enum pipe_leg)which)];
		unsigned wants = pipe_wants(&end->pipe, (enum pipe_leg)which);

		all |= wants;
		assert_true(wants == 0 || (leg->connected && !leg->closed));
		assert_false((wants & PIPE_WANT_WRITE) != 0 && leg->unwritable);
		if ((wants & PIPE_WANT_READ) == 0)
			continue;
		/* back pressure, nothing after an end, and of the cipher leg no more than the handshake */
		assert_false(leg->fin_read || leg->unreadable);
		assert_true(end->opened || (which == PIPE_CIPHER && leg->read < HANDSHAKE));
		assert_true((to->unwritten == 0 && !to->unwritable) || !end->opened);
	}
	/* never stuck, and a broken connection is gone after its -o */
	assert_true(all != 0 || end->dial_asked || pipe_deadline(&end->pipe) != UINT64_MAX);
	if (end->broken_at != UINT64_MAX) {
		assert_true(pipe_deadline(&end->pipe) <= end->broken_at + TIMEOUT);
		assert_true(world->now <= end->broken_at + TIMEOUT);
	}
}

static void
note(struct end *end, char what)
{
	size_t length = strlen(end->did);

	assert_true(length < DID_MAX);
	end->did[length] = what;
}

static void
take_back(struct end *end, struct pipe_buffer *buffer)
{
	for (size_t i = 0; i < PIPE_RELEASES; i++) {
		if (end->held[i] != buffer)
			continue;
		end->held[i] = NULL;
		free(buffer->bytes);
		free(buffer);
		return;
	}
	fail_msg("a buffer came back that the pipe did not have");
}

void
world_hear(struct world *world, struct end *end, struct pipe_event event)
{
	/* At its deadline, or stopped, an end may drop what it would have waited for. */
	if (event.kind == PIPE_STOP || (event.kind == PIPE_TIME && world->now >= pipe_deadline(&end->pipe)))
		end->is_excused = true;
	pipe_event(&end->pipe, &event, world->now);
}

static void
do_send(struct world *world, struct end *end, const struct pipe_action *action)
{
	struct leg *leg = &end->legs[action->leg];
	size_t length = action->length < leg_room(leg) ? action->length : leg_room(leg);

	assert_true(leg->connected && !leg->shut && !leg->closed && !leg->unwritable && action->length > 0);
	assert_true((action->buffer != NULL) == end->opened); /* the handshake's bytes stand in none */
	if (leg->write_fails || leg->out->is_deaf) {
		leg->unwritable = true;
		leg->unwritten = 0;
		world_hear(world, end, (struct pipe_event){.kind = PIPE_WRITE_FAILED, .leg = action->leg});
		return;
	}
	for (size_t i = 0; action->leg == PIPE_PLAIN && i < length; i++)
		if (action->bytes[i] != world_byte(encrypts(end) ? DECRYPTER : ENCRYPTER, leg->wrote + i))
			fail_msg("byte %zu is not what the other side's application wrote", (size_t)leg->wrote + i);
	stream_put(leg->out, action->bytes, length);
	leg->wrote += length;
	leg->unwritten = action->length - length;
	/* nothing of S5 before there is room */
	if (action->leg == PIPE_CIPHER && end->settings.asks_admission)
		assert_true(end->admitted || leg->wrote <= WIRE_NONCE);
	world_hear(world, end, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = action->leg, .length = length});
}

static void
do_shutdown(struct end *end, enum pipe_leg which)
{
	struct leg *leg = &end->legs[which], *from = &end->legs[other(which)];

	assert_true(end->opened && from->fin_read && !from->hung_up && !leg->shut && leg->unwritten == 0);
	if (which == PIPE_PLAIN)
		assert_int_equal((from->read - HANDSHAKE) % WIRE_PACKET, 0);
	leg->shut = leg->out->ended = true;
}

/* A close may look like an end, so it must be one. A reset loses what the kernel has not sent, so nothing may be left.
 */
static void
do_close(struct end *end, enum pipe_leg which, bool is_reset)
{
	struct leg *leg = &end->legs[which];
	bool is_stranger = which == PIPE_CIPHER && !encrypts(end) && pipe_key(&end->pipe) == NULL;
	enum pipe_leg culprit = pipe_reason(&end->pipe) == ERROR_PLAIN_RESET ? PIPE_PLAIN : PIPE_CIPHER;
	bool is_dead = leg->hung_up || leg->unwritable || leg->unreadable || leg->out->is_deaf;

	assert_true(leg->connected && !leg->closed);
	assert_true(is_reset == ((pipe_reason(&end->pipe) != OK || leg->unwritten > 0) && !is_stranger));
	if (!is_reset && !is_stranger) {
		assert_true(end->legs[PIPE_CIPHER].fin_read && end->legs[PIPE_PLAIN].shut);
		assert_true(end->settings.end_at_far_end || end->legs[PIPE_PLAIN].fin_read);
		assert_true(end->settings.end_at_far_end || end->legs[PIPE_CIPHER].shut);
	}
	if (is_reset && pipe_reason(&end->pipe) != OK && !end->is_excused && end->opened && !is_dead &&
	    which != culprit)
		assert_true(leg->out->length == 0 && leg->unwritten == 0);
	leg->closed = true;
	leg->awaiting = false;
	leg->in->is_deaf = true;
	leg->out->ended = true;
	leg->out->broken |= is_reset;
	if (is_reset)
		leg->out->length = 0;
}

static void
do_over(struct world *world, struct end *end)
{
	end->over = true;
	for (int which = 0; which < PIPE_LEGS; which++)
		assert_true(end->legs[which].closed || !end->legs[which].connected);
	for (size_t i = 0; i < PIPE_RELEASES; i++)
		assert_null(end->held[i]);
	/* a clean end has lost nothing */
	if (pipe_reason(&end->pipe) == OK && !world->is_tampered)
		assert_int_equal(end->legs[PIPE_PLAIN].wrote, peer_of(world, end)->legs[PIPE_PLAIN].read);
}

/* Of a stranger no more is asked than which key it has, once, when all that shows it has been read. */
static void
ask_for_job(struct end *end)
{
	bool is_match = !encrypts(end) && pipe_key(&end->pipe) == NULL;

	note(end, is_match ? 'M' : 'H');
	if (is_match) {
		assert_true(!end->match_asked && end->legs[PIPE_CIPHER].read == HANDSHAKE);
		end->match_asked = true;
	} else {
		assert_true(end->admitted || !end->settings.asks_admission);
	}
	end->job_asked = true;
}

static void
do_action(struct world *world, struct end *end, const struct pipe_action *action)
{
	static const char names[] = "DA O SWCR ."; /* in the order of enum pipe_action_kind */
	bool is_of_plain = action->kind >= PIPE_SHUTDOWN && action->kind <= PIPE_RESET && action->leg == PIPE_PLAIN;

	if (names[action->kind] != ' ')
		note(end, (char)(names[action->kind] | (is_of_plain ? 'a' - 'A' : 0)));
	switch (action->kind) {
	case PIPE_DIAL:
		/* only when S4 has passed, and there is room */
		assert_true(encrypts(end) || end->legs[PIPE_CIPHER].read == HANDSHAKE);
		assert_true(encrypts(end) || pipe_key(&end->pipe) != NULL);
		assert_true(end->admitted || !end->settings.asks_admission);
		end->dial_asked = true;
		break;
	case PIPE_ADMIT:
		assert_non_null(pipe_key(&end->pipe));
		end->admit_asked = true;
		break;
	case PIPE_JOB:
		ask_for_job(end);
		break;
	case PIPE_OPENED:
		assert_true(end->legs[PIPE_PLAIN].connected && end->legs[PIPE_CIPHER].connected);
		assert_int_equal(end->legs[PIPE_CIPHER].wrote, HANDSHAKE);
		end->opened = true;
		break;
	case PIPE_SEND:
		do_send(world, end, action);
		break;
	case PIPE_SHUTDOWN:
		do_shutdown(end, action->leg);
		break;
	case PIPE_AWAIT_DELIVERY:
		assert_true(end->legs[action->leg].unwritten == 0 && !end->legs[action->leg].awaiting);
		end->legs[action->leg].awaiting = true;
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		do_close(end, action->leg, action->kind == PIPE_RESET);
		break;
	case PIPE_RELEASE:
		take_back(end, action->buffer);
		break;
	case PIPE_OVER:
		do_over(world, end);
		break;
	}
}

void
world_settle(struct world *world, struct end *end)
{
	struct pipe_action action;

	while (!end->over) {
		memset(&action, 0xa5, sizeof(action)); /* nothing of what stood there may show */
		if (!pipe_next(&end->pipe, &action))
			break;
		do_action(world, end, &action);
	}
	check(world, end);
}

void
world_tell(struct world *world, int end, struct pipe_event event)
{
	world_hear(world, &world->ends[end], event);
	world_settle(world, &world->ends[end]);
}
