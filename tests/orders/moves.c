/* moves.c: what can happen, and how the driver comes to tell it; see scene.h. */
#include <stdio.h>
#include <string.h>

#include "scene.h"

static const char *const names[MOVE_OF_LEG + MOVES_OF_LEG] = {
    [MOVE_WROTE_ALL] = "the socket takes all of it",
    [MOVE_WROTE_SOME] = "the socket takes some of it",
    [MOVE_WROTE_NOTHING] = "the socket is full",
    [MOVE_WRITE_FAILED] = "the write fails",
    [MOVE_SENT_ALREADY] = "the kernel has sent everything already",
    [MOVE_SENT_LATER] = "the kernel has not sent everything yet",
    [MOVE_DIALLED] = "the target is connected",
    [MOVE_DIAL_FAILED] = "the target cannot be connected",
    [MOVE_ADMITTED] = "there is room",
    [MOVE_JOB_TAKEN] = "the job is taken",
    [MOVE_JOB_DONE] = "the job is done",
    [MOVE_JOB_FAILED] = "the job has failed",
    [MOVE_TIME_PASSES] = "a millisecond passes",
    [MOVE_STOPPED] = "it is stopped",
    [MOVE_READ_NOTHING] = "nothing is there to be read",
    [MOVE_READ_SOME] = "a part is read",
    [MOVE_READ_UNIT] = "a whole is read",
    [MOVE_READ_MORE] = "a whole and a part are read",
    [MOVE_READ_TWO] = "two are read",
    [MOVE_READ_FORGED] = "one that is forged is read, or sealing fails",
    [MOVE_READ_TWO_FORGED] = "a good one and a forged one are read",
    [MOVE_READ_BAD] = "one that is badly made is read",
    [MOVE_END] = "its end is read",
    [MOVE_READ_FAILED] = "the read fails",
    [MOVE_HANG_UP] = "it is seen to be broken",
    [MOVE_WRITABLE] = "it takes more again",
    [MOVE_DELIVERED] = "the kernel has sent everything",
};

void
scene_name(uint8_t move, char *text, size_t size)
{
	if (move < MOVE_OF_LEG)
		snprintf(text, size, "%s", names[move]);
	else
		snprintf(text, size, "%s leg: %s", move < MOVE_OF_LEG + MOVES_OF_LEG ? "plain" : "cipher",
		    names[MOVE_OF_LEG + (move - MOVE_OF_LEG) % MOVES_OF_LEG]);
}

/* How much the socket takes when it takes some: all but the last byte; of the handshake, of either message. */
static size_t
some(void)
{
	if (scene.is.pause_leg == PIPE_CIPHER && !scene.is.opened && scene.is.said < WIRE_NONCE - 1)
		return WIRE_NONCE - 1 - scene.is.said;
	return scene.is.asked - 1;
}

static bool
can_on_leg(enum pipe_leg leg, enum move move)
{
	const struct side *side = &scene.is.sides[leg];
	unsigned wants = pipe_wants(&scene.pipe, leg);

	if (move == MOVE_HANG_UP)
		return side->connected && !side->closed && side->hung == HUNG_NOT;
	if (move == MOVE_WRITABLE)
		return (wants & PIPE_WANT_WRITE) != 0;
	if (move == MOVE_DELIVERED)
		return side->awaiting;
	/* Out of turn, too. */
	if (move == MOVE_END)
		return side->connected && !side->closed && !side->fin_read && scene.is.blamed == OK;
	if ((wants & PIPE_WANT_READ) == 0)
		return false;
	/* What is broken has data, an end or an error, never nothing, until it was told. */
	if (move == MOVE_READ_NOTHING)
		return side->hung != HUNG_KNOWN;
	return move == MOVE_READ_FAILED || peer_can_say(leg, move);
}

/* A driver answers a PIPE_SEND before it does anything else. */
static bool
can_answer(enum move move)
{
	if (scene.is.pause == PAUSE_DELIVERY)
		return move == MOVE_SENT_ALREADY || move == MOVE_SENT_LATER;
	if (move == MOVE_WROTE_SOME)
		return some() > 0;
	return move <= MOVE_WRITE_FAILED;
}

bool
scene_can(enum move move)
{
	if (scene.is.over)
		return false;
	if (scene.is.pause != PAUSE_NONE)
		return can_answer(move);
	if (move >= MOVE_OF_LEG)
		return can_on_leg((enum pipe_leg)((move - MOVE_OF_LEG) / MOVES_OF_LEG),
		    (enum move)(MOVE_OF_LEG + (move - MOVE_OF_LEG) % MOVES_OF_LEG));
	if (move == MOVE_DIALLED || move == MOVE_DIAL_FAILED)
		return scene.is.dial_asked && !scene.is.dial_answered;
	if (move == MOVE_ADMITTED)
		return scene.is.admit_asked && !scene.is.admitted;
	if (move == MOVE_JOB_TAKEN)
		return scene.is.job == JOB_ASKED;
	if (move == MOVE_JOB_DONE || move == MOVE_JOB_FAILED)
		return scene.is.job == JOB_OUT;
	return move == MOVE_TIME_PASSES || move == MOVE_STOPPED;
}

size_t
scene_moves(uint8_t moves[SEARCH_MOVES])
{
	size_t count = 0;

	for (unsigned move = 0; move < MOVES; move++)
		if (scene_can((enum move)move))
			moves[count++] = (uint8_t)move;
	return count;
}

static enum error
reset_of(enum pipe_leg leg)
{
	return leg == PIPE_CIPHER ? ERROR_CIPHER_RESET : ERROR_PLAIN_RESET;
}

static void
tell_leg(enum pipe_event_kind kind, enum pipe_leg leg)
{
	scene_tell((struct pipe_event){.kind = kind, .leg = leg});
}

static void
make_written(size_t length)
{
	enum pipe_leg leg = scene.is.pause_leg;
	struct side *side = &scene.is.sides[leg];
	const struct side *to = &scene.is.sides[other_leg(leg)];
	uint64_t gone = leg == PIPE_CIPHER ? scene.is.batch_out : scene.is.plain_out - scene.is.plain_from;

	if (length > 0 && scene.is.blamed == OK && (to->unwritable || to->hung == HUNG_TOLD))
		scene.is.due = scene.now + plot.settings.timeout; /* it still gets somewhere */
	if (leg == PIPE_CIPHER && !scene.is.opened) {
		scene.is.said += length;
	} else if (leg == PIPE_PLAIN) {
		scene.is.plain_out += length;
	} else {
		scene.is.batch_out += length;
	}
	if (scene.is.opened && length < scene.is.asked)
		side->packets = PIPE_READ_SMALL;
	else if (scene.is.opened && gone == 0 && side->packets < PIPE_READ_LARGE)
		side->packets = (uint16_t)(2 * side->packets);
	if (scene.is.plain_out == scene.is.authentic)
		scene.is.plain_from = scene.is.plain_out;
	if (scene.is.batch_out == scene.is.batch) {
		scene.is.sealed += scene.is.batch / WIRE_PACKET;
		scene.is.batch = scene.is.batch_out = scene.is.batch_plain = 0;
	}
	scene_tell((struct pipe_event){.kind = PIPE_WRITTEN, .leg = leg, .length = length});
}

static void
make_write_failed(void)
{
	enum pipe_leg leg = scene.is.pause_leg;
	struct side *side = &scene.is.sides[leg];

	side->unwritable = true;
	if (!scene.is.opened || side->fin_read || scene.is.sides[other_leg(leg)].unwritable)
		scene_blame(reset_of(leg), leg);
	else if (scene.is.blamed == OK)
		scene.is.due = scene.now + plot.settings.timeout;
	tell_leg(PIPE_WRITE_FAILED, leg);
}

static void
make_answer(enum move move)
{
	size_t length = move == MOVE_WROTE_ALL ? scene.is.asked : move == MOVE_WROTE_SOME ? some() : 0;

	scene.is.pause = PAUSE_NONE;
	if (move <= MOVE_WROTE_NOTHING) {
		make_written(length);
	} else if (move == MOVE_WRITE_FAILED) {
		make_write_failed();
	} else if (move == MOVE_SENT_ALREADY) {
		scene.is.sides[scene.is.pause_leg].awaiting = false;
		scene.is.sides[scene.is.pause_leg].delivered = true;
		tell_leg(PIPE_DELIVERED, scene.is.pause_leg);
	}
	scene.is.pause_leg = PIPE_PLAIN;
	scene.is.asked = 0;
}

static void
make_dial(enum move move)
{
	scene.is.dial_answered = true;
	if (move == MOVE_DIALLED) {
		scene.is.sides[dialled_leg()].connected = true;
		if (encrypts())
			scene.is.due = scene.now + plot.settings.timeout;
		scene_tell((struct pipe_event){.kind = PIPE_DIALLED, .leg = dialled_leg()});
		return;
	}
	scene_blame(ERROR_CONNECT, PIPE_LEGS);
	scene_tell((struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_CONNECT});
}

/* Of -d's two jobs it is the first: a stranger's, which keyring_match decides. */
static void
make_match(enum move move)
{
	static struct job job, due;

	peer_match(&due);
	if (move == MOVE_JOB_TAKEN) {
		pipe_job(&scene.pipe, &job);
		PROMISE(memcmp(&job, &due, sizeof job) == 0, "this is not the match of what the client has sent");
		scene.is.job = JOB_OUT;
		return;
	}
	job_run(&due);
	if (move == MOVE_JOB_FAILED)
		due.error = ERROR_CRYPTO;
	scene.is.job = JOB_NONE;
	scene.is.matched = true;
	if (move == MOVE_JOB_DONE && scene.is.claim == OK)
		scene.is.proved = true;
	else
		scene_blame(move == MOVE_JOB_DONE ? scene.is.claim : ERROR_CRYPTO, PIPE_LEGS);
	scene_tell((struct pipe_event){.kind = PIPE_JOB_DONE, .job = &due});
}

static void
make_powers(enum move move)
{
	static struct job job;

	if (move == MOVE_JOB_TAKEN) {
		pipe_job(&scene.pipe, &job);
		PROMISE(job.kind == JOB_POWERS && job.wants_y == (scene.is.jobs_done == 0) &&
			    job.wants_shared == scene.is.proved,
		    "this is not the job that is due");
		scene.is.job = JOB_OUT;
		return;
	}
	memset(&job, 0, sizeof job);
	memset(job.y, 0x33, sizeof job.y);
	memset(job.shared, 0x55, sizeof job.shared);
	scene.is.job = JOB_NONE;
	if (move == MOVE_JOB_DONE) {
		scene.is.jobs_done++;
	} else {
		job.error = ERROR_CRYPTO;
		scene_blame(ERROR_CRYPTO, PIPE_LEGS);
	}
	scene_tell((struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
}

static void
make_time(void)
{
	enum error reason = scene.is.admit_asked && !scene.is.admitted ? ERROR_NO_ROOM : ERROR_HANDSHAKE_TIMEOUT;

	scene.now++;
	if (scene.now < pipe_deadline(&scene.pipe))
		return;
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		if (scene.is.sides[leg].unwritable || scene.is.sides[leg].hung == HUNG_TOLD)
			reason = ERROR_STALLED;
	scene.is.hurried = true;
	scene_blame(reason, PIPE_LEGS);
	scene_tell((struct pipe_event){.kind = PIPE_TIME});
}

static void
make_on_leg(enum pipe_leg leg, enum move move)
{
	struct side *side = &scene.is.sides[leg];

	switch ((int)move) {
	case MOVE_END:
		side->fin_read = true;
		if (side->unwritable || side->hung == HUNG_TOLD)
			scene_blame(reset_of(leg), leg);
		else if (leg == PIPE_CIPHER && (!scene.is.opened || scene.is.part > 0))
			scene_blame(ERROR_CUT, leg);
		tell_leg(PIPE_END, leg);
		break;
	case MOVE_READ_FAILED:
		side->unreadable = true;
		scene_blame(reset_of(leg), leg);
		tell_leg(PIPE_READ_FAILED, leg);
		break;
	case MOVE_HANG_UP:
		side->hung = HUNG_KNOWN;
		tell_leg(PIPE_WRITABLE, leg); /* a write that waits will fail now, and so be known */
		break;
	case MOVE_WRITABLE:
		tell_leg(PIPE_WRITABLE, leg);
		break;
	case MOVE_DELIVERED:
		side->awaiting = false;
		side->delivered = true;
		tell_leg(PIPE_DELIVERED, leg);
		break;
	default:
		peer_read(leg, move);
	}
}

void
scene_make(uint8_t number)
{
	enum move move = (enum move)number;

	if (move < MOVE_DIALLED)
		make_answer(move);
	else if (move == MOVE_DIALLED || move == MOVE_DIAL_FAILED)
		make_dial(move);
	else if (move == MOVE_JOB_TAKEN || move == MOVE_JOB_DONE || move == MOVE_JOB_FAILED)
		(encrypts() || scene.is.matched ? make_powers : make_match)(move);
	else if (move == MOVE_TIME_PASSES)
		make_time();
	else if (move >= MOVE_OF_LEG)
		make_on_leg((enum pipe_leg)((move - MOVE_OF_LEG) / MOVES_OF_LEG),
		    (enum move)(MOVE_OF_LEG + (move - MOVE_OF_LEG) % MOVES_OF_LEG));
	if (move == MOVE_ADMITTED) {
		scene.is.admitted = true;
		scene_tell((struct pipe_event){.kind = PIPE_ADMITTED});
	} else if (move == MOVE_STOPPED) {
		scene.is.hurried = true;
		scene_blame(ERROR_KILLED, PIPE_LEGS);
		scene_tell((struct pipe_event){.kind = PIPE_STOP, .error = ERROR_KILLED});
	}
	if (!search_is_broken())
		scene_settle();
}
