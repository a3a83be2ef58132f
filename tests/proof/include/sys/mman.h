/* mman.h: Frama-C's, and what it lacks. MAP_FAILED is a place: Eva compares no place with the number that it is. */
#ifndef PROOF_MMAN_H
#define PROOF_MMAN_H

#include_next <sys/mman.h>

#undef MAP_FAILED
extern char proof_map_failed;
#define MAP_FAILED ((void *)&proof_map_failed)

#define MADV_DONTDUMP 16
int madvise(void *address, size_t length, int advice);

#endif
