/*
 * seal_all.c: seals every length, batches of 1 to 300 packets, and packet numbers at every edge, on the backend that it
 * is told; prints the SHA-256 of each result, for somebody who computes them in another way. What it has sealed it
 * opens again, on each backend. No test framework: tests/system/test_sealing.py runs it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "crypto/hash.h"
#include "protocol/packet.h"

enum { BATCHES = 300, PLAIN = BATCHES * WIRE_PLAIN_MAX, WIRE = BATCHES * WIRE_PACKET, EDGES = 4 };

static const uint64_t edges[EDGES] = {0, UINT64_C(0xffffffff) - 149, UINT64_C(0xffffffffffffffff) - 299, 1234567};

static uint8_t plain[PLAIN], wire[WIRE], scratch[WIRE], opened[PLAIN];
static struct engine *engines[ENGINE_BACKENDS];

static bool
start(struct packet_direction *direction, struct engine *engine, uint64_t number)
{
	uint8_t e_and_h[64];

	for (size_t i = 0; i < sizeof e_and_h; i++)
		e_and_h[i] = (uint8_t)i;
	if (packet_direction_start(direction, engine, e_and_h, e_and_h + 32) != OK)
		return false;
	direction->number = number;
	return true;
}

/* As a pipe does: no more than a batch at a time. Returns the bytes in wire; 0 when it failed. */
static size_t
seal(struct engine *engine, uint64_t number, size_t length)
{
	struct packet_direction direction;
	size_t total = 0, sealed, part;

	if (!start(&direction, engine, number))
		return 0;
	for (size_t at = 0; at < length; at += part, total += sealed) {
		part = length - at < PACKET_BATCH_PLAIN ? length - at : PACKET_BATCH_PLAIN;
		if (packet_seal(&direction, engine, wire + total, plain + at, part, &sealed) != OK)
			return 0;
	}
	packet_direction_wipe(&direction, engine);
	return total;
}

static bool
opens(struct engine *engine, uint64_t number, size_t total, size_t length)
{
	struct packet_direction direction;
	size_t have = 0, got, part;

	if (!start(&direction, engine, number))
		return false;
	memcpy(scratch, wire, total);
	for (size_t at = 0; at < total / WIRE_PACKET; at += part, have += got) {
		part = total / WIRE_PACKET - at;
		part = part < PACKET_BATCH_MAX ? part : PACKET_BATCH_MAX;
		if (packet_open(&direction, engine, opened + have, scratch + at * WIRE_PACKET, part, &got) != OK)
			return false;
	}
	packet_direction_wipe(&direction, engine);
	return have == length && memcmp(opened, plain, length) == 0;
}

static bool
show(struct engine *engine, uint64_t number, size_t length)
{
	uint8_t hash[HASH_SIZE];
	size_t total = seal(engine, number, length);

	if (total == 0 || hash_sha256(wire, total, hash) != OK)
		return false;
	for (int i = 0; i < ENGINE_BACKENDS; i++)
		if (engines[i] != NULL && !opens(engines[i], number, total, length))
			return false;
	printf("%" PRIu64 " %zu ", number, length);
	for (size_t i = 0; i < sizeof hash; i++)
		printf("%02x", hash[i]);
	return putchar('\n') != EOF;
}

int
main(void)
{
	struct engine *engine;

	for (int i = 0; i < ENGINE_BACKENDS; i++)
		engines[i] = engine_new((enum engine_backend)i);
	engine = engines[engine_choose(test_backend())];
	if (engine == NULL)
		return 77; /* this build or this processor has it not */
	for (size_t i = 0; i < PLAIN; i++)
		plain[i] = (uint8_t)((uint64_t)i * i % 251);
	for (size_t length = 1; length <= WIRE_PLAIN_MAX; length++)
		if (!show(engine, length, length))
			return 1;
	for (size_t edge = 0; edge < EDGES; edge++)
		for (size_t batch = 1; batch <= BATCHES; batch++)
			if (!show(engine, edges[edge], batch * WIRE_PLAIN_MAX - batch % 7))
				return 1;
	for (int i = 0; i < ENGINE_BACKENDS; i++)
		engine_free(engines[i]);
	return 0;
}
