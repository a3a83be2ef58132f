/* stand_in.h: what net.c's pipe answers to pipe_read_into, set by a driver: any that prove_pipe.c proves of the real
 * one. */
#ifndef PROOF_STAND_IN_H
#define PROOF_STAND_IN_H

#include <stddef.h>

struct asked {
	size_t offset, packets, length;
};

extern struct asked asked;

#endif
