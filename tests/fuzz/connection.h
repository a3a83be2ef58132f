/* connection.h: one connection of pipe.c with its two legs, as its driver and its judge see it. */
#ifndef TESTS_FUZZ_CONNECTION_H
#define TESTS_FUZZ_CONNECTION_H

#include <string.h>

#include "fuzz.h"
#include "handshake_input.h"
#include "pipe/pipe.h"

enum { TIMEOUT = 5000, PLAIN_ROOM = 1 << 18 };

/* A leg's kernel side: what has happened to it. */
struct leg {
	bool connected, closed, ended, shut, failed, awaiting;
};

struct world {
	struct handshake_head head;
	struct handshake_story story;
	const uint8_t *script, *peer;
	size_t script_at, peer_size, peer_read;
	struct pipe_settings settings;
	struct key keys[KEYS];
	struct keyring ring;
	struct pipe pipe;
	struct pipe_buffer *held[PIPE_RELEASES];
	struct leg legs[PIPE_LEGS];
	uint64_t now;
	size_t said, say;                 /* plain bytes given, and to give */
	size_t wire_length, heard_length; /* sent on the cipher leg, and on the plain leg */
	size_t expected_length;           /* of all that the peer says */
	size_t good_packets;              /* of the peer's, before the first that is wrong */
	enum error expected;              /* how it ends when nothing is broken on the way */
	bool dial_asked, admit_asked, admitted, match_asked, job_asked, opened, over, disturbed;
};

static inline bool
is_server(const struct world *w)
{
	return w->settings.kind == PIPE_DECRYPT;
}

/* The byte at that place of what the plain leg says. */
uint8_t say_byte(size_t at);

/* The next byte of the script; 0, which is the usual thing, behind its end. */
uint8_t next_of_script(struct world *w);

/* Finds out, by the protocol alone, all that the peer says and how it ends. After handshake_tell. */
void foretell(struct world *w);

/* An event; and one that a peer or the network does to an honest connection, whose end is not foretold any more. */
void hear(struct world *w, struct pipe_event event);
void disturb(struct world *w, struct pipe_event event);

/* A buffer for so many packets; it is freed when the pipe gives it back. */
struct pipe_buffer *hand_in(struct world *w, size_t packets);

/* Does all that the pipe wants done, and checks each thing, and what has come out of either leg. */
void settle(struct world *w);

#endif
