/* promise.c: what must hold, whatever happens. Each is judged from what crossed the sockets, not from what a pipe says.
 */
#include <string.h>

#include "sim.h"

/* Both ends began with one key, whatever has become of it, and each has read of the handshake what the other wrote. */
static bool
is_authentic(const struct link *link, int which)
{
	const struct side *e = &link->sides[E], *d = &link->sides[D];

	if (link->trouble == STRANGER || !d->has_key)
		return false;
	if (e->legs[PIPE_CIPHER].wrote < HANDSHAKE || (which == E && d->legs[PIPE_CIPHER].wrote < HANDSHAKE))
		return false;
	if (memcmp(e->told, d->heard, HANDSHAKE) != 0 || memcmp(d->told, e->heard, WIRE_NONCE) != 0)
		return false;
	return which == D || memcmp(d->told, e->heard, HANDSHAKE) == 0;
}

static bool
lacks_secrecy(const struct side *side)
{
	return side->settings.forward_secrecy == FORWARD_SECRECY_REQUIRED &&
	       peer_of(side)->settings.forward_secrecy == FORWARD_SECRECY_OFF;
}

static bool
is_lied_to(const struct side *side)
{
	return side->link->is_done_to && side->link->liar != side->which;
}

/* Whether this side may take its peer for one who has the key, and means well. */
bool
is_genuine(const struct link *link, const struct side *side)
{
	return is_authentic(link, side->which) && side->legs[PIPE_CIPHER].read >= HANDSHAKE && !lacks_secrecy(side) &&
	       !(link->trouble == LYING_Y && is_lied_to(side));
}

/* How many whole packets of its peer's this side has read before anything that isn't its peer's. */
static size_t
genuine_packets(const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER];
	uint64_t good = cipher->read < cipher->in->first_bad ? cipher->read : cipher->in->first_bad;

	return good < HANDSHAKE ? 0 : (size_t)((good - HANDSHAKE) / WIRE_PACKET);
}

static uint64_t
plain_in_packets(const struct side *sealer, size_t packets)
{
	return packets == 0 ? 0 : sealer->plain_at[packets];
}

/* Of a stranger it is only found out which key it has, once, when all of y and MAC is there; it costs no power. */
void
promise_at_job(struct scene *scene, struct side *side)
{
	promise(scene, !side->job_wanted && !side->job_out);
	if (side->which == E)
		return;
	if (side->match_asked) {
		promise(scene, side->admitted && is_genuine(side->link, side));
		return;
	}
	promise(scene, side->legs[PIPE_CIPHER].read == HANDSHAKE && pipe_key(&side->pipe) == NULL);
	side->match_asked = true;
}

void
promise_at_dial(struct scene *scene, const struct side *side)
{
	if (side->which == E)
		return;
	promise(scene, is_genuine(side->link, side));
	promise(scene, side->legs[PIPE_CIPHER].read == HANDSHAKE && side->admitted);
}

void
promise_at_opened(struct scene *scene, const struct side *side)
{
	int off;

	promise(scene, !side->opened && side->legs[PIPE_PLAIN].connected && side->legs[PIPE_CIPHER].connected);
	promise(scene, is_genuine(side->link, side) && has_shaken_hands(side));
	promise(
	    scene, !(side->link->trouble == JOB_FAILS && side->link->is_done_to && side->link->liar == side->which));
	promise(scene, side->legs[PIPE_CIPHER].read == HANDSHAKE && side->legs[PIPE_CIPHER].wrote == HANDSHAKE);
	promise(scene, pipe_key(&side->pipe) == side->expected); /* of the ring that it began with */
	if (side->is_second_key)
		happens(scene, HAPPENS_SECOND_KEY);
	off = (side->settings.forward_secrecy == FORWARD_SECRECY_OFF) +
	      (peer_of(side)->settings.forward_secrecy == FORWARD_SECRECY_OFF);
	happens(scene, off == 2 ? HAPPENS_BOTH_F : off == 1 ? HAPPENS_ONE_F : HAPPENS_NO_F);
}

/* An end is shown only behind all of the stream, or, if somebody has cut it, behind whole packets. */
void
promise_at_end_shown(struct scene *scene, const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER], *plain = &side->legs[PIPE_PLAIN];
	const struct side *peer = peer_of(side);
	const struct app *app = side->which == E ? &side->link->target : &side->link->client;

	promise(scene, cipher->fin_read && cipher->read >= HANDSHAKE && (cipher->read - HANDSHAKE) % WIRE_PACKET == 0);
	promise(scene, cipher->read <= cipher->in->first_bad);
	promise(scene, plain->unwritten == 0 && plain->wrote == plain_in_packets(peer, genuine_packets(side)));
	if (cipher->in->is_shorter)
		return;
	promise(scene, genuine_packets(side) == peer->packets);
	promise(scene, peer->legs[PIPE_PLAIN].fin_read || (peer->settings.end_at_far_end && peer->over));
	promise(scene, peer->settings.end_at_far_end || ((app->ended || app->gone) && plain->wrote == app->said));
}

/* A close may look like an end, so it must be one. A reset loses what the kernel has not sent, so nothing may be left.
 */
void
promise_at_close(struct scene *scene, const struct side *side, enum pipe_leg which, bool is_reset)
{
	const struct leg *leg = &side->legs[which], *plain = &side->legs[PIPE_PLAIN],
			 *cipher = &side->legs[PIPE_CIPHER];
	enum error reason = pipe_reason(&side->pipe);
	bool is_stranger = which == PIPE_CIPHER && side->which == D && !is_authentic(side->link, D);
	enum pipe_leg culprit = reason == ERROR_PLAIN_RESET ? PIPE_PLAIN : PIPE_CIPHER;
	bool is_dead = leg->hung_up || leg->unwritable || leg->unreadable || leg->out->dead;

	promise(scene, leg->connected && !leg->closed);
	promise(scene, side->which == E || !side->admit_asked || pipe_key(&side->pipe) != NULL);
	if (pipe_key(&side->pipe) == NULL && which == PIPE_CIPHER && side->which == D)
		promise(scene, !is_reset);
	else
		promise(scene, !is_stranger && is_reset == (reason != OK || leg->unwritten > 0));
	if (reason == OK) {
		promise(scene, cipher->fin_read && plain->shut);
		promise(scene, side->settings.end_at_far_end || (plain->fin_read && cipher->shut));
	}
	if (is_reset && reason != OK && !side->is_excused && side->opened && !is_dead && which != culprit)
		promise(scene, leg->out->end == leg->out->arrived && leg->unwritten == 0);
}

static bool
is_broken_leg(const struct leg *leg)
{
	return leg->hung_up || leg->unwritable || leg->unreadable;
}

/* The world has done what the verdict says, and not a moment too early. */
static bool
is_true(const struct scene *scene, const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER], *plain = &side->legs[PIPE_PLAIN];
	enum trouble trouble = side->link->trouble;
	uint64_t now = scene->now, timeout = scene->timeout;
	bool tampered = side->opened && cipher->read > cipher->in->first_bad;

	switch (pipe_reason(&side->pipe)) {
	case OK:
		return side->opened && cipher->fin_read && plain->shut && !tampered;
	case ERROR_WRONG_KEY:
		return !side->opened && cipher->read == HANDSHAKE && !is_authentic(side->link, side->which);
	case ERROR_BAD_Y:
		return !side->opened && trouble == LYING_Y && is_lied_to(side);
	case ERROR_NO_FORWARD_SECRECY:
		return !side->opened && lacks_secrecy(side);
	case ERROR_HANDSHAKE_TIMEOUT:
		return !has_shaken_hands(side) && side->admit_asked == side->admitted &&
		       now >= (side->which == E ? side->dialled_at : side->started_at) + timeout;
	case ERROR_BAD_MAC:
		return tampered && trouble == TAMPERED;
	case ERROR_BAD_LENGTH:
		return tampered && trouble == LYING_LENGTH && is_lied_to(side);
	case ERROR_CUT:
		return cipher->fin_read && (!side->opened || (cipher->read - HANDSHAKE) % WIRE_PACKET != 0);
	case ERROR_NUMBERS_USED_UP:
		return side->opened && trouble == LAST_NUMBERS && side->link->is_done_to;
	case ERROR_CIPHER_RESET:
		return is_broken_leg(cipher);
	case ERROR_PLAIN_RESET:
		return is_broken_leg(plain);
	case ERROR_CONNECT:
	case ERROR_CONNECT_TIMEOUT:
	case ERROR_LOOKUP:
	case ERROR_MEMORY:
	case ERROR_DESCRIPTORS:
		return !side->opened && side->dial.verdict == pipe_reason(&side->pipe);
	case ERROR_REVOKED:
		return side->opened && scene->closes_revoked && is_removed(scene, side);
	case ERROR_NO_ROOM:
		return side->which == D && side->admit_asked && !side->admitted && now >= side->started_at + timeout;
	case ERROR_EVICTED:
		return side->standing == EVICTED;
	case ERROR_STALLED:
		return side->opened && (is_broken_leg(cipher) || is_broken_leg(plain)) &&
		       now >= side->stalled_at + timeout;
	case ERROR_KILLED:
		return scene->daemons[side->which].is_killed;
	case ERROR_CRYPTO:
		return !side->opened && trouble == JOB_FAILS && side->link->is_done_to &&
		       side->link->liar == side->which;
	case ERROR_RANDOM:
	case ERROR_COUNT:
		break;
	}
	return false;
}

/* What was authenticated was delivered, and what was read was sealed and sent, if those who should have it live. */
static void
nothing_is_lost(struct scene *scene, const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER], *plain = &side->legs[PIPE_PLAIN];
	enum error reason = pipe_reason(&side->pipe);

	if (!side->opened || side->is_excused)
		return;
	if (!is_broken_leg(plain) && !plain->out->dead) {
		promise(scene, plain->wrote == plain_in_packets(peer_of(side), genuine_packets(side)));
		/* of a connection that broke all that had arrived before was read */
		promise(scene, reason != ERROR_CIPHER_RESET || flow_ready(cipher->in) == 0);
	}
	if (!is_broken_leg(cipher) && !cipher->out->dead && (reason == OK || reason == ERROR_PLAIN_RESET)) {
		promise(
		    scene, side->settings.end_at_far_end || cipher->wrote == HANDSHAKE + side->packets * WIRE_PACKET);
		promise(scene, reason == OK || flow_ready(plain->in) == 0);
	}
}

/* Something that is no defect has ended it: so nothing is asked of how its peer ends. */
static bool
is_excuse(enum error reason)
{
	return reason == ERROR_HANDSHAKE_TIMEOUT || reason == ERROR_NO_ROOM || reason == ERROR_NO_FORWARD_SECRECY ||
	       reason == ERROR_CONNECT || reason == ERROR_CONNECT_TIMEOUT || reason == ERROR_LOOKUP ||
	       reason == ERROR_MEMORY || reason == ERROR_DESCRIPTORS;
}

/* No key and nothing of the handshake is left. */
static bool
is_wiped(const struct session *session)
{
	const uint8_t *handshake = (const uint8_t *)&session->handshake, *data = (const uint8_t *)&session->data;
	uint8_t left = 0;

	for (size_t i = 0; i < sizeof session->handshake; i++)
		left |= handshake[i];
	for (size_t i = 0; i < sizeof session->data; i++)
		left |= data[i];
	return session_wants(session) == SESSION_FAILED && left == 0;
}

void
promise_at_over(struct scene *scene, struct side *side)
{
	for (int which = 0; which < PIPE_LEGS; which++)
		promise(scene, side->legs[which].closed || !side->legs[which].connected);
	for (size_t i = 0; i < PIPE_RELEASES; i++)
		promise(scene, side->held[i] == NULL);
	promise(scene, is_true(scene, side));
	promise(scene, is_wiped(&side->pipe.session));
	nothing_is_lost(scene, side);
	side->link->is_harmed |= is_excuse(pipe_reason(&side->pipe));
	if (pipe_reason(&side->pipe) == ERROR_WRONG_KEY && side->link->trouble == OTHER_KEY)
		happens(scene, HAPPENS_OTHER_KEY);
	if (pipe_reason(&side->pipe) != OK)
		return;
	promise_at_end_shown(scene, side);
	if (!side->legs[PIPE_PLAIN].fin_read)
		happens(scene, HAPPENS_FAR_END);
}

/* The latest moment at which this side may be as it is. */
static uint64_t
latest(const struct scene *scene, const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER], *plain = &side->legs[PIPE_PLAIN];
	uint64_t at = NEVER, other;

	if (side->broken_at != NEVER)
		return side->broken_at + scene->timeout;
	if (cipher->connected && !has_shaken_hands(side))
		at = (side->which == E ? side->dialled_at : side->started_at) + scene->timeout;
	if (side->dial.active) {
		other = dial_latest(scene, &side->dial);
		at = other < at ? other : at;
	}
	if (side->opened && (cipher->told_hang_up || plain->told_hang_up || cipher->unwritable || plain->unwritable)) {
		other = side->stalled_at + scene->timeout;
		at = other < at ? other : at;
	}
	return at;
}

/*
 * Nothing can happen to a link but that deadlines pass: then something has hindered it, or all is done, or it waits for
 * its turn. Else an end does not do what it could.
 */
void
promise_not_idle(struct scene *scene, const struct link *link)
{
	const struct side *d = &link->sides[D];

	if (link->trouble != NO_TROUBLE || link->is_harmed || (d->admit_asked && !d->admitted))
		return;
	for (int which = 0; which < SIDES; which++) {
		const struct side *side = &link->sides[which];

		promise(scene, !side->started || side->over || side->opened);
	}
}

void
promise_in_time(struct scene *scene, const struct side *side)
{
	uint64_t at = side->started && !side->over ? latest(scene, side) : NEVER;

	promise(scene, at == NEVER || scene->now <= at + side->late);
}

static void
check_leg(struct scene *scene, const struct side *side, enum pipe_leg which, unsigned wants)
{
	const struct leg *leg = &side->legs[which], *to = &side->legs[which == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN];

	promise(scene, wants == 0 || (leg->connected && !leg->closed));
	promise(scene, (wants & PIPE_WANT_WRITE) == 0 || !leg->unwritable);
	if ((wants & PIPE_WANT_READ) == 0)
		return;
	/* back pressure, nothing after an end, and of the cipher leg no more than the handshake */
	promise(scene, !leg->fin_read && !leg->unreadable);
	promise(scene, side->opened || (which == PIPE_CIPHER && leg->read < HANDSHAKE));
	/* C5 comes after C4: before it an honest server has nothing to say */
	promise(scene, side->which == D || which == PIPE_PLAIN || leg->read < WIRE_NONCE || side->jobs_done > 0);
	promise(scene, (to->unwritten == 0 && !to->unwritable) || !side->opened);
}

/* Its cipher leg has ended where no end may be. */
static bool
is_cut(const struct side *side)
{
	const struct leg *cipher = &side->legs[PIPE_CIPHER];

	return cipher->fin_read && (!side->opened || (cipher->read - HANDSHAKE) % WIRE_PACKET != 0);
}

/* A leg that is to be reset is, unless something is to be written still, or to be delivered. */
static bool
is_busy_ending(const struct leg *leg)
{
	return !leg->connected || leg->closed || leg->unwritten > 0 || leg->awaiting;
}

/* Its key was removed, that is known, and those who are on such a key are to go. */
static bool
outlives_its_key(const struct scene *scene, const struct side *side)
{
	return scene->closes_revoked && side->opened && is_removed(scene, side) &&
	       scene->daemons[D].revoked_known >= scene->removed_in[side->link->key] && side->broken_at == NEVER;
}

void
promise_settled(struct scene *scene, struct side *side)
{
	unsigned all = 0;
	size_t held = 0, waiting = 0;
	uint64_t in, out;

	pipe_counts(&side->pipe, &in, &out);
	promise(scene, in == side->legs[PIPE_PLAIN].read && out == side->legs[PIPE_PLAIN].wrote);
	if (pipe_reason(&side->pipe) != OK && side->broken_at == NEVER)
		side->broken_at = scene->now;
	if (side->over) {
		struct pipe_action action;

		promise(scene, !pipe_next(&side->pipe, &action) && pipe_deadline(&side->pipe) == NEVER);
		return;
	}
	for (int which = 0; which < PIPE_LEGS; which++) {
		unsigned wants = pipe_wants(&side->pipe, (enum pipe_leg)which);

		all |= wants;
		waiting += side->legs[which].unwritten > 0;
		promise(scene, side->broken_at == NEVER || is_busy_ending(&side->legs[which]));
		check_leg(scene, side, (enum pipe_leg)which, wants);
	}
	promise(scene, !is_cut(side) || pipe_reason(&side->pipe) != OK); /* at once */
	/* memory: a buffer is held only for what a full socket did not take */
	for (size_t i = 0; i < PIPE_RELEASES; i++)
		held += side->held[i] != NULL;
	promise(scene, held <= waiting);
	/* a client's y is computed from the start, while the nonces travel */
	promise(scene, side->which == D || side->job_wanted || side->job_out || side->jobs_done > 0);
	promise(scene, side->which == E || side->match_asked || side->legs[PIPE_CIPHER].read < HANDSHAKE);
	promise(scene, !outlives_its_key(scene, side));
	/* never stuck */
	promise(scene, all != 0 || side->dial.active || pipe_deadline(&side->pipe) != NEVER);
	promise_in_time(scene, side);
}
