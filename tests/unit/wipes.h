/*
 * wipes.h: keeps what each bytes_wipe wiped, for tests to look at. What a function leaves on its stack can be seen
 * there only until the next call; this sees a wipe that is missing wherever the compiler put things. Link with
 * -Wl,--wrap=bytes_wipe.
 */
#ifndef WIPES_H
#define WIPES_H

#include <stddef.h>

/* Keeps wipes from now on, until they are asked about. */
void wipes_start(void);

/* How many of them were of memory that held these bytes. */
size_t wipes_of(const void *secret, size_t length);

/* How many were of this many bytes. */
size_t wipes_sized(size_t length);

#endif
