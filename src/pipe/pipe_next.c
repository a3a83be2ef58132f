/* pipe_next.c: what to do now, what to wait for and how much to read: all read off the state that pipe.c keeps. */
#include "pipe/pipe_state.h"

#include <string.h>

/* What may be written to a leg now, if anything. The handshake's bytes go before any packet. */
static bool
next_send(struct pipe *p, enum pipe_leg which, struct pipe_action *action)
{
	struct pipe_leg_state *leg = &p->legs[which];

	if (!leg->connected || leg->blocked || leg->unwritable)
		return false;
	action->length = which == PIPE_CIPHER ? session_out(&p->session, &action->bytes) : 0;
	if (action->length == 0 && leg->pending != NULL) {
		action->buffer = leg->pending;
		action->bytes = leg->pending->bytes + leg->start;
		action->length = leg->end - leg->start;
	}
	if (action->length == 0)
		return false;
	leg->blocked = true;
	action->kind = PIPE_SEND;
	action->leg = which;
	return true;
}

static bool
next_shutdown(struct pipe *p, enum pipe_leg which, struct pipe_action *action)
{
	struct pipe_leg_state *leg = &p->legs[which];

	if (p->opened != STEP_DONE || !p->legs[pipe_other(which)].ended || leg->pending != NULL || leg->shut ||
	    leg->unwritable)
		return false;
	leg->shut = true;
	action->kind = PIPE_SHUTDOWN;
	action->leg = which;
	return true;
}

/*
 * How a leg goes: closed after an end that was clean or when its peer is a stranger, else reset; and a leg that works
 * is reset only when the kernel has sent what came before.
 */
static bool
next_close(struct pipe *p, enum pipe_leg which, struct pipe_action *action)
{
	struct pipe_leg_state *leg = &p->legs[which];
	bool dead = leg->broken || leg->unwritable || p->hurried || p->opened != STEP_DONE;
	bool stranger = which == PIPE_CIPHER && p->settings->kind == PIPE_DECRYPT && p->key == NULL;
	bool is_clean;

	if (leg->closed || !leg->connected)
		return false;
	if (p->reason != OK && !dead && !leg->delivered) {
		if (leg->pending != NULL)
			return next_send(p, which, action);
		if (leg->awaiting)
			return false;
		leg->awaiting = true;
		action->kind = PIPE_AWAIT_DELIVERY;
		action->leg = which;
		return true;
	}
	/* With end_at_far_end something may be unsent still: then it was no clean end for the peer. */
	is_clean = p->reason == OK && leg->pending == NULL;
	pipe_drop_pending(p, which);
	leg->closed = true;
	action->kind = is_clean || stranger ? PIPE_CLOSE : PIPE_RESET;
	action->leg = which;
	return true;
}

/* Both directions have ended as they should. Nothing is waited for: what was written arrives after a close too. */
static void
end_if_finished(struct pipe *p)
{
	if (p->ending || !p->legs[PIPE_PLAIN].shut || !(p->legs[PIPE_CIPHER].shut || p->settings->end_at_far_end))
		return;
	p->ending = true;
	p->reason = OK;
	session_end(&p->session);
}

static bool
is_closed(const struct pipe_leg_state *leg)
{
	return leg->closed || !leg->connected;
}

static bool
take_step(enum pipe_step *step, enum pipe_step then, enum pipe_action_kind kind, struct pipe_action *action)
{
	if (*step != STEP_DUE)
		return false;
	*step = then;
	action->kind = kind;
	return true;
}

static bool
next_release(struct pipe *p, struct pipe_action *action)
{
	for (size_t i = 0; i < PIPE_RELEASES; i++) {
		if (p->released[i] != NULL) {
			action->kind = PIPE_RELEASE;
			action->buffer = p->released[i];
			p->released[i] = NULL;
			return true;
		}
	}
	return false;
}

bool
pipe_next(struct pipe *p, struct pipe_action *action)
{
	memset(action, 0, sizeof(*action));
	if (p->over)
		return false;
	if (next_release(p, action))
		return true;
	end_if_finished(p);
	if (p->ending) {
		if (next_close(p, PIPE_CIPHER, action) || next_close(p, PIPE_PLAIN, action))
			return true;
		if (!is_closed(&p->legs[PIPE_PLAIN]) || !is_closed(&p->legs[PIPE_CIPHER]))
			return false;
		p->over = true;
		p->deadline = UINT64_MAX;
		action->kind = PIPE_OVER;
		return true;
	}
	if (take_step(&p->dial, STEP_ASKED, PIPE_DIAL, action) ||
	    take_step(&p->admit, STEP_ASKED, PIPE_ADMIT, action) || take_step(&p->job, STEP_ASKED, PIPE_JOB, action) ||
	    take_step(&p->opened, STEP_DONE, PIPE_OPENED, action))
		return true;
	return next_send(p, PIPE_CIPHER, action) || next_send(p, PIPE_PLAIN, action) ||
	       next_shutdown(p, PIPE_CIPHER, action) || next_shutdown(p, PIPE_PLAIN, action);
}

unsigned
pipe_wants(const struct pipe *p, enum pipe_leg which)
{
	const struct pipe_leg_state *leg = &p->legs[which], *to = &p->legs[pipe_other(which)];
	unsigned wants = 0;

	if (!leg->connected || leg->closed)
		return 0;
	if (leg->blocked)
		wants |= PIPE_WANT_WRITE;
	if (p->ending || leg->ended)
		return wants;
	if (p->opened == STEP_DONE && to->pending == NULL && !to->unwritable)
		wants |= PIPE_WANT_READ;
	if (which == PIPE_CIPHER && (session_wants(&p->session) & SESSION_READ) != 0)
		wants |= PIPE_WANT_READ;
	return wants;
}

size_t
pipe_read_into(const struct pipe *p, enum pipe_leg leg, bool pressure, uint8_t *in, size_t *offset, size_t *packets)
{
	*offset = 0;
	*packets = 0;
	if (p->opened != STEP_DONE)
		return session_wants_bytes(&p->session);
	*packets = pressure ? PIPE_READ_SMALL : p->legs[pipe_other(leg)].read_packets;
	if (leg == PIPE_PLAIN)
		return *packets * WIRE_PLAIN_MAX;
	*offset = p->leftover;
	memcpy(in, p->session.partial, p->leftover);
	return *packets * WIRE_PACKET - p->leftover;
}

void
pipe_job(struct pipe *p, struct job *job)
{
	p->job = STEP_NONE;
	session_job(&p->session, job);
}

uint64_t
pipe_deadline(const struct pipe *p)
{
	return p->deadline;
}

enum error
pipe_reason(const struct pipe *p)
{
	return p->reason;
}

bool
pipe_has_met(const struct pipe *p)
{
	return session_has_met(&p->session);
}

struct key_name *
pipe_key(const struct pipe *p)
{
	return p->key;
}

void
pipe_counts(const struct pipe *p, uint64_t *in, uint64_t *out)
{
	*in = p->plain_in;
	*out = p->plain_out;
}
