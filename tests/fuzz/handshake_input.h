/* handshake_input.h: how an input of the handshake's targets is laid out, and what an honest implementation makes of
 * it. */
#ifndef TESTS_FUZZ_HANDSHAKE_INPUT_H
#define TESTS_FUZZ_HANDSHAKE_INPUT_H

#include "peer.h"
#include "protocol/session.h"

/* What to do to a session that an honest driver does not. */
enum misuse {
	MISUSE_NONE,
	MISUSE_END,        /* session_end in the middle */
	MISUSE_SEAL,       /* seal before there are keys */
	MISUSE_OPEN,       /* open before there are keys */
	MISUSE_DONE,       /* a job given back that nobody had */
	MISUSE_NOT_RUN,    /* a job given back as it was handed out */
	MISUSE_JOB_FAILED, /* a job given back that failed */
	MISUSE_EMPTY_FEED, /* no bytes: nothing happens */
	MISUSE_JOB_TWICE,  /* a job asked for that is not due */
	MISUSE_COUNT
};

enum { KEYS = 3, CONTROL = 8, SCRIPT = FUZZ_SCRIPT, HANDSHAKE = WIRE_NONCE + WIRE_Y_AND_MAC };

/*
 * The head of an input. Behind it come SCRIPT bytes, which are the target's own, and then the peer's bytes: nonce, y,
 * MAC and packets, as many as there are.
 */
struct handshake_head {
	uint8_t mode;   /* % 3: enum forward_secrecy; bits 2 and 3: the key's place in a server's ring, 3: nowhere */
	uint8_t manner; /* bits below */
	uint8_t piece;  /* the most bytes fed or sent at a time; 0: all */
	uint8_t y;      /* repair puts in this y; see handshake_input.c */
	uint8_t say;    /* how much the session seals: see the target */
	uint8_t spoilt; /* the packet whose MAC repair makes wrong; 255: none */
	uint8_t batch;  /* this and one packets are opened at a time, modulo 16 */
	uint8_t misuse; /* % 16: enum misuse; / 16: at which step. No use to pipe.c */
	uint8_t k[WIRE_KEY];
	uint8_t random[SESSION_RANDOM]; /* the session's: nonce and x */
};
_Static_assert(sizeof(struct handshake_head) == CONTROL + WIRE_KEY + SESSION_RANDOM, "no padding");

enum {
	MANNER_LATE = 1,   /* jobs are run only when no byte can move */
	MANNER_SPOILT = 2, /* repair makes the handshake's MAC wrong */
	MANNER_GREEDY = 4, /* more is fed than the session wants */
	MANNER_PLAIN = 8,  /* packets on libcrypto, whatever is best */
	/* pipe.c only */
	MANNER_ADMISSION = 16, /* it asks for room under -n */
	MANNER_FAR_END = 32,   /* it is over with the far end */
	MANNER_PRESSURE = 64,  /* memory is short */
};

/* All that follows from an input, by the protocol alone. */
struct handshake_story {
	enum forward_secrecy mode;
	size_t key_at; /* KEYS: the ring lacks it */
	uint8_t nonces[2 * WIRE_NONCE];
	uint8_t y[WIRE_Y], shared[WIRE_Y];
	uint8_t dk_1[WIRE_DK_1];
	enum error verdict;            /* of y and its MAC */
	struct peer_keys ours, theirs; /* when verdict is OK */
};

/* peer has size bytes; what it lacks of a handshake counts as zeros, and the verdict is only reached if it lacks none.
 */
void handshake_tell(const struct handshake_head *head, const uint8_t *peer, size_t size, struct handshake_story *story);

/* The keys that a server's ring holds, or a client's: key i is k, each byte changed by 85 times its distance to key_at.
 */
void handshake_ring(const struct handshake_story *story, const uint8_t k[WIRE_KEY], struct key keys[KEYS]);

/* The one to use by MANNER_PLAIN; made once. */
struct engine *handshake_engine(const struct handshake_head *head);

#endif
