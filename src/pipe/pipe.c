/* pipe.c: one connection's life; see pipe.h. Events change the state, and pipe_next reads off it what to do. */
#include "pipe/pipe_state.h"

#include <string.h>

static enum pipe_leg
dialled_leg(const struct pipe *p)
{
	return p->settings->kind == PIPE_ENCRYPT ? PIPE_CIPHER : PIPE_PLAIN;
}

/*
 * The end begins: no more reading, keys wiped. Unless hurried, what is already in hand for a leg that lives is written
 * and waited for, and then that leg is reset, so that nobody takes a broken connection for a finished one.
 */
static void
end(struct pipe *p, enum error reason, uint64_t now)
{
	if (p->ending)
		return;
	p->ending = true;
	p->reason = reason;
	p->deadline = now + p->settings->timeout;
	session_end(&p->session);
}

static void
end_at_once(struct pipe *p, enum error reason, uint64_t now)
{
	end(p, reason, now);
	p->hurried = true;
}

/* A leg's connection is broken in both directions. */
static void
end_broken(struct pipe *p, enum pipe_leg leg, enum error reason, uint64_t now)
{
	p->legs[leg].broken = p->legs[leg].ended = true;
	end(p, reason, now);
}

static enum error
reset_reason(enum pipe_leg leg)
{
	return leg == PIPE_CIPHER ? ERROR_CIPHER_RESET : ERROR_PLAIN_RESET;
}

/* What follows from the state by itself; after each event. */
static void
proceed(struct pipe *p, uint64_t now)
{
	unsigned wants = session_wants(&p->session);

	if (p->ending)
		return;
	if ((wants & SESSION_FAILED) != 0) {
		end(p, session_error(&p->session), now);
		return;
	}
	if (p->admit == STEP_NONE && session_key(&p->session) != NULL) { /* a server, and S4 has passed */
		p->key = session_key(&p->session)->name;
		p->admit = p->settings->asks_admission ? STEP_DUE : STEP_DONE;
		p->dial = p->settings->asks_admission ? STEP_NONE : STEP_DUE;
	}
	/* A stranger's is no more than finding the key; powers are for who has shown one, and been let in. */
	if ((wants & SESSION_JOB) != 0 && (p->admit == STEP_DONE || session_key(&p->session) == NULL) &&
	    p->job == STEP_NONE)
		p->job = STEP_DUE;
	/* S5 has gone too: no packet and no FIN may overtake it. */
	if (wants == SESSION_READY && p->opened == STEP_NONE) {
		p->key = session_key(&p->session)->name;
		p->deadline = UINT64_MAX;
		if (p->legs[dialled_leg(p)].connected)
			p->opened = STEP_DUE;
	}
}

void
pipe_start(struct pipe *p, const struct pipe_settings *settings, struct keyring *keyring, struct engine *engine,
    const uint8_t random[SESSION_RANDOM], uint64_t now)
{
	bool encrypts = settings->kind == PIPE_ENCRYPT;

	memset(p, 0, sizeof(*p));
	p->settings = settings;
	session_start(&p->session, encrypts ? SESSION_CLIENT : SESSION_SERVER, settings->forward_secrecy, keyring,
	    engine, random);
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		p->legs[leg].read_packets = PIPE_READ_LARGE;
	p->legs[pipe_other(dialled_leg(p))].connected = true;
	p->dial = encrypts ? STEP_DUE : STEP_NONE;
	p->admit = encrypts ? STEP_DONE : STEP_NONE;
	/* A client's handshake has its time from when there is somebody to shake hands with; until then the race has.
	 */
	p->deadline = encrypts ? UINT64_MAX : now + settings->timeout;
	proceed(p, now); /* a client's y is computed while the nonces travel */
}

/* P1 to P3: what was read from the plain leg becomes packets for the other. */
static void
read_plain(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	struct pipe_leg_state *cipher = &p->legs[PIPE_CIPHER];
	size_t sealed;
	enum error error = session_seal(&p->session, event->out->bytes, event->in, event->length, &sealed);

	p->plain_in += event->length;
	if (error != OK) {
		pipe_release(p, event->out);
		end_broken(p, PIPE_CIPHER, error, now);
		return;
	}
	cipher->pending = event->out;
	cipher->start = 0;
	cipher->end = sealed;
}

/* P4: whole packets become plain bytes; what is left of one waits for the next read. Good ones before a bad one count.
 */
static void
read_cipher(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	struct pipe_leg_state *plain = &p->legs[PIPE_PLAIN];
	size_t total = p->leftover + event->length, count = total / WIRE_PACKET, opened = 0;
	enum error error = OK;

	p->leftover = total % WIRE_PACKET;
	memcpy(p->session.partial, event->in + count * WIRE_PACKET, p->leftover);
	if (count > 0)
		error = session_open(&p->session, event->out->bytes, event->in, count, &opened);
	if (opened > 0) {
		plain->pending = event->out;
		plain->start = 0;
		plain->end = opened;
	} else {
		pipe_release(p, event->out);
	}
	if (error != OK)
		end_broken(p, PIPE_CIPHER, error, now);
}

static void
on_read(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	struct pipe_leg_state *leg = &p->legs[event->leg];

	if (p->ending || leg->ended || event->length == 0) {
		pipe_release(p, event->out);
		/* It is broken one way or the other, and all that it had to say has been read. */
		if (!p->ending && (leg->unwritable || leg->hung_up))
			end_broken(p, event->leg, reset_reason(event->leg), now);
		return;
	}
	if (p->opened != STEP_DONE) {
		pipe_release(p, event->out);
		session_feed(&p->session, event->in, event->length); /* proceed() sees what came of it */
		return;
	}
	if (event->leg == PIPE_PLAIN)
		read_plain(p, event, now);
	else
		read_cipher(p, event, now);
}

/* P5: a FIN is an end on a packet boundary, after the handshake, on a connection that still works. Else it is a cut. */
static void
on_end(struct pipe *p, enum pipe_leg which, uint64_t now)
{
	struct pipe_leg_state *leg = &p->legs[which];

	if (p->ending)
		return;
	leg->ended = true;
	if (leg->unwritable || leg->hung_up)
		end_broken(p, which, reset_reason(which), now);
	else if (which == PIPE_CIPHER && (p->opened != STEP_DONE || p->leftover > 0))
		end_broken(p, which, ERROR_CUT, now);
}

static void
on_written(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	struct pipe_leg_state *leg = &p->legs[event->leg];
	const uint8_t *bytes;
	size_t handshake = event->leg == PIPE_CIPHER ? session_out(&p->session, &bytes) : 0;

	if (event->length > 0 && !p->ending &&
	    (p->legs[pipe_other(event->leg)].hung_up || p->legs[pipe_other(event->leg)].unwritable))
		p->deadline = now + p->settings->timeout; /* it still gets somewhere */
	if (handshake > 0) {
		session_sent(&p->session, event->length);
		leg->blocked = event->length < handshake;
		return;
	}
	if (leg->pending == NULL)
		return;
	leg->blocked = event->length < leg->end - leg->start;
	if (event->leg == PIPE_PLAIN)
		p->plain_out += event->length;
	if (leg->blocked)
		leg->read_packets = PIPE_READ_SMALL;
	else if (leg->start == 0 && leg->read_packets < PIPE_READ_LARGE)
		leg->read_packets = (uint16_t)(2 * leg->read_packets);
	leg->start += event->length;
	if (!leg->blocked)
		pipe_drop_pending(p, event->leg);
}

/*
 * What it was sent is lost, but what it has sent may stand in the kernel still: it is read until there is nothing more,
 * or no time.
 */
static void
on_write_failed(struct pipe *p, enum pipe_leg which, uint64_t now)
{
	struct pipe_leg_state *leg = &p->legs[which];

	leg->unwritable = true;
	leg->blocked = false;
	pipe_drop_pending(p, which);
	if (p->ending)
		return;
	if (p->opened != STEP_DONE || leg->ended || p->legs[pipe_other(which)].unwritable)
		end_broken(p, which, reset_reason(which), now);
	else
		p->deadline = now + p->settings->timeout;
}

static void
on_time(struct pipe *p, uint64_t now)
{
	if (now < p->deadline)
		return;
	if (p->ending) {
		p->hurried = true;
		return;
	}
	for (int i = 0; i < PIPE_LEGS; i++) {
		if (p->legs[i].hung_up || p->legs[i].unwritable) {
			end_at_once(p, ERROR_STALLED, now);
			return;
		}
	}
	end_at_once(p, p->admit == STEP_ASKED ? ERROR_NO_ROOM : ERROR_HANDSHAKE_TIMEOUT, now);
}

static void
on_connection(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	if (p->ending || p->dial != STEP_ASKED)
		return;
	p->dial = STEP_DONE;
	if (event->kind == PIPE_DIAL_FAILED) {
		end(p, event->error, now);
		return;
	}
	p->legs[dialled_leg(p)].connected = true;
	if (p->settings->kind == PIPE_ENCRYPT)
		p->deadline = now + p->settings->timeout;
}

static void
on_hangup(struct pipe *p, enum pipe_leg leg, uint64_t now)
{
	if (p->ending)
		p->legs[leg].broken = true;
	if (p->ending || p->legs[leg].hung_up)
		return;
	p->legs[leg].hung_up = true;
	if (p->opened != STEP_DONE || p->legs[leg].ended)
		end_broken(p, leg, reset_reason(leg), now);
	else
		p->deadline = now + p->settings->timeout;
}

void
pipe_event(struct pipe *p, const struct pipe_event *event, uint64_t now)
{
	switch (event->kind) {
	case PIPE_DIALLED:
	case PIPE_DIAL_FAILED:
		on_connection(p, event, now);
		break;
	case PIPE_ADMITTED:
		if (!p->ending && p->admit == STEP_ASKED) {
			p->admit = STEP_DONE;
			p->dial = STEP_DUE;
		}
		break;
	case PIPE_READ:
		on_read(p, event, now);
		break;
	case PIPE_END:
		on_end(p, event->leg, now);
		break;
	case PIPE_HANGUP:
		on_hangup(p, event->leg, now);
		break;
	case PIPE_READ_FAILED:
		if (!p->ending)
			end_broken(p, event->leg, reset_reason(event->leg), now);
		break;
	case PIPE_WRITTEN:
		on_written(p, event, now);
		break;
	case PIPE_WRITABLE:
		p->legs[event->leg].blocked = false;
		break;
	case PIPE_WRITE_FAILED:
		on_write_failed(p, event->leg, now);
		break;
	case PIPE_DELIVERED:
		p->legs[event->leg].delivered = p->legs[event->leg].awaiting;
		break;
	case PIPE_JOB_DONE:
		if (!p->ending)
			session_job_done(&p->session, event->job); /* proceed() sees what came of it */
		break;
	case PIPE_TIME:
		on_time(p, now);
		break;
	case PIPE_STOP:
		end_at_once(p, event->error, now);
		break;
	}
	proceed(p, now);
}
