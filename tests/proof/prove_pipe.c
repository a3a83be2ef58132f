/*
 * prove_pipe.c: src/pipe/pipe.c and src/pipe/pipe_next.c, on either side, from any state that they can be in. Of reads
 * on the cipher leg: every leftover with the fewest and the most packets, every count of packets, and each of their
 * ends where memory ends; of all other events any.
 */
#include "pipe/pipe.h"

#include "unknown.h"

enum { SIZES = 5 };

static const size_t sizes[SIZES] = {16, 32, 64, 128, 256};

/* Frama-C wants even no bytes to be copied from somewhere, so in has a byte behind its end; one without a value. */
static uint8_t *in;
static uint8_t out[PIPE_READ_LARGE * PIPE_OUT_PER_PACKET], pending[PIPE_LEGS][PIPE_IN_SIZE];
static struct pipe_buffer out_buffer, buffers[PIPE_LEGS];
static struct pipe_settings settings;
static struct pipe started;
static struct key_name name;
static const struct key key = {.name = &name};
static struct keyring keyring = {.count = 1, .keys = &key};

static uint64_t
any_time(void)
{
	return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

static void
start(enum pipe_kind kind)
{
	uint8_t random[SESSION_RANDOM];

	settings.kind = kind;
	unknown_bytes(random, sizeof random);
	pipe_start(&started, &settings, &keyring, NULL, random, any_time());
	unknown_bytes(started.session.partial, sizeof started.session.partial);
	//@ slevel merge;
}

static void
any_leg(struct pipe_leg_state *leg, struct pipe_buffer *buffer)
{
	leg->pending = unknown_bool() ? buffer : NULL;
	leg->start = 0;
	leg->end = unknown_size(1, PIPE_IN_SIZE);
	leg->connected = unknown_bool();
	leg->blocked = unknown_bool();
	leg->ended = unknown_bool();
	leg->hung_up = unknown_bool();
	leg->unwritable = unknown_bool();
	leg->broken = unknown_bool();
	leg->shut = unknown_bool();
	leg->awaiting = unknown_bool();
	leg->delivered = unknown_bool();
	leg->closed = unknown_bool();
}

static void
any_state(struct pipe *p)
{
	*p = started;
	any_leg(&p->legs[PIPE_PLAIN], &buffers[PIPE_PLAIN]);
	any_leg(&p->legs[PIPE_CIPHER], &buffers[PIPE_CIPHER]);
	p->key = unknown_bool() ? &name : NULL;
	p->session.key = unknown_bool() ? &key : NULL;
	p->dial = (enum pipe_step)unknown_size(STEP_NONE, STEP_DONE);
	p->admit = (enum pipe_step)unknown_size(STEP_NONE, STEP_DONE);
	p->job = (enum pipe_step)unknown_size(STEP_NONE, STEP_DONE);
	p->opened = (enum pipe_step)unknown_size(STEP_NONE, STEP_DONE);
	p->ending = unknown_bool();
	p->hurried = unknown_bool();
	p->over = unknown_bool();
	p->deadline = any_time();
	//@ slevel merge;
}

/* Packets flow, and leftover bytes of one are there. */
static void
open_with(struct pipe *p, size_t leftover)
{
	*p = started;
	p->opened = STEP_DONE;
	p->leftover = leftover;
}

static void
then(struct pipe *p)
{
	struct pipe_action action;
	uint64_t sum_in, sum_out;

	(void)pipe_next(p, &action);
	(void)pipe_next(p, &action);
	(void)pipe_wants(p, PIPE_PLAIN);
	(void)pipe_wants(p, PIPE_CIPHER);
	(void)pipe_deadline(p);
	(void)pipe_reason(p);
	(void)pipe_key(p);
	(void)pipe_has_met(p);
	pipe_counts(p, &sum_in, &sum_out);
	//@ slevel merge;
}

/* length bytes behind leftover; in ends where in_size ends, and there is room for so many packets. */
static void
read_cipher_leg(size_t leftover, size_t length, uint8_t *first, size_t packets)
{
	struct pipe p;
	struct pipe_event event = {
	    .kind = PIPE_READ, .leg = PIPE_CIPHER, .in = first, .length = length, .out = &out_buffer};

	open_with(&p, leftover);
	out_buffer.size = packets * PIPE_OUT_PER_PACKET;
	out_buffer.bytes = out + sizeof out - out_buffer.size;
	pipe_event(&p, &event, any_time());
	//@ assert leftover: p.leftover < WIRE_PACKET;
	//@ slevel merge;
}

/* Any length with which leftover and it are count packets and a part of one. */
static void
of_count(size_t leftover, size_t count, size_t packets)
{
	size_t from = count * WIRE_PACKET, to = count == packets ? from : from + WIRE_PACKET - 1;

	if (to <= leftover)
		return;
	read_cipher_leg(leftover, unknown_size(from > leftover ? from - leftover : 1, to - leftover), in, packets);
}

static void
read_into(size_t leftover, enum pipe_leg leg, size_t packets)
{
	struct pipe p;
	size_t offset, batch, length;

	open_with(&p, leftover);
	p.legs[leg == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN].read_packets = (uint16_t)packets;
	length = pipe_read_into(&p, leg, unknown_bool(), in, &offset, &batch);
	//@ assert some: length >= 1;
	//@ assert fits: offset + length <= PIPE_IN_SIZE;
	//@ assert batch: 1 <= batch <= PIPE_READ_LARGE;
	//@ slevel merge;
}

static void
every_leftover(void)
{
	//@ loop unroll 1060;
	for (size_t leftover = 0; leftover < WIRE_PACKET; leftover++) {
		read_into(leftover, PIPE_CIPHER, PIPE_READ_LARGE);
		of_count(leftover, 0, PIPE_READ_SMALL);
		of_count(leftover, 1, PIPE_READ_SMALL);
		of_count(leftover, PIPE_READ_LARGE, PIPE_READ_LARGE);
	}
}

static void
every_count(void)
{
	//@ loop unroll 257;
	for (size_t count = 0; count <= PIPE_READ_LARGE; count++) {
		size_t length = count * WIRE_PACKET;

		of_count(0, count, PIPE_READ_LARGE);
		if (count > 0)
			read_cipher_leg(0, length, in + PIPE_IN_SIZE - length, count);
		if (count < PIPE_READ_LARGE)
			read_cipher_leg(0, length + 1059, in + PIPE_IN_SIZE - length - 1059, count + 1);
	}
}

static void
read_plain_leg(size_t packets)
{
	struct pipe p;
	struct pipe_event event = {.kind = PIPE_READ, .leg = PIPE_PLAIN, .in = in, .out = &out_buffer};

	read_into(0, PIPE_PLAIN, packets);
	open_with(&p, 0);
	out_buffer.size = packets * PIPE_OUT_PER_PACKET;
	out_buffer.bytes = out + sizeof out - out_buffer.size;
	event.length = unknown_size(0, packets * WIRE_PLAIN_MAX);
	pipe_event(&p, &event, any_time());
	then(&p);
}

/* More than the handshake takes is the session's to refuse. */
static void
handshake(void)
{
	struct pipe p;
	struct pipe_event event = {.kind = PIPE_READ, .leg = PIPE_CIPHER};
	size_t offset, batch;

	any_state(&p);
	p.opened = STEP_NONE;
	(void)pipe_read_into(&p, PIPE_CIPHER, unknown_bool(), in, &offset, &batch);
	//@ assert none: offset == 0 && batch == 0;
	//@ loop unroll 290;
	for (size_t length = 0; length <= WIRE_Y_AND_MAC + 1; length++) {
		any_state(&p);
		p.opened = (enum pipe_step)unknown_size(STEP_NONE, STEP_ASKED);
		event.in = in + PIPE_IN_SIZE - length;
		event.length = length;
		pipe_event(&p, &event, any_time());
		//@ slevel merge;
	}
	then(&p);
}

static void
event_of(enum pipe_event_kind kind, enum pipe_leg leg)
{
	struct pipe p;
	struct job job;
	struct pipe_event event = {.kind = kind, .leg = leg, .error = ERROR_CRYPTO, .job = &job};

	any_state(&p);
	unknown_bytes(&job, sizeof job);
	event.length = unknown_size(0, PIPE_IN_SIZE);
	pipe_event(&p, &event, any_time());
	then(&p);
}

static void
every_event(void)
{
	struct pipe p;
	struct job job;

	//@ loop unroll 14;
	for (int kind = PIPE_DIALLED; kind <= PIPE_STOP; kind++) {
		if (kind == PIPE_READ)
			continue;
		event_of((enum pipe_event_kind)kind, PIPE_PLAIN);
		event_of((enum pipe_event_kind)kind, PIPE_CIPHER);
	}
	any_state(&p);
	pipe_job(&p, &job);
	then(&p);
}

int
main(void)
{
	uint8_t memory[PIPE_IN_SIZE + 1];

	in = memory;
	unknown_bytes(in, PIPE_IN_SIZE);
	unknown_bytes(pending, sizeof pending);
	buffers[PIPE_PLAIN] = (struct pipe_buffer){.bytes = pending[PIPE_PLAIN], .size = PIPE_IN_SIZE};
	buffers[PIPE_CIPHER] = (struct pipe_buffer){.bytes = pending[PIPE_CIPHER], .size = PIPE_IN_SIZE};
	settings.timeout = any_time();
	settings.asks_admission = unknown_bool();
	settings.end_at_far_end = unknown_bool();
	start(PIPE_ENCRYPT);
	handshake();
	every_event();
	//@ loop unroll 5;
	for (int i = 0; i < SIZES; i++)
		read_plain_leg(sizes[i]);
	start(PIPE_DECRYPT);
	handshake();
	every_event();
	every_count();
	every_leftover();
	return 0;
}
