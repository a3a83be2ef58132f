/* job.h: the costly steps of a handshake as jobs that any thread can run (S3, S4; C4, S5, C6, S6). No I/O, no
 * allocation. */
#ifndef PROTOCOL_JOB_H
#define PROTOCOL_JOB_H

#include "protocol/keyring.h"

enum job_kind {
	JOB_POWERS, /* of those who have a key: half a millisecond or so */
	JOB_MATCH   /* anybody's: which key is it (S4)? A microsecond a key */
};

/*
 * Copies of all that it needs and all that comes out, never a session's address: the connection may be gone when the
 * result is there. Only the keyring is shared; whoever hands the job out keeps it. Secret: whoever holds one calls
 * job_wipe when done.
 */
struct job {
	enum job_kind kind;
	enum error error; /* out: OK, ERROR_CRYPTO, or ERROR_WRONG_KEY of JOB_MATCH */
	union {
		struct {
			bool wants_y;      /* compute y = 2^x */
			bool wants_shared; /* compute shared = peer_y^x */
			uint8_t x[WIRE_X];
			uint8_t peer_y[WIRE_Y];
			uint8_t y[WIRE_Y];      /* out */
			uint8_t shared[WIRE_Y]; /* out: y_SC */
		};
		struct job_match {
			struct keyring *keyring;
			uint8_t nonces[2 * WIRE_NONCE], y_and_mac[WIRE_Y_AND_MAC];
			const struct key *key;   /* out */
			uint8_t dk_1[WIRE_DK_1]; /* out */
		} match;
	};
};

void job_run(struct job *job); /* any thread */
void job_wipe(struct job *job);

#endif
