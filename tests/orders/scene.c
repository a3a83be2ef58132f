/* scene.c: does as the pipe says and tells it what happens, as net/ does; see scene.h. */
#include "scene.h"

#include <string.h>

struct scene scene;
struct plot plot;
bool scene_did[PIPE_OVER + 1], scene_ended_with[ERROR_COUNT];

static struct key_name key_name = {.text = "key"};
static const struct key key = {.name = &key_name, .k = {7}};
struct keyring scene_keyring = {.count = 1, .keys = &key};

void
scene_blame(enum error reason, enum pipe_leg culprit)
{
	if (scene.is.blamed != OK || scene.is.over)
		return;
	scene.is.blamed = reason;
	scene.is.culprit = culprit;
	scene.is.due = scene.now + plot.settings.timeout;
}

struct pipe_buffer *
scene_buffer(size_t packets)
{
	for (size_t i = 0; i < BUFFERS; i++) {
		if (scene.is.held[i])
			continue;
		scene.is.held[i] = true;
		scene.buffers[i].size = packets * PIPE_OUT_PER_PACKET;
		memset(scene.rooms[i], 0xa5, sizeof scene.rooms[i]);
		return &scene.buffers[i];
	}
	search_broken("a connection holds more than a buffer for each leg");
	return &scene.buffers[0];
}

static void
take_back(const struct pipe_buffer *buffer)
{
	size_t i = (size_t)(buffer - scene.buffers);

	PROMISE(i < BUFFERS && scene.is.held[i], "a buffer came back that the pipe did not have");
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		PROMISE(scene.pipe.legs[leg].pending != buffer, "a buffer came back that is still to be written");
	if (i < BUFFERS)
		scene.is.held[i] = false;
}

size_t
scene_owes(void)
{
	bool has_y = scene.is.jobs_done > 0 && (!encrypts() || scene.is.heard >= WIRE_NONCE);

	return WIRE_NONCE + (has_y ? WIRE_Y_AND_MAC : 0);
}

size_t
scene_waits(enum pipe_leg leg)
{
	const struct side *side = &scene.is.sides[leg];

	if (!side->connected || side->closed || side->unwritable)
		return 0;
	if (leg == PIPE_PLAIN)
		return (size_t)(scene.is.authentic - scene.is.plain_out);
	if (!scene.is.opened)
		return scene_owes() - scene.is.said;
	return scene.is.batch - scene.is.batch_out;
}

bool
scene_is_dead(enum pipe_leg leg)
{
	const struct side *side = &scene.is.sides[leg];

	return scene.is.hurried || !scene.is.opened || side->unwritable || side->broke_at_end ||
	       (scene.is.blamed != OK && scene.is.culprit == leg);
}

/* After everything that was said and done: our part of the handshake is over, and its time with it. */
static void
see_ready(void)
{
	unsigned jobs = encrypts() ? 2 : 1;

	if (scene.is.ready || scene.is.blamed != OK || !scene.is.proved || scene.is.jobs_done < jobs ||
	    scene.is.said < HANDSHAKE)
		return;
	scene.is.ready = true;
	scene.is.due = UINT64_MAX;
}

void
scene_tell(struct pipe_event event)
{
	see_ready();
	pipe_event(&scene.pipe, &event, scene.now);
}

static void
do_action(const struct pipe_action *action)
{
	struct side *side = &scene.is.sides[action->leg];

	switch (action->kind) {
	case PIPE_DIAL:
		scene.is.dial_asked = true;
		break;
	case PIPE_ADMIT:
		scene.is.admit_asked = true;
		break;
	case PIPE_JOB:
		scene.is.job = JOB_ASKED;
		break;
	case PIPE_OPENED:
		scene.is.opened = true;
		break;
	case PIPE_SEND:
		scene.is.pause = PAUSE_SEND;
		scene.is.pause_leg = action->leg;
		scene.is.asked = action->length;
		break;
	case PIPE_SHUTDOWN:
		side->shut = true;
		break;
	case PIPE_AWAIT_DELIVERY:
		side->awaiting = true;
		scene.is.pause = PAUSE_DELIVERY;
		scene.is.pause_leg = action->leg;
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		side->closed = true;
		side->awaiting = false;
		break;
	case PIPE_RELEASE:
		take_back(action->buffer);
		break;
	case PIPE_OVER:
		scene.is.over = true;
		scene.is.due = UINT64_MAX;
		scene_ended_with[pipe_reason(&scene.pipe)] = true;
		break;
	}
}

/* A leg that is known to be broken, and that the pipe does not read: it has to be told. */
static bool
tell_hang_up(void)
{
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		struct side *side = &scene.is.sides[leg];

		if (side->hung != HUNG_KNOWN || side->closed ||
		    (pipe_wants(&scene.pipe, (enum pipe_leg)leg) & PIPE_WANT_READ) != 0)
			continue;
		side->hung = HUNG_TOLD;
		if (scene.is.blamed != OK)
			side->broke_at_end = true;
		else if (!scene.is.opened || side->fin_read)
			scene_blame(leg == PIPE_CIPHER ? ERROR_CIPHER_RESET : ERROR_PLAIN_RESET, (enum pipe_leg)leg);
		else
			scene.is.due = scene.now + plot.settings.timeout;
		scene_tell((struct pipe_event){.kind = PIPE_HANGUP, .leg = (enum pipe_leg)leg});
		return true;
	}
	return false;
}

void
scene_settle(void)
{
	struct pipe_action action;
	unsigned count = 0;

	memset(&action, 0xa5, sizeof action);
	do {
		while (scene.is.pause == PAUSE_NONE && !scene.is.over && pipe_next(&scene.pipe, &action)) {
			promise_action(&action);
			do_action(&action);
			scene_did[action.kind] = true;
			if (++count > 30)
				search_broken("it wants to do ever more");
			if (search_is_broken())
				return;
		}
	} while (scene.is.pause == PAUSE_NONE && !scene.is.over && tell_hang_up());
	if (scene.is.over)
		promise_silence(); /* here, since states that are over are not told apart */
}

void
scene_start(void)
{
	uint8_t random[SESSION_RANDOM];

	memset(&scene, 0, sizeof scene);
	scene.now = 1000;
	scene.is.culprit = PIPE_LEGS;
	scene.is.sides[other_leg(dialled_leg())].connected = true;
	scene.is.due = encrypts() ? UINT64_MAX : scene.now + plot.settings.timeout;
	for (size_t i = 0; i < BUFFERS; i++)
		scene.buffers[i].bytes = scene.rooms[i];
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		scene.is.sides[leg].packets = PIPE_READ_LARGE;
	memset(&scene.pipe, 0xa5, sizeof scene.pipe);
	memset(random, 0x11, sizeof random);
	pipe_start(&scene.pipe, &plot.settings, &scene_keyring, &scene.is.engine, random, scene.now);
	scene_settle();
}

/*
 * Times count from now, what is not used any more is nothing, and where a buffer stands is nobody's business. After the
 * end there is nothing left to tell states apart but the reason.
 */
static uint64_t
digest(void)
{
	static struct pipe pipe;
	static struct facts is;
	uint64_t hash = 0;

	if (scene.is.over)
		return search_hash(1, &scene.is.blamed, sizeof scene.is.blamed);
	memcpy(&pipe, &scene.pipe, sizeof pipe); /* with what is between the members, which is 0 */
	memcpy(&is, &scene.is, sizeof is);
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		struct pipe_leg_state *state = &pipe.legs[leg];

		if (state->pending == NULL)
			state->start = state->end = 0;
		else
			hash = search_hash(hash + 1, state->pending->bytes + state->start, state->end - state->start);
		state->pending = state->pending == NULL ? NULL : scene.buffers;
	}
	if (pipe.opened == STEP_DONE) /* before that, what is sent in the handshake stands there */
		memset(pipe.session.partial + pipe.leftover, 0, sizeof pipe.session.partial - pipe.leftover);
	memset(is.held, 0, sizeof is.held);
	pipe.deadline -= pipe.deadline == UINT64_MAX ? 0 : scene.now;
	is.due -= is.due == UINT64_MAX ? 0 : scene.now;
	return search_hash(search_hash(hash, &pipe, sizeof pipe), &is, sizeof is);
}

static void
check(void)
{
	if (scene.is.pause == PAUSE_NONE && !scene.is.over)
		promise_state();
	if (!search_is_broken())
		promise_ways();
}

const struct search_model scene_model = {
    .world = &scene,
    .size = sizeof scene,
    .start = scene_start,
    .moves = scene_moves,
    .make = scene_make,
    .digest = digest,
    .check = check,
    .name = scene_name,
};
