/* unistd.h: Frama-C's, with a readlink(2) that drivers have: Frama-C's returns an int. */
#ifndef PROOF_UNISTD_H
#define PROOF_UNISTD_H

#include_next <unistd.h>

#define readlink proof_readlink
ssize_t proof_readlink(const char *path, char *target, size_t size);

#endif
