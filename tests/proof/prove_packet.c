/*
 * prove_packet.c: src/protocol/packet.c with any bytes, keys and packet number: sealing twelve lengths of one packet,
 * and around the ends of one to three; opening one to three; and both with the most of a batch. Buffers end where these
 * end.
 */
#include "protocol/packet.h"

#include "unknown.h"

enum { FEW = 3, MOST = PACKET_BATCH_MAX };

static uint8_t plain[MOST * WIRE_PLAIN_MAX], wire[MOST * WIRE_PACKET];
static struct engine *engine;

static void
start(struct packet_direction *direction)
{
	uint8_t e[WIRE_KEY], h[WIRE_KEY];

	unknown_bytes(e, sizeof e);
	unknown_bytes(h, sizeof h);
	(void)packet_direction_start(direction, engine, e, h);
	direction->number = Frama_C_unsigned_long_interval(0, UINT64_MAX);
	direction->used_up = unknown_bool();
}

/* length is one, or any of a few that Eva looks at one by one */
static void
seal(size_t length)
{
	struct packet_direction direction;
	size_t done;

	start(&direction);
	(void)packet_seal(&direction, engine, wire + sizeof wire - packet_count(length) * WIRE_PACKET,
	    plain + sizeof plain - length, length, &done);
	//@ slevel merge;
}

static void
open(size_t count)
{
	struct packet_direction direction;
	size_t done;

	start(&direction);
	(void)packet_open(&direction, engine, plain + sizeof plain - count * WIRE_PLAIN_MAX,
	    wire + sizeof wire - count * WIRE_PACKET, count, &done);
	packet_direction_wipe(&direction, engine);
	//@ slevel merge;
}

int
main(void)
{
	engine = engine_new(ENGINE_LIBCRYPTO);
	if (engine == NULL)
		return 1;
	unknown_bytes(plain, sizeof plain);
	unknown_bytes(wire, sizeof wire);
	//@ loop unroll 12;
	for (size_t length = 1; length <= WIRE_PLAIN_MAX; length += 93)
		seal(length);
	//@ loop unroll 3;
	for (size_t length = WIRE_PLAIN_MAX + 1; length <= FEW * WIRE_PLAIN_MAX; length += WIRE_PLAIN_MAX - 1)
		seal(length);
	seal(FEW * WIRE_PLAIN_MAX);
	seal(MOST * WIRE_PLAIN_MAX);
	//@ loop unroll 3;
	for (size_t count = 1; count <= FEW; count++)
		open(count);
	open(MOST);
	engine_free(engine);
	return 0;
}
