/* key_ring.h: keyrings in memory that does not leak. */
#ifndef DAEMON_KEY_RING_H
#define DAEMON_KEY_RING_H

#include "protocol/keyring.h"

/*
 * An empty one with room for so many keys and one holder, in pages of its own: locked where the system lets us, not in
 * core dumps, and with is_hidden in memory that the kernel shows to nobody, where it has that. Whoever drops it last
 * wipes it, and lets go of its names. NULL: no memory.
 */
struct keyring *key_ring_new(size_t capacity, bool is_hidden);

/* The next free place; it counts from key_ring_add on, which takes over a holder of name. */
uint8_t *key_ring_place(struct keyring *ring);
void key_ring_add(struct keyring *ring, struct key_name *name);

/* Adds another ring's key, with the name that it has there. */
void key_ring_copy(struct keyring *ring, const struct key *key);

/* A name with one holder; what is not printable in it becomes '_'. NULL: no memory. */
struct key_name *key_name_new(const char *text, size_t length);

#endif
