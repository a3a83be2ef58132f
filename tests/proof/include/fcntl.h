/* fcntl.h: Frama-C's, with calls as files.c has them: Frama-C's own contracts say nothing of errno. */
#ifndef PROOF_FCNTL_H
#define PROOF_FCNTL_H

#include_next <fcntl.h>

#define open proof_open
#define fcntl proof_fcntl
int proof_open(const char *path, int flags, ...);
int proof_fcntl(int fd, int command, ...);

#endif
