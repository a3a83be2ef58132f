/*
 * packets.c: packets of somebody who has the keys, opened in batches by every backend: what comes out is what the plain
 * way of peer.c makes of each, one after the other; and sealed again it opens to the same.
 *
 * Input: struct head, then packets. Keyed.
 */
#include <string.h>

#include "fuzz.h"
#include "protocol/packet.h"
#include "wire.h"

struct head {
	uint8_t backend; /* odd: libcrypto; even: the best */
	uint8_t batch;   /* this and one packets at a time */
	uint8_t spoilt;  /* the packet whose MAC repair makes wrong; 255: none */
	uint8_t number;  /* the first packet's number: see first_number */
	struct peer_keys keys;
};

static struct engine *
engine_for(const struct head *head)
{
	static struct engine *engines[2];

	if (engines[0] == NULL) {
		engines[0] = engine_new(ENGINE_BEST);
		engines[1] = engine_new(ENGINE_LIBCRYPTO);
		check(engines[0] != NULL && engines[1] != NULL);
	}
	return engines[head->backend % 2];
}

/* Small ones, around 2^32, and so near the end that they run out. */
static uint64_t
first_number(const struct head *head)
{
	if (head->number < 128)
		return head->number;
	if (head->number < 192)
		return UINT64_C(0xffffffff) - (head->number - 128u);
	return UINT64_MAX - (head->number - 192u);
}

void
fuzz_repair(uint8_t *data, size_t size)
{
	struct head head;

	if (size < sizeof head)
		return;
	memcpy(&head, data, sizeof head);
	wire_repair(&head.keys, first_number(&head), head.spoilt, data + sizeof head, size - sizeof head);
}

size_t
fuzz_change(uint8_t *data, size_t size, size_t max_size, uint32_t random)
{
	struct head head;

	if (size < sizeof head)
		return LLVMFuzzerMutate(data, size, max_size);
	memcpy(&head, data, sizeof head);
	if (fuzz_random(&random) % 4 == 0) {
		data[random % 4] = (uint8_t)(random >> 8);
		return size;
	}
	return sizeof head + wire_change(&head.keys, first_number(&head), data + sizeof head, size - sizeof head,
				 max_size - sizeof head, random);
}

/* By the protocol: the plain bytes of a batch, up to the first packet that is wrong or has no number. */
static enum error
expect(const struct head *head, uint64_t *number, bool *used_up, const uint8_t *wire, size_t count, uint8_t *plain,
    size_t *length)
{
	*length = 0;
	for (size_t i = 0; i < count; i++) {
		enum peer_verdict verdict;
		size_t n;

		if (*used_up)
			return ERROR_NUMBERS_USED_UP;
		verdict = peer_open(&head->keys, *number, wire + i * WIRE_PACKET, plain + *length, &n);
		*used_up = *number == UINT64_MAX;
		++*number;
		*length += n;
		if (verdict != PEER_GOOD)
			return verdict == PEER_BAD_MAC ? ERROR_BAD_MAC : ERROR_BAD_LENGTH;
	}
	return OK;
}

/* What has come out, sealed by us with the same keys, is what peer.c opens to the same bytes. */
static void
seal_again(const struct head *head, struct engine *engine, const uint8_t *plain, size_t length)
{
	static uint8_t wire[PACKET_BATCH_WIRE];
	uint8_t heard[WIRE_PLAIN_MAX];
	struct packet_direction direction;
	size_t sealed, at = 0, n;

	check(packet_direction_start(&direction, engine, head->keys.e, head->keys.h) == OK);
	check(packet_seal(&direction, engine, wire, plain, length, &sealed) == OK);
	check(sealed == packet_count(length) * WIRE_PACKET && direction.number == packet_count(length));
	for (size_t i = 0; i * WIRE_PACKET < sealed; i++) {
		check(peer_open(&head->keys, i, wire + i * WIRE_PACKET, heard, &n) == PEER_GOOD);
		check(at + n <= length && memcmp(heard, plain + at, n) == 0);
		at += n;
	}
	check(at == length);
	packet_direction_wipe(&direction, engine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t wire[PACKET_BATCH_WIRE], plain[PACKET_BATCH_PLAIN], expected[PACKET_BATCH_PLAIN];
	struct packet_direction direction;
	struct engine *engine;
	struct head head;
	uint64_t number;
	bool used_up = false;
	enum error error = OK;

	if (size < sizeof head)
		return 0;
	memcpy(&head, data, sizeof head);
	engine = engine_for(&head);
	check(packet_direction_start(&direction, engine, head.keys.e, head.keys.h) == OK);
	direction.number = number = first_number(&head);
	for (size_t at = sizeof head; error == OK && size - at >= WIRE_PACKET;) {
		size_t count = (size - at) / WIRE_PACKET, most = head.batch + 1u, length, opened;

		count = count < most ? count : most;
		memcpy(wire, data + at, count * WIRE_PACKET);
		error = expect(&head, &number, &used_up, wire, count, expected, &length);
		check(packet_open(&direction, engine, plain, wire, count, &opened) == error);
		check(opened == length && memcmp(plain, expected, length) == 0);
		if (error == OK || error == ERROR_NUMBERS_USED_UP)
			check(direction.number == number && direction.used_up == used_up);
		if (length > 0)
			seal_again(&head, engine, plain, length);
		at += count * WIRE_PACKET;
	}
	/* A direction without a number seals nothing either, and never wraps around. */
	if (used_up) {
		size_t sealed = 1;

		direction.used_up = true;
		check(packet_seal(&direction, engine, wire, plain, 1, &sealed) == ERROR_NUMBERS_USED_UP && sealed == 0);
		check(packet_open(&direction, engine, plain, wire, 1, &sealed) == ERROR_NUMBERS_USED_UP && sealed == 0);
	}
	packet_direction_wipe(&direction, engine);
	check(fuzz_is_wiped(&direction, sizeof direction));
	return 0;
}
