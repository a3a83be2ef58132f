/*
 * scene.h: one pipe and what is around it, as its driver in net/ would know it: two legs, memory, a clock. Whatever its
 * peers, the kernel, the clock and the user can do is a move; after each, all is done that the pipe wants done.
 */
#ifndef TESTS_ORDERS_SCENE_H
#define TESTS_ORDERS_SCENE_H

#include "crypto.h"
#include "pipe/pipe.h"
#include "search.h"

enum move {
	/* while a PIPE_SEND is to be answered: the socket takes all, less, nothing, or fails */
	MOVE_WROTE_ALL,
	MOVE_WROTE_SOME,
	MOVE_WROTE_NOTHING,
	MOVE_WRITE_FAILED,
	/* when delivery is awaited: the kernel has sent everything already, or has not */
	MOVE_SENT_ALREADY,
	MOVE_SENT_LATER,
	/* else */
	MOVE_DIALLED,
	MOVE_DIAL_FAILED,
	MOVE_ADMITTED,
	MOVE_JOB_TAKEN,
	MOVE_JOB_DONE,
	MOVE_JOB_FAILED,
	MOVE_TIME_PASSES, /* one millisecond of -o's few */
	MOVE_STOPPED,
	/* of the plain leg; the same of the cipher leg follow */
	MOVE_OF_LEG,
	MOVE_READ_NOTHING = MOVE_OF_LEG,
	MOVE_READ_SOME,   /* plain: one byte; cipher: all but the last of a message; the first of a packet, then so */
	MOVE_READ_UNIT,   /* plain: two packets' worth; cipher: to the end of the message, or of the packet */
	MOVE_READ_MORE,   /* cipher: to the first byte of the next packet */
	MOVE_READ_TWO,    /* cipher: to the end of the next packet */
	MOVE_READ_FORGED, /* cipher: to the end, and the MAC is wrong; plain: as one byte, and sealing fails */
	MOVE_READ_TWO_FORGED, /* cipher: a good packet, and one whose MAC is wrong */
	MOVE_READ_BAD,        /* cipher: to the end; the MAC is right, what it protects is not: a y, a length */
	MOVE_END,
	MOVE_READ_FAILED,
	MOVE_HANG_UP,
	MOVE_WRITABLE,
	MOVE_DELIVERED,
	MOVES_OF_LEG = MOVE_DELIVERED - MOVE_OF_LEG + 1,
	MOVES = MOVE_OF_LEG + PIPE_LEGS * MOVES_OF_LEG
};

enum { HANDSHAKE = WIRE_NONCE + WIRE_Y_AND_MAC, BATCH_PACKETS = 2, BUFFERS = 3 };

/* What is searched: a kind of pipe, and how much the peers have to say. */
struct plot {
	struct pipe_settings settings;
	unsigned packets; /* that come on the cipher leg at most */
	unsigned reads;   /* that find something on the plain leg at most */
};

enum hung { HUNG_NOT, HUNG_KNOWN, HUNG_TOLD };

struct side {
	bool connected, closed, shut, awaiting, delivered, unwritable, fin_read, unreadable;
	bool broke_at_end; /* hung up while the pipe was ending */
	uint8_t hung;      /* enum hung */
	uint16_t packets;  /* that may be read for it at once */
};

/* What is true, by what has happened: kept apart from the pipe, which is held to it. */
struct facts {
	struct side sides[PIPE_LEGS];
	struct engine engine;
	bool held[BUFFERS];
	bool dial_asked, dial_answered, admit_asked, admitted, opened, over, hurried;
	bool proved;      /* the peer has: S4 or C5 has passed */
	bool matched;     /* -d: which key it is has been looked for */
	enum error claim; /* -d: what comes of its y and MAC when they are looked at */
	bool ready;       /* keys are there and our part of the handshake is written */
	uint8_t jobs_done;
	enum { JOB_NONE, JOB_ASKED, JOB_OUT } job;
	enum { PAUSE_NONE, PAUSE_SEND, PAUSE_DELIVERY } pause; /* what the driver has to answer before anything else */
	enum pipe_leg pause_leg;
	size_t asked; /* bytes of the PIPE_SEND */
	enum error blamed;
	enum pipe_leg culprit;         /* the leg that broke, PIPE_LEGS: none */
	uint64_t due;                  /* when time is up; UINT64_MAX: nothing is waited for that has a time */
	size_t heard, said;            /* bytes of the handshake */
	unsigned packets;              /* that came in whole */
	size_t part;                   /* of the next one */
	uint64_t authentic, plain_out; /* bytes that came in good packets; those that the plain leg has taken */
	uint64_t plain_from;           /* of these, before the last batch */
	unsigned reads;
	uint64_t plain_in, sealed; /* bytes that were read from the plain leg; packets that they made */
	size_t batch, batch_out;   /* bytes on the wire of the last batch: all, and those that were taken */
	size_t batch_plain;        /* how many plain bytes stand in it */
};

struct scene {
	struct pipe pipe;
	struct facts is;
	uint64_t now;
	struct pipe_buffer buffers[BUFFERS];
	uint8_t rooms[BUFFERS][BATCH_PACKETS * WIRE_PACKET + 16];
};

extern struct scene scene;
extern struct plot plot;
extern const struct search_model scene_model;
extern bool scene_did[PIPE_OVER + 1], scene_ended_with[ERROR_COUNT]; /* what has come up, ever */

static inline bool
encrypts(void)
{
	return plot.settings.kind == PIPE_ENCRYPT;
}

static inline enum pipe_leg
other_leg(enum pipe_leg leg)
{
	return leg == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;
}

static inline enum pipe_leg
dialled_leg(void)
{
	return encrypts() ? PIPE_CIPHER : PIPE_PLAIN;
}

/* scene.c: the world's first state; an event; all that the pipe wants done. */
void scene_start(void);
extern struct keyring scene_keyring;
void scene_tell(struct pipe_event event);
void scene_settle(void);
void scene_blame(enum error reason, enum pipe_leg culprit); /* what ends it, unless something did before */
struct pipe_buffer *scene_buffer(size_t packets);
size_t scene_owes(void);               /* bytes of the handshake that can be sent by now, in all */
size_t scene_waits(enum pipe_leg leg); /* bytes that this leg has still to take */
bool scene_is_dead(enum pipe_leg leg); /* it need not be waited for at the end */

/* peers.c: what either peer says, and what must come out of the pipe for it. */
void peer_read(enum pipe_leg leg, enum move move);
bool peer_can_say(enum pipe_leg leg, enum move move);
bool peer_hears(const struct pipe_action *action);
void peer_match(struct job *job); /* the match that is due to what it has said, and that nobody has run */

/* moves.c */
size_t scene_moves(uint8_t moves[SEARCH_MOVES]);
bool scene_can(enum move move);
void scene_make(uint8_t move);
void scene_name(uint8_t move, char *text, size_t size);

/* promises.c: of an action before it is done; of a state; and of a pipe that is over, to whom all comes too late. */
void promise_action(const struct pipe_action *action);
void promise_state(void);
void promise_silence(void);

/* ways.c: from each state there is a way to the end, and time alone leads there too. */
void promise_ways(void);

#endif
