/* wire.h: a row of packets as an input holds it: making its MACs right, and changing it in ways that packets have. */
#ifndef TESTS_FUZZ_WIRE_H
#define TESTS_FUZZ_WIRE_H

#include "peer.h"

enum { WIRE_NONE_SPOILT = 255 };

/* The MACs of all whole packets in size bytes, packet 0 having that number; that of packet `spoilt` is made wrong. */
void wire_repair(const struct peer_keys *keys, uint64_t number, unsigned spoilt, uint8_t *packets, size_t size);

/*
 * Does one thing that an attacker or a bad implementation does: other length fields, packets dropped, repeated,
 * exchanged, new, or a cut. size bytes become at most max_size; the new size is returned. MACs are not repaired.
 */
size_t wire_change(
    const struct peer_keys *keys, uint64_t number, uint8_t *packets, size_t size, size_t max_size, uint32_t random);

#endif
