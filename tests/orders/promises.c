/* promises.c: what a pipe may do, and how it stands when it has done all it wants to; see scene.h. */
#include <string.h>

#include "scene.h"

static const char *const legs[] = {"plain", "cipher"};

/* Whether the peer may be dialled, and our part of the exponentiations be done: on -d only for whom we know. */
static bool
may_go_on(void)
{
	return encrypts() || (scene.is.proved && (scene.is.admitted || !plot.settings.asks_admission));
}

static bool
job_is_due(void)
{
	if (encrypts())
		return scene.is.jobs_done == 0 || (scene.is.jobs_done == 1 && scene.is.proved);
	if (!scene.is.matched)
		return scene.is.heard == HANDSHAKE;
	return scene.is.jobs_done == 0 && may_go_on();
}

static bool
both_connected(void)
{
	return scene.is.sides[PIPE_PLAIN].connected && scene.is.sides[PIPE_CIPHER].connected;
}

/* A half-close: what came from the other leg has come to its end there, and all of it has gone. */
static bool
may_be_shut(enum pipe_leg leg)
{
	if (!scene.is.opened || !scene.is.sides[other_leg(leg)].fin_read || scene_waits(leg) > 0 ||
	    scene.is.sides[leg].unwritable)
		return false;
	return leg == PIPE_CIPHER || scene.is.part == 0;
}

static void
promise_send(const struct pipe_action *action)
{
	const struct side *side = &scene.is.sides[action->leg];

	PROMISE(side->connected && !side->closed && !side->shut && !side->unwritable && action->length > 0,
	    "it writes to a leg that takes nothing");
	PROMISE(peer_hears(action), "%zu bytes go to the %s leg that are not what comes next", action->length,
	    legs[action->leg]);
	PROMISE(scene.is.opened || !plot.settings.asks_admission || scene.is.admitted ||
		    scene.is.said + action->length <= WIRE_NONCE,
	    "something of S5 goes before there is room");
	PROMISE((action->buffer != NULL) == scene.is.opened, "it writes from a buffer, or not, at the wrong time");
	if (action->buffer != NULL && !search_is_broken())
		PROMISE(scene.is.held[action->buffer - scene.buffers], "it writes from a buffer that it gave back");
}

/* Nothing that was authenticated may be lost by a reset, unless nobody can take it, or time is up. */
static void
promise_close(const struct pipe_action *action)
{
	const struct side *side = &scene.is.sides[action->leg];
	bool is_stranger = action->leg == PIPE_CIPHER && !encrypts() && !scene.is.proved;
	bool is_reset = action->kind == PIPE_RESET, is_lossy = scene_waits(action->leg) > 0;

	PROMISE(side->connected && !side->closed, "it closes a leg that is not open");
	PROMISE(is_reset == ((scene.is.blamed != OK || is_lossy) && !is_stranger), "the %s leg is %s",
	    legs[action->leg], is_reset ? "reset after an end" : "closed as if it had ended");
	if (!is_reset && !is_stranger) {
		PROMISE(scene.is.sides[PIPE_CIPHER].fin_read && scene.is.part == 0 && scene_waits(PIPE_PLAIN) == 0,
		    "an end is shown where there was none");
		PROMISE(plot.settings.end_at_far_end || scene.is.sides[PIPE_PLAIN].fin_read,
		    "it ended before the plain leg");
	}
	if (is_reset && scene.is.blamed != OK && !scene_is_dead(action->leg))
		PROMISE(!is_lossy && side->delivered, "the %s leg is reset before all has been delivered",
		    legs[action->leg]);
}

static void
promise_over(void)
{
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		PROMISE(scene.is.sides[leg].closed || !scene.is.sides[leg].connected, "over, with a leg open");
	for (size_t i = 0; i < BUFFERS; i++)
		PROMISE(!scene.is.held[i], "over, with a buffer out");
	if (scene.is.blamed != OK)
		return;
	PROMISE(scene.is.sides[PIPE_CIPHER].fin_read && scene.is.plain_out == scene.is.authentic,
	    "a good end, and not all was delivered");
	PROMISE(plot.settings.end_at_far_end || (scene.is.sides[PIPE_PLAIN].fin_read && scene.is.batch == 0),
	    "a good end, and not all was sent");
}

void
promise_action(const struct pipe_action *action)
{
	const struct side *side = &scene.is.sides[action->leg];

	PROMISE(scene.is.blamed == OK || action->kind >= PIPE_CLOSE || action->kind == PIPE_SEND ||
		    action->kind == PIPE_AWAIT_DELIVERY,
	    "something new is begun after the end");
	switch (action->kind) {
	case PIPE_DIAL:
		PROMISE(may_go_on() && !scene.is.dial_asked, "a target is dialled before its time");
		PROMISE(encrypts() || pipe_key(&scene.pipe) != NULL, "a target is dialled for a stranger");
		break;
	case PIPE_ADMIT:
		PROMISE(!encrypts() && scene.is.proved && !scene.is.admit_asked, "room is asked for before its time");
		break;
	case PIPE_JOB:
		PROMISE(job_is_due() && scene.is.job == JOB_NONE, "a job is asked for that is not due");
		break;
	case PIPE_OPENED:
		PROMISE(!scene.is.opened && scene.is.ready && both_connected(), "it is opened before its time");
		break;
	case PIPE_SEND:
		promise_send(action);
		break;
	case PIPE_SHUTDOWN:
		PROMISE(may_be_shut(action->leg) && !side->shut && !side->closed, "an end goes to the %s leg too early",
		    legs[action->leg]);
		break;
	case PIPE_AWAIT_DELIVERY:
		PROMISE(side->connected && !side->closed && !side->awaiting && scene_waits(action->leg) == 0 &&
			    !scene_is_dead(action->leg),
		    "delivery on the %s leg is awaited without need", legs[action->leg]);
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		promise_close(action);
		break;
	case PIPE_RELEASE:
		break;
	case PIPE_OVER:
		promise_over();
		break;
	}
}

/* Back pressure, nothing beyond the handshake before both legs are there, and whatever can go on is waited for. */
static unsigned
due_wants(enum pipe_leg leg)
{
	const struct side *side = &scene.is.sides[leg], *to = &scene.is.sides[other_leg(leg)];
	unsigned wants = scene_waits(leg) > 0 ? PIPE_WANT_WRITE : 0;

	if (!side->connected || side->closed)
		return 0;
	if (scene.is.blamed != OK || side->fin_read)
		return wants;
	if (scene.is.opened)
		return wants | (scene_waits(other_leg(leg)) == 0 && !to->unwritable ? PIPE_WANT_READ : 0);
	if (leg == PIPE_CIPHER && scene.is.heard < HANDSHAKE &&
	    (scene.is.heard < WIRE_NONCE || !encrypts() || scene.is.jobs_done > 0))
		wants |= PIPE_WANT_READ;
	return wants;
}

/* An event that does not matter, or that comes out of turn, changes nothing. */
static void
promise_ignored(struct pipe_event event)
{
	uint64_t before = scene_model.digest();
	struct pipe_action action;

	pipe_event(&scene.pipe, &event, scene.now);
	PROMISE(!pipe_next(&scene.pipe, &action) && scene_model.digest() == before,
	    "event %d does not matter, and is not ignored", (int)event.kind);
}

/* After the end, also what would have counted before: and what comes with a buffer only gives it back. */
static void
promise_late(enum pipe_leg leg)
{
	static struct pipe_buffer buffer;
	struct pipe_event late = {.kind = PIPE_READ, .leg = leg, .length = 1, .out = &buffer};
	uint64_t before = scene_model.digest();
	struct pipe_action action;
	uint8_t in[1] = {0};

	promise_ignored((struct pipe_event){.kind = PIPE_END, .leg = leg});
	promise_ignored((struct pipe_event){.kind = PIPE_READ_FAILED, .leg = leg});
	late.in = in;
	pipe_event(&scene.pipe, &late, scene.now);
	PROMISE(pipe_next(&scene.pipe, &action) && action.kind == PIPE_RELEASE && action.buffer == &buffer,
	    "a buffer that comes too late does not come back at once");
	PROMISE(
	    !pipe_next(&scene.pipe, &action) && scene_model.digest() == before, "a read that comes too late counts");
}

static void
promise_calm(void)
{
	static const struct job job;

	if (scene.is.blamed != OK) {
		promise_ignored((struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
		promise_ignored((struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_CONNECT});
	}
	if (!scene.is.dial_asked || scene.is.dial_answered)
		promise_ignored((struct pipe_event){.kind = PIPE_DIALLED});
	if (!scene.is.admit_asked || scene.is.admitted)
		promise_ignored((struct pipe_event){.kind = PIPE_ADMITTED});
	if (scene.now < pipe_deadline(&scene.pipe))
		promise_ignored((struct pipe_event){.kind = PIPE_TIME});
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		const struct side *side = &scene.is.sides[leg];

		if (!side->connected || side->closed)
			continue;
		if (scene.is.blamed != OK)
			promise_late((enum pipe_leg)leg);
		if (!side->awaiting && !side->delivered)
			promise_ignored((struct pipe_event){.kind = PIPE_DELIVERED, .leg = (enum pipe_leg)leg});
		if (scene_waits((enum pipe_leg)leg) == 0)
			promise_ignored((struct pipe_event){.kind = PIPE_WRITABLE, .leg = (enum pipe_leg)leg});
		if (side->hung == HUNG_TOLD && scene.is.blamed == OK)
			promise_ignored((struct pipe_event){.kind = PIPE_HANGUP, .leg = (enum pipe_leg)leg});
	}
}

static bool
has_secrets(void)
{
	const uint8_t *bytes = (const uint8_t *)&scene.pipe.session.handshake;

	for (size_t i = 0; i < sizeof scene.pipe.session.handshake; i++)
		if (bytes[i] != 0)
			return true;
	return scene.is.engine.live != 0;
}

/* While it lives, each step has been taken that can be. */
static void
promise_steps(void)
{
	bool is_shut[PIPE_LEGS];

	PROMISE(scene.is.dial_asked == may_go_on(), "the target is not dialled");
	PROMISE(scene.is.admit_asked == (plot.settings.asks_admission && scene.is.proved), "room is not asked for");
	PROMISE((scene.is.job != JOB_NONE) == job_is_due(), "a job is due and not asked for");
	PROMISE(scene.is.opened == (scene.is.ready && both_connected()), "it is not opened");
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		is_shut[leg] = scene.is.sides[leg].shut;
		PROMISE(
		    is_shut[leg] == may_be_shut((enum pipe_leg)leg), "the end is not passed to the %s leg", legs[leg]);
	}
	PROMISE(!is_shut[PIPE_PLAIN] || !(is_shut[PIPE_CIPHER] || plot.settings.end_at_far_end),
	    "all has ended, and it goes on");
}

/* At the end each leg that is open still is waited for. */
static void
promise_ending(void)
{
	PROMISE(!has_secrets(), "there are secrets left after the end");
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		const struct side *side = &scene.is.sides[leg];

		if (!side->connected || side->closed)
			continue;
		PROMISE(!scene_is_dead((enum pipe_leg)leg), "the %s leg is dead and not closed", legs[leg]);
		PROMISE(side->awaiting || scene_waits((enum pipe_leg)leg) > 0, "nothing is awaited of the %s leg",
		    legs[leg]);
	}
}

void
promise_state(void)
{
	uint64_t in, out;
	size_t held = 0, waiting = 0;
	struct pipe_action action;
	bool knows = encrypts() ? scene.is.ready : scene.is.proved;

	pipe_counts(&scene.pipe, &in, &out);
	PROMISE(in == scene.is.plain_in && out == scene.is.plain_out, "it counts %d in and %d out", (int)in, (int)out);
	PROMISE(pipe_reason(&scene.pipe) == scene.is.blamed, "it ends with %s, and the reason is %s",
	    error_word(pipe_reason(&scene.pipe)), error_word(scene.is.blamed));
	PROMISE(pipe_deadline(&scene.pipe) == scene.is.due, "its time is up in %lld, and not in %lld",
	    (long long)(pipe_deadline(&scene.pipe) - scene.now), (long long)(scene.is.due - scene.now));
	PROMISE((pipe_key(&scene.pipe) != NULL) == knows, "its key is known too %s", knows ? "late" : "early");
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		unsigned wants = pipe_wants(&scene.pipe, (enum pipe_leg)leg), due = due_wants((enum pipe_leg)leg);

		PROMISE(wants == due, "of the %s leg it wants %u, and not %u", legs[leg], wants, due);
		waiting += scene.is.opened && scene_waits((enum pipe_leg)leg) > 0;
	}
	for (size_t i = 0; i < BUFFERS; i++)
		held += scene.is.held[i];
	PROMISE(held == waiting, "it holds %zu buffers for %zu legs", held, waiting);
	PROMISE(!pipe_next(&scene.pipe, &action), "it wants something and did not say so");
	if (scene.is.blamed == OK && !scene.is.over)
		promise_steps();
	else
		promise_ending();
	if (!search_is_broken() && !scene.is.over)
		promise_calm();
}

void
promise_silence(void)
{
	static struct job powers, match = {.kind = JOB_MATCH};
	static const struct pipe_event late[] = {{.kind = PIPE_DIALLED},
	    {.kind = PIPE_DIAL_FAILED, .error = ERROR_CONNECT}, {.kind = PIPE_ADMITTED},
	    {.kind = PIPE_JOB_DONE, .job = &powers}, {.kind = PIPE_JOB_DONE, .job = &match}, {.kind = PIPE_TIME},
	    {.kind = PIPE_STOP, .error = ERROR_EVICTED}};

	promise_state();
	for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
		pipe_event(&scene.pipe, &late[i], scene.now + 1);
	promise_state();
}
