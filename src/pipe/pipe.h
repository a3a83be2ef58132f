/*
 * pipe.h: one connection's life, a state machine over two legs. Sans-I/O: it opens, reads, waits for and allocates
 * nothing, and decides everything; its driver (net/, a test, the simulation) does as told and says what happened.
 *
 *     pipe_start, then until PIPE_OVER:
 *         pipe_event(p, &event, now)            something happened
 *         while (pipe_next(p, &action)) ...     what to do about it, one thing at a time
 *         pipe_wants(p, leg), pipe_deadline(p)  what to wait for
 */
#ifndef PIPE_PIPE_H
#define PIPE_PIPE_H

#include "protocol/session.h"

/* The leg that carries plain bytes and the one that carries packets, whichever of them was accepted or dialled. */
enum pipe_leg { PIPE_PLAIN, PIPE_CIPHER, PIPE_LEGS };

/* -e and spipe: the plain leg is there from the start, the cipher leg is dialled. -d: the other way round. */
enum pipe_kind { PIPE_ENCRYPT, PIPE_DECRYPT };

/* The same for every connection of a program; outlives them. Times are milliseconds everywhere here. */
struct pipe_settings {
	enum pipe_kind kind;
	enum forward_secrecy forward_secrecy;
	uint64_t timeout;    /* -o, for the handshake; also the longest that a reset waits for data before it */
	bool asks_admission; /* -d with -n: PIPE_ADMIT after S4, and nothing of S5 before PIPE_ADMITTED */
	bool end_at_far_end; /* spipe --exit-on-eof: over once the cipher leg has ended and all is delivered */
};

/* Where one batch goes: the driver's memory, the pipe's from the event that hands it in until PIPE_RELEASE. */
struct pipe_buffer {
	uint8_t *bytes;
	size_t size;
};

enum {
	PIPE_READ_LARGE = PACKET_BATCH_MAX, /* packets a read, for bulk */
	PIPE_READ_SMALL = 16,               /* for a leg whose other side was just full, and under memory pressure */
	PIPE_IN_SIZE = PACKET_BATCH_WIRE,   /* a buffer to read into is this large */
	PIPE_OUT_PER_PACKET = WIRE_PACKET   /* a buffer for n packets' batch has n times this */
};

enum pipe_event_kind {
	PIPE_DIALLED,     /* the other leg is connected */
	PIPE_DIAL_FAILED, /* error says why */
	PIPE_ADMITTED,    /* there is room under -n */
	PIPE_READ,        /* leg, in, length, out: length bytes stand where pipe_read_into said; 0: nothing was there */
	PIPE_END,         /* leg: a read found the end (FIN) */
	PIPE_HANGUP, /* leg: it is known to be broken while nothing was to be read from it; reads come when wanted */
	PIPE_READ_FAILED, /* leg: a read failed, the connection is broken */
	PIPE_WRITTEN,  /* leg, length: what the socket took of the last PIPE_SEND, 0 to all; short means it is full */
	PIPE_WRITABLE, /* leg: it was full and isn't now */
	PIPE_WRITE_FAILED, /* leg: the last PIPE_SEND failed, nothing more can be written */
	PIPE_DELIVERED,    /* leg: the kernel has sent all that it was given */
	PIPE_JOB_DONE,     /* job */
	PIPE_TIME,         /* now >= pipe_deadline */
	PIPE_STOP          /* error: ERROR_EVICTED, ERROR_KILLED, ERROR_MEMORY, ERROR_RANDOM ...: over at once */
};

struct pipe_event {
	enum pipe_event_kind kind;
	enum pipe_leg leg;
	enum error error;
	uint8_t *in;
	size_t length;
	struct pipe_buffer *out;
	const struct job *job;
};

enum pipe_action_kind {
	PIPE_DIAL,           /* connect the other leg; answer PIPE_DIALLED or PIPE_DIAL_FAILED */
	PIPE_ADMIT,          /* ask for room under -n; answer PIPE_ADMITTED, or nothing */
	PIPE_JOB,            /* call pipe_job soon, run the job anywhere; answer PIPE_JOB_DONE */
	PIPE_OPENED,         /* handshake done and both legs connected: data may flow */
	PIPE_SEND,           /* leg, bytes, length: try to write at once; answer PIPE_WRITTEN or PIPE_WRITE_FAILED */
	PIPE_SHUTDOWN,       /* leg: half-close, after what was written */
	PIPE_AWAIT_DELIVERY, /* leg: answer PIPE_DELIVERED when the kernel has sent everything, or cannot tell */
	PIPE_CLOSE,          /* leg: close; nothing more is heard from it */
	PIPE_RESET,          /* leg: close with a reset, where the kind of socket has one */
	PIPE_RELEASE,        /* buffer: the pipe has no more use for it */
	PIPE_OVER            /* always the last: forget the connection; pipe_reason says why */
};

struct pipe_action {
	enum pipe_action_kind kind;
	enum pipe_leg leg;
	const uint8_t *bytes;
	size_t length;
	struct pipe_buffer *buffer; /* with PIPE_SEND: where bytes stand; NULL for the handshake's */
};

enum { PIPE_WANT_READ = 1, PIPE_WANT_WRITE = 2 };

/* Steps that are taken once, in order: not due, due, under way, done. */
enum pipe_step { STEP_NONE, STEP_DUE, STEP_ASKED, STEP_DONE };

struct pipe_leg_state {
	struct pipe_buffer *pending; /* what waits to be written to this leg: bytes[start..end) */
	size_t start, end;
	uint16_t read_packets; /* the size of the next read from the other leg, in packets */
	bool connected;
	bool blocked;    /* a PIPE_SEND is unanswered, or its answer was short */
	bool ended;      /* nothing more to be read: FIN or failure */
	bool hung_up;    /* known to be broken, but what it holds can still be read */
	bool unwritable; /* a write failed */
	bool broken;     /* its end was not a FIN where one may be */
	bool shut;       /* half-closed by us */
	bool awaiting;   /* PIPE_AWAIT_DELIVERY is out */
	bool delivered;  /* its answer, or time was up */
	bool closed;
};

enum { PIPE_RELEASES = PIPE_LEGS + 1 };

/* The members are for pipe.c alone; fixed in size, its caller's memory. */
struct pipe {
	const struct pipe_settings *settings;
	struct key_name *key;
	struct session session;
	struct pipe_leg_state legs[PIPE_LEGS];
	struct pipe_buffer *released[PIPE_RELEASES];
	enum pipe_step dial, admit, job, opened;
	enum error reason;
	bool ending, hurried, over;
	uint64_t deadline;
	uint64_t plain_in, plain_out; /* plain bytes read from and written to the plain leg */
	size_t leftover;              /* bytes of a packet that is not whole yet, in session.partial */
};

/*
 * Starts a connection whose one leg has been accepted. random: SESSION_RANDOM fresh bytes, wiped by the caller
 * afterwards. engine and settings outlive it; keyring does until PIPE_OPENED or PIPE_OVER. Then ask pipe_next.
 */
void pipe_start(struct pipe *pipe, const struct pipe_settings *settings, struct keyring *keyring, struct engine *engine,
    const uint8_t random[SESSION_RANDOM], uint64_t now);

/* now is monotonic and never goes back. An event that no longer matters is ignored; a buffer in it is released. */
void pipe_event(struct pipe *pipe, const struct pipe_event *event, uint64_t now);

/* The next thing to do, marked as begun; false when there is none. Call it until then after each event. */
bool pipe_next(struct pipe *pipe, struct pipe_action *action);

/* PIPE_WANT_READ: read from this leg when it can be; PIPE_WANT_WRITE: send PIPE_WRITABLE when it can be. */
unsigned pipe_wants(const struct pipe *pipe, enum pipe_leg which);

/*
 * Before a read from a leg that wants it. in has PIPE_IN_SIZE bytes, of which what is left of an earlier read takes
 * the first *offset (copied there now); returns how many bytes to read behind them, at most, always over 0.
 * *packets is the size of the batch that can come out: hand in a buffer of *packets * PIPE_OUT_PER_PACKET with
 * PIPE_READ; 0 when none is needed (the handshake). pressure: memory is short, be modest.
 */
size_t pipe_read_into(
    const struct pipe *pipe, enum pipe_leg leg, bool pressure, uint8_t *in, size_t *offset, size_t *packets);

/* After PIPE_JOB, at once or when somebody can run it: the job, a copy with secrets in it; the caller wipes it. */
void pipe_job(struct pipe *pipe, struct job *job);

/* When to send PIPE_TIME; UINT64_MAX: never. */
uint64_t pipe_deadline(const struct pipe *pipe);

/* Why it ended: OK for the end of both directions. */
enum error pipe_reason(const struct pipe *pipe);

/*
 * Whose key this connection is on, once the peer has proved to have it: from S4 on (-d), from C7 on (-e); or NULL. From
 * PIPE_OPENED on the pipe needs the keyring no more; this name still, for whoever asks.
 */
struct key_name *pipe_key(const struct pipe *pipe);

/* Whether as many bytes came from the peer as are its nonce: what it is that refuses us. */
bool pipe_has_met(const struct pipe *pipe);

/* Plain bytes that were read from the plain leg, and those that it has taken. */
void pipe_counts(const struct pipe *pipe, uint64_t *in, uint64_t *out);

#endif
