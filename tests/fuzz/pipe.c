/*
 * pipe.c: a whole connection, encrypting or decrypting by FUZZ_ROLE, whose cipher leg meets the input's peer and whose
 * driver does what the input's script says, in any order that a kernel could. Keyed. Input: handshake_input.h; its
 * plain leg has 64 * say bytes to say. Each byte of the script is a thing to happen (low half) and an amount (high).
 */
#include "connection.h"

enum { STEPS_MAX = 5000, BENIGN = 12 };

static uint8_t in[PIPE_IN_SIZE];

static bool
can_read(const struct world *w, enum pipe_leg which)
{
	return (pipe_wants(&w->pipe, which) & PIPE_WANT_READ) != 0;
}

/* amount 0: as much as there is; 15: none, a read that was for nothing. */
static bool
read_leg(struct world *w, enum pipe_leg which, uint8_t amount)
{
	static const size_t most[16] = {
	    SIZE_MAX, 1, 2, 31, 32, 288, 1023, 1024, 1059, 1060, 1061, 2119, 2120, 5000, 20000, 0};
	struct pipe_event event = {.kind = PIPE_READ, .leg = which, .in = in};
	size_t left = which == PIPE_CIPHER ? w->peer_size - w->peer_read : w->say - w->said, offset, packets, length;

	if (!can_read(w, which) || left == 0)
		return false;
	length = pipe_read_into(&w->pipe, which, (w->head.manner & MANNER_PRESSURE) != 0, in, &offset, &packets);
	check(length > 0 && offset < WIRE_PACKET && offset + length <= PIPE_IN_SIZE);
	check(which == PIPE_CIPHER || w->opened);
	check(w->opened || w->peer_read + length <= HANDSHAKE); /* not a byte more before there is a target */
	length = length < left ? length : left;
	length = length < most[amount] ? length : most[amount];
	if (which == PIPE_CIPHER) {
		memcpy(in + offset, w->peer + w->peer_read, length);
		w->peer_read += length;
	} else {
		for (size_t i = 0; i < length; i++)
			in[offset + i] = say_byte(w->said++);
	}
	event.length = length;
	event.out = packets > 0 ? hand_in(w, packets) : NULL;
	hear(w, event);
	return true;
}

static bool
end_leg(struct world *w, enum pipe_leg which)
{
	size_t left = which == PIPE_CIPHER ? w->peer_size - w->peer_read : w->say - w->said;

	if (!can_read(w, which) || left > 0)
		return false;
	w->legs[which].ended = true;
	hear(w, (struct pipe_event){.kind = PIPE_END, .leg = which});
	return true;
}

static bool
connect_leg(struct world *w, bool works)
{
	enum pipe_leg which = is_server(w) ? PIPE_PLAIN : PIPE_CIPHER;

	if (!w->dial_asked)
		return false;
	w->dial_asked = false;
	w->legs[which].connected = works;
	if (works)
		hear(w, (struct pipe_event){.kind = PIPE_DIALLED, .leg = which});
	else
		disturb(w, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_CONNECT});
	return true;
}

static bool
admit(struct world *w)
{
	if (!w->admit_asked)
		return false;
	w->admit_asked = false;
	w->admitted = true;
	hear(w, (struct pipe_event){.kind = PIPE_ADMITTED});
	return true;
}

static bool
run_job(struct world *w)
{
	struct job job;

	if (!w->job_asked)
		return false;
	w->job_asked = false;
	pipe_job(&w->pipe, &job);
	job_run(&job);
	hear(w, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
	job_wipe(&job);
	return true;
}

static bool
make_writable(struct world *w, enum pipe_leg which)
{
	if ((pipe_wants(&w->pipe, which) & PIPE_WANT_WRITE) == 0)
		return false;
	hear(w, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
	return true;
}

static bool
deliver(struct world *w, enum pipe_leg which)
{
	if (!w->legs[which].awaiting || w->legs[which].closed)
		return false;
	w->legs[which].awaiting = false;
	hear(w, (struct pipe_event){.kind = PIPE_DELIVERED, .leg = which});
	return true;
}

static bool
pass_time(struct world *w)
{
	uint64_t deadline = pipe_deadline(&w->pipe);

	if (deadline == UINT64_MAX)
		return false;
	check(deadline <= w->now + TIMEOUT);
	w->now = deadline > w->now ? deadline : w->now;
	disturb(w, (struct pipe_event){.kind = PIPE_TIME});
	return true;
}

static bool
break_leg(struct world *w, enum pipe_leg which)
{
	if (!w->legs[which].connected || w->legs[which].closed || w->legs[which].failed)
		return false;
	disturb(w, (struct pipe_event){.kind = can_read(w, which) ? PIPE_READ_FAILED : PIPE_HANGUP, .leg = which});
	return true;
}

static bool
stop(struct world *w)
{
	disturb(w, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_EVICTED});
	return true;
}

/* The first BENIGN are what goes on anyway, in an order in which a connection gets on. */
static bool
happen(struct world *w, uint8_t what, uint8_t amount)
{
	switch (what) {
	case 0:
		return connect_leg(w, true);
	case 1:
		return admit(w);
	case 2:
		return run_job(w);
	case 3:
	case 4:
		return read_leg(w, what == 3 ? PIPE_CIPHER : PIPE_PLAIN, amount);
	case 5:
	case 6:
		return make_writable(w, what == 5 ? PIPE_CIPHER : PIPE_PLAIN);
	case 7:
	case 8:
		return end_leg(w, what == 7 ? PIPE_CIPHER : PIPE_PLAIN);
	case 9:
	case 10:
		return deliver(w, what == 9 ? PIPE_CIPHER : PIPE_PLAIN);
	case 11:
		return pass_time(w);
	case 12:
		return connect_leg(w, false);
	case 13:
	case 14:
		return break_leg(w, what == 13 ? PIPE_CIPHER : PIPE_PLAIN);
	default:
		return amount == 15 && stop(w); /* rare: it ends every story */
	}
}

static void
start(struct world *w)
{
	bool serves = FUZZ_ROLE == SESSION_SERVER;

	handshake_tell(&w->head, w->peer, w->peer_size, &w->story);
	foretell(w);
	handshake_ring(&w->story, w->head.k, w->keys);
	w->ring = (struct keyring){.count = KEYS, .keys = w->keys};
	w->settings = (struct pipe_settings){.kind = serves ? PIPE_DECRYPT : PIPE_ENCRYPT,
	    .forward_secrecy = w->story.mode,
	    .timeout = TIMEOUT,
	    .asks_admission = serves && (w->head.manner & MANNER_ADMISSION) != 0,
	    .end_at_far_end = !serves && (w->head.manner & MANNER_FAR_END) != 0};
	w->say = 64 * (size_t)w->head.say;
	w->legs[serves ? PIPE_CIPHER : PIPE_PLAIN].connected = true;
	pipe_start(&w->pipe, &w->settings, &w->ring, handshake_engine(&w->head), w->head.random, w->now);
	settle(w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	size_t steps = 0;

	if (size < sizeof w.head + SCRIPT || size > PLAIN_ROOM)
		return 0;
	memset(&w, 0, sizeof w);
	memcpy(&w.head, data, sizeof w.head);
	w.script = data + sizeof w.head;
	w.peer = w.script + SCRIPT;
	w.peer_size = size - sizeof w.head - SCRIPT;
	start(&w);
	while (!w.over && w.script_at < SCRIPT) {
		uint8_t next = next_of_script(&w);

		if (happen(&w, next & 15, next >> 4))
			settle(&w);
	}
	for (; !w.over; steps++) {
		uint8_t what = 0;

		while (what < BENIGN && !happen(&w, what, 0))
			what++;
		check(what < BENIGN); /* stuck */
		check(steps < STEPS_MAX);
		settle(&w);
	}
	return 0;
}
