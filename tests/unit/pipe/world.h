/*
 * world.h: an encrypting and a decrypting pipe in memory, joined by byte streams, with an application at either end and
 * a clock that only the test moves. It drives the pipes as net/ does, and checks after every step what must always
 * hold: see world_driver.c. Nothing in it is random, so a simulation with a seed can drive it too.
 */
#ifndef TESTS_PIPE_WORLD_H
#define TESTS_PIPE_WORLD_H

#include <string.h>

#include "pipe/pipe.h"
#include "test.h"

enum { ENCRYPTER, DECRYPTER, ENDS };
enum { TIMEOUT = 5000 /* ms, both ends' -o */, ROOMY = 400000, HANDSHAKE = WIRE_NONCE + WIRE_Y_AND_MAC, DID_MAX = 31 };

/* One direction of a connection as a kernel keeps it: what was written and is not read yet, and how it ends. */
struct stream {
	uint8_t *bytes; /* of size; what is there stands at start, length bytes */
	size_t size, start, length;
	size_t capacity;             /* a writer finds it full from here on */
	uint64_t read;               /* in all */
	uint64_t cut_at;             /* no single read crosses this offset */
	bool ended, broken, is_deaf; /* FIN; a reset behind what is there; nobody reads it any more */
};

/* A leg as its driver sees it. The first row is the test's to set. */
struct leg {
	size_t read_most, write_most; /* of one call */
	uint64_t write_until;         /* the socket is full when so much has been written in all */
	bool write_fails, read_fails, wakes_for_nothing;
	struct stream *in, *out;
	bool connected, shut, closed, awaiting, hung_up, unwritable, unreadable, fin_read;
	uint64_t read, wrote;
	size_t unwritten; /* of the last PIPE_SEND */
	size_t packets;   /* the size of the last read that was asked for */
};

struct end {
	struct pipe_settings settings; /* the test's, before world_start */
	bool hold_dial, hold_admission, hold_match, hold_job, hold_delivery;
	struct pipe pipe;
	struct leg legs[PIPE_LEGS];
	struct pipe_buffer *held[PIPE_RELEASES]; /* what the pipe has of the driver's memory */
	bool started, dial_asked, admit_asked, match_asked, job_asked, admitted, opened, over;
	bool is_excused; /* stopped, or a deadline has passed: a reset need not wait */
	uint64_t broken_at;
	/*
	 * All that it did but sending and releasing, in order: Match, Dial, Admit, dH, Opened, Shutdown, Wait for
	 * delivery, Close, Reset of the cipher leg, s w c r of the plain leg, and . when it was over.
	 */
	char did[DID_MAX + 1];
};

struct world {
	struct engine *engine;
	struct key_name name;
	struct key keys[2];
	struct keyring rings[ENDS];
	struct end ends[ENDS];
	struct stream wire[ENDS];      /* [i] is what end i writes */
	struct stream from_app[ENDS];  /* what the application beside end i writes */
	struct stream to_app[ENDS];    /* and what it reads */
	uint64_t said[ENDS];           /* bytes that it has written in all */
	bool is_stalled[ENDS];         /* it reads nothing */
	bool is_tampered, is_pressing; /* somebody was at the wire; memory is short */
	uint64_t now;
	size_t first; /* which of the things that can happen is tried first */
	uint8_t *in;
};

int world_setup(void **state);
int world_teardown(void **state);

/* Everything anew but the settings; nothing is accepted yet. */
void world_reset(struct world *world);

/* The encrypter has accepted its application. What it dials is accepted by the decrypter. */
void world_start(struct world *world);
void world_accept(struct world *world); /* the decrypter alone: the test plays the peer */

/* One thing that can happen happens; false if nothing can before time passes or somebody acts. */
bool world_step(struct world *world);
void world_run(struct world *world);
void world_wait(struct world *world, uint64_t milliseconds);

/* Starts both ends and lets them open. */
void world_open(struct world *world);

/* The application beside an end acts: it writes so many bytes, whose values the world knows; it ends; it resets. */
void world_say(struct world *world, int end, size_t length);
void world_end(struct world *world, int end);
void world_break(struct world *world, int end);

/* An event of the test's own. */
void world_tell(struct world *world, int end, struct pipe_event event);

/*
 * What world.c, world_driver.c and world_happen.c share: the byte that an application writes at an offset; how much a
 * write would take now; an event, and all that a pipe wants done after it; the thing-th of what can happen to an end,
 * false if it cannot now.
 */
enum { WORLD_THINGS = 1 + 4 + 4 * PIPE_LEGS };
uint8_t world_byte(int end, uint64_t offset);
size_t leg_room(const struct leg *leg);
void world_hear(struct world *world, struct end *end, struct pipe_event event);
void world_settle(struct world *world, struct end *end);
bool world_happen(struct world *world, struct end *end, size_t thing);

static inline bool
encrypts(const struct end *end)
{
	return end->settings.kind == PIPE_ENCRYPT;
}

/* A buffer for so many packets, which the world frees when it is released. */
struct pipe_buffer *world_hand_in(struct end *end, size_t packets);

void stream_put(struct stream *stream, const uint8_t *bytes, size_t length);
void stream_break(struct stream *read_by_pipe, struct stream *written_by_pipe);

/* What has come out of an end's plain leg so far. */
#define assert_heard(world, end, count) assert_int_equal((world)->ends[end].legs[PIPE_PLAIN].wrote, count)
#define assert_did(world, end, what) assert_string_equal((world)->ends[end].did, what)
#define assert_reason(world, end, error) assert_int_equal(pipe_reason(&(world)->ends[end].pipe), error)

#endif
