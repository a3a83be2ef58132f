/* connection.c: does as a pipe says, and judges all of it by what the protocol says of the input. */
#include "connection.h"

#include <stdlib.h>

enum { OUT_ROOM = 1 << 21 };

static uint8_t wire[OUT_ROOM], heard[PLAIN_ROOM], expected[PLAIN_ROOM];
static size_t ends_at[PLAIN_ROOM / WIRE_PLAIN_MAX + 1]; /* where each of the peer's packets ends in expected */

uint8_t
say_byte(size_t at)
{
	return (uint8_t)(at * 2654435761u >> 13);
}

uint8_t
next_of_script(struct world *w)
{
	return w->script_at < SCRIPT ? w->script[w->script_at++] : 0;
}

/* Whether the peer's bytes that have been read prove a key. */
static bool
is_proved(const struct world *w)
{
	return w->peer_read >= HANDSHAKE && w->story.verdict == OK;
}

void
foretell(struct world *w)
{
	enum peer_verdict verdict = PEER_GOOD;
	size_t packets, n;

	w->expected = ERROR_CUT;
	if (w->peer_size < HANDSHAKE)
		return;
	w->expected = w->story.verdict;
	if (w->expected != OK)
		return;
	packets = (w->peer_size - HANDSHAKE) / WIRE_PACKET;
	for (size_t i = 0; i < packets; i++) {
		verdict = peer_open(
		    &w->story.theirs, i, w->peer + HANDSHAKE + i * WIRE_PACKET, expected + w->expected_length, &n);
		w->expected_length += n;
		if (verdict != PEER_GOOD)
			break;
		ends_at[++w->good_packets] = w->expected_length;
	}
	if (verdict != PEER_GOOD)
		w->expected = verdict == PEER_BAD_MAC ? ERROR_BAD_MAC : ERROR_BAD_LENGTH;
	else if ((w->peer_size - HANDSHAKE) % WIRE_PACKET != 0)
		w->expected = ERROR_CUT;
}

/* What came out on the plain leg is what whole and good packets said, in order; not a byte else. */
static void
check_heard(const struct world *w)
{
	size_t packets = w->peer_read > HANDSHAKE ? (w->peer_read - HANDSHAKE) / WIRE_PACKET : 0;

	packets = packets < w->good_packets ? packets : w->good_packets;
	check(w->heard_length <= ends_at[packets]);
	check(memcmp(heard, expected, w->heard_length) == 0);
}

/* What went out on the cipher leg is the handshake and packets that open to what was said; returns how much of it. */
static size_t
check_wire(const struct world *w)
{
	const uint8_t *dhmac = w->story.dk_1 + (is_server(w) ? WIRE_DHMAC_S : WIRE_DHMAC_C);
	uint8_t ours[HANDSHAKE], plain[WIRE_PLAIN_MAX];
	size_t at = 0, n;

	memcpy(ours, w->head.random, WIRE_NONCE);
	memcpy(ours + WIRE_NONCE, w->story.y, WIRE_Y);
	peer_hmac(dhmac, w->story.y, WIRE_Y, ours + WIRE_NONCE + WIRE_Y);
	check(memcmp(wire, ours, w->wire_length < HANDSHAKE ? w->wire_length : HANDSHAKE) == 0);
	check(is_proved(w) || w->wire_length <= (is_server(w) ? (size_t)WIRE_NONCE : (size_t)HANDSHAKE));
	for (size_t i = 0; HANDSHAKE + (i + 1) * WIRE_PACKET <= w->wire_length; i++) {
		check(peer_open(&w->story.ours, i, wire + HANDSHAKE + i * WIRE_PACKET, plain, &n) == PEER_GOOD);
		for (size_t j = 0; j < n; j++)
			check(plain[j] == say_byte(at + j));
		at += n;
	}
	check(at <= w->said);
	return at;
}

void
hear(struct world *w, struct pipe_event event)
{
	pipe_event(&w->pipe, &event, w->now);
}

void
disturb(struct world *w, struct pipe_event event)
{
	w->disturbed = true;
	hear(w, event);
}

struct pipe_buffer *
hand_in(struct world *w, size_t packets)
{
	struct pipe_buffer *buffer = malloc(sizeof *buffer);
	size_t place = 0;

	while (place < PIPE_RELEASES && w->held[place] != NULL)
		place++;
	check(place < PIPE_RELEASES && buffer != NULL);
	buffer->size = packets * PIPE_OUT_PER_PACKET;
	buffer->bytes = malloc(buffer->size);
	check(buffer->bytes != NULL);
	w->held[place] = buffer;
	return buffer;
}

static void
take_back(struct world *w, struct pipe_buffer *buffer)
{
	size_t place = 0;

	while (place < PIPE_RELEASES && w->held[place] != buffer)
		place++;
	check(place < PIPE_RELEASES);
	w->held[place] = NULL;
	free(buffer->bytes);
	free(buffer);
}

static void
do_send(struct world *w, const struct pipe_action *action)
{
	struct leg *leg = &w->legs[action->leg];
	size_t *used = action->leg == PIPE_CIPHER ? &w->wire_length : &w->heard_length, length = action->length;
	uint8_t *out = action->leg == PIPE_CIPHER ? wire : heard, manner = next_of_script(w) >> 4;

	check(leg->connected && !leg->closed && !leg->shut && !leg->failed && length > 0);
	if (manner == 14) {
		leg->failed = true;
		disturb(w, (struct pipe_event){.kind = PIPE_WRITE_FAILED, .leg = action->leg});
		return;
	}
	if (manner >= 10 && manner <= 13)
		length = (const size_t[]){0, 1, length / 2, length - 1}[manner - 10];
	check(*used + length <= (action->leg == PIPE_CIPHER ? (size_t)OUT_ROOM : (size_t)PLAIN_ROOM));
	memcpy(out + *used, action->bytes, length);
	*used += length;
	hear(w, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = action->leg, .length = length});
}

/* An end is shown only where there is one: all that was said has come across, and nothing was wrong. */
static void
do_shutdown(struct world *w, enum pipe_leg which)
{
	check(w->opened && w->legs[1 - which].ended && !w->legs[which].shut);
	if (which == PIPE_PLAIN) {
		check((w->peer_read - HANDSHAKE) % WIRE_PACKET == 0 && w->peer_read == w->peer_size);
		check(w->expected == OK && w->heard_length == w->expected_length);
	} else {
		check(check_wire(w) == w->said && (w->wire_length - HANDSHAKE) % WIRE_PACKET == 0);
	}
	w->legs[which].shut = true;
}

static void
do_close(struct world *w, enum pipe_leg which, bool is_reset)
{
	struct leg *leg = &w->legs[which];

	check(leg->connected && !leg->closed);
	if (which == PIPE_PLAIN && !is_reset)
		check(pipe_reason(&w->pipe) == OK && leg->shut);
	leg->closed = true;
}

static void
do_over(struct world *w)
{
	enum error reason = pipe_reason(&w->pipe);
	uint64_t read, written;
	size_t across = check_wire(w);

	w->over = true;
	check(w->disturbed || reason == w->expected);
	check(reason != OK || w->expected == OK);
	if (reason == OK && !w->settings.end_at_far_end)
		check(across == w->said && w->legs[PIPE_PLAIN].ended);
	pipe_counts(&w->pipe, &read, &written);
	check(read == w->said && written == w->heard_length);
	check(fuzz_is_wiped(&w->pipe.session.handshake, sizeof w->pipe.session.handshake));
	check(fuzz_is_wiped(&w->pipe.session.data, sizeof w->pipe.session.data));
	for (size_t i = 0; i < PIPE_RELEASES; i++)
		check(w->held[i] == NULL);
	for (int which = 0; which < PIPE_LEGS; which++)
		check(w->legs[which].closed || !w->legs[which].connected);
	check(pipe_deadline(&w->pipe) == UINT64_MAX);
}

/* Of a stranger only which key it has, once, when all that shows it is there. */
static void
ask_for_job(struct world *w)
{
	if (is_server(w) && pipe_key(&w->pipe) == NULL) {
		check(w->peer_read == HANDSHAKE && !w->match_asked);
		w->match_asked = true;
	} else {
		check(!is_server(w) || is_proved(w));
		check(!w->settings.asks_admission || w->admitted);
	}
	w->job_asked = true;
}

static void
do_action(struct world *w, const struct pipe_action *action)
{
	switch (action->kind) {
	case PIPE_DIAL:
		check(!is_server(w) || is_proved(w)); /* no stranger makes us dial */
		check(!w->settings.asks_admission || w->admitted);
		w->dial_asked = true;
		break;
	case PIPE_ADMIT:
		check(is_proved(w));
		w->admit_asked = true;
		break;
	case PIPE_JOB:
		ask_for_job(w);
		break;
	case PIPE_OPENED:
		check(is_proved(w) && w->wire_length == HANDSHAKE);
		check(w->legs[PIPE_PLAIN].connected && w->legs[PIPE_CIPHER].connected);
		w->opened = true;
		break;
	case PIPE_SEND:
		do_send(w, action);
		break;
	case PIPE_SHUTDOWN:
		do_shutdown(w, action->leg);
		break;
	case PIPE_AWAIT_DELIVERY:
		w->legs[action->leg].awaiting = true;
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		do_close(w, action->leg, action->kind == PIPE_RESET);
		break;
	case PIPE_RELEASE:
		take_back(w, action->buffer);
		break;
	case PIPE_OVER:
		do_over(w);
		break;
	}
}

void
settle(struct world *w)
{
	struct pipe_action action;

	while (!w->over && pipe_next(&w->pipe, &action))
		do_action(w, &action);
	check(!w->over || !pipe_next(&w->pipe, &action));
	check_heard(w);
}
