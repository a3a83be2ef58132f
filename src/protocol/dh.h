/* dh.h: the costly step of a handshake as a job that any thread can run (C4, S5, C6, S6). No I/O, no allocation. */
#ifndef PROTOCOL_DH_H
#define PROTOCOL_DH_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/wire.h"

/*
 * Copies of all that it needs and all that comes out, never a session's address: the connection may be gone when the
 * result is there. Secret: whoever holds it calls dh_job_wipe when done.
 */
struct dh_job {
	bool wants_y;      /* compute y = 2^x */
	bool wants_shared; /* compute shared = peer_y^x */
	enum error error;  /* out: OK or ERROR_CRYPTO */
	uint8_t x[WIRE_X];
	uint8_t peer_y[WIRE_Y];
	uint8_t y[WIRE_Y];      /* out */
	uint8_t shared[WIRE_Y]; /* out: y_SC */
};

void dh_job_run(struct dh_job *job); /* any thread; half a millisecond or so */
void dh_job_wipe(struct dh_job *job);

#endif
