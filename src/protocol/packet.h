/* packet.h: from plain bytes to packets and back (docs/PROTOCOL.md, P1 to P4). No I/O, no allocation, no clock. */
#ifndef PROTOCOL_PACKET_H
#define PROTOCOL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/wire.h"

enum {
	PACKET_BATCH_MAX = ENGINE_BATCH_MAX,                    /* packets that one call seals or opens */
	PACKET_BATCH_PLAIN = PACKET_BATCH_MAX * WIRE_PLAIN_MAX, /* 262,144 bytes */
	PACKET_BATCH_WIRE = PACKET_BATCH_MAX * WIRE_PACKET,     /* 271,360 bytes */
};

/* One direction of a connection: its keys, and the number of its next packet. Secret; packet_direction_wipe ends it. */
struct packet_direction {
	struct engine_keys keys;
	uint64_t number;
	bool used_up; /* packet 2^64 - 1 has gone */
};

enum error packet_direction_start(
    struct packet_direction *direction, struct engine *engine, const uint8_t e[WIRE_KEY], const uint8_t h[WIRE_KEY]);
void packet_direction_wipe(struct packet_direction *direction, struct engine *engine);

/* How many packets length plain bytes fill. */
static inline size_t
packet_count(size_t length)
{
	return (length + WIRE_PLAIN_MAX - 1) / WIRE_PLAIN_MAX;
}

/*
 * Seals plain bytes into packets, as one batch (P1 to P3).
 *
 * wire    out: room for packet_count(length) * WIRE_PACKET bytes; must not overlap plain
 * plain   length bytes, 1 <= length <= PACKET_BATCH_PLAIN; each packet but the last is full
 * sealed  out: the bytes in wire, a multiple of WIRE_PACKET; 0 on error
 *
 * OK; ERROR_NUMBERS_USED_UP (nothing was sealed: close the connection) or ERROR_CRYPTO (the same, wire is wiped).
 */
enum error packet_seal(struct packet_direction *direction, struct engine *engine, uint8_t *wire, const uint8_t *plain,
    size_t length, size_t *sealed);

/*
 * Opens whole packets, as one batch (P4).
 *
 * plain   out: room for count * WIRE_PLAIN_MAX bytes; must not overlap wire
 * wire    count packets, 1 <= count <= PACKET_BATCH_MAX; used as scratch: after the call it holds plain bytes or
 *         rubbish, and is wiped by its owner as a buffer that held plain bytes
 * opened  out: the plain bytes that were authenticated before the error, if any; deliver them, then end
 *
 * OK, ERROR_BAD_MAC, ERROR_BAD_LENGTH, ERROR_NUMBERS_USED_UP or ERROR_CRYPTO.
 */
enum error packet_open(struct packet_direction *direction, struct engine *engine, uint8_t *plain, uint8_t *wire,
    size_t count, size_t *opened);

#endif
