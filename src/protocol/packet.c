/* packet.c: pads and seals, opens and checks whole batches of packets (P1 to P4). */
#include "protocol/packet.h"

#include <string.h>

#include "base/bytes.h"

enum error
packet_direction_start(
    struct packet_direction *direction, struct engine *engine, const uint8_t e[WIRE_KEY], const uint8_t h[WIRE_KEY])
{
	direction->number = 0;
	direction->used_up = false;
	return engine_prepare(engine, &direction->keys, e, h);
}

void
packet_direction_wipe(struct packet_direction *direction, struct engine *engine)
{
	engine_forget(engine, &direction->keys);
	bytes_wipe(direction, sizeof *direction);
}

/* How many of count packets still have a number: all but near the end of the 2^64 numbers. */
static size_t
numbers_left(const struct packet_direction *direction, size_t count)
{
	if (direction->used_up)
		return 0;
	if (count > UINT64_MAX - direction->number)
		return (size_t)(UINT64_MAX - direction->number) + 1;
	return count;
}

/* The number wraps to 0 only by the use of the last one. */
static void
advance(struct packet_direction *direction, size_t count)
{
	direction->number += count;
	if (count > 0 && direction->number == 0)
		direction->used_up = true;
}

enum error
packet_seal(struct packet_direction *direction, struct engine *engine, uint8_t *wire, const uint8_t *plain,
    size_t length, size_t *sealed)
{
	size_t count = packet_count(length);
	enum error error;

	*sealed = 0;
	if (numbers_left(direction, count) < count)
		return ERROR_NUMBERS_USED_UP;
	for (size_t i = 0; i < count; i++) {
		uint8_t *padded = wire + i * WIRE_PACKET;
		size_t n = length < WIRE_PLAIN_MAX ? length : WIRE_PLAIN_MAX;

		/* P1 */
		memcpy(padded, plain, n);
		memset(padded + n, 0, WIRE_PLAIN_MAX - n);
		bytes_put_be32(padded + WIRE_LENGTH_AT, (uint32_t)n);
		plain += n;
		length -= n;
	}
	/* P2, P3 */
	error = engine_seal(engine, &direction->keys, direction->number, wire, count);
	if (error != OK)
		return error;
	advance(direction, count);
	*sealed = count * WIRE_PACKET;
	return OK;
}

enum error
packet_open(struct packet_direction *direction, struct engine *engine, uint8_t *plain, uint8_t *wire, size_t count,
    size_t *opened)
{
	size_t usable = numbers_left(direction, count), good;
	enum error error;

	*opened = 0;
	if (usable == 0)
		return ERROR_NUMBERS_USED_UP;
	/* P4: the MACs, before anything is used */
	error = engine_open(engine, &direction->keys, direction->number, wire, usable, &good);
	if (error == OK && usable < count)
		error = ERROR_NUMBERS_USED_UP;
	for (size_t i = 0; i < good; i++) {
		const uint8_t *padded = wire + i * WIRE_PACKET;
		uint32_t length = bytes_get_be32(padded + WIRE_LENGTH_AT);

		/* P4: then the length; the zeros of P1 have never been checked */
		if (length == 0 || length > WIRE_PLAIN_MAX)
			return ERROR_BAD_LENGTH;
		memcpy(plain + *opened, padded, length);
		*opened += length;
	}
	advance(direction, good);
	return error;
}
