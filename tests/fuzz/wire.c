/* wire.c: makes the MACs of a row of packets right, and changes the row in ways that packets have. */
#include "wire.h"

#include <string.h>

#include "fuzz.h"

static const uint32_t lengths[] = {0, 1, 2, 511, 1023, 1024, 1025, 1028, 65536, 0x7fffffff, 0x80000000, 0xffffffff};
enum { LENGTHS = sizeof lengths / sizeof lengths[0] };

void
wire_repair(const struct peer_keys *keys, uint64_t number, unsigned spoilt, uint8_t *packets, size_t size)
{
	for (size_t i = 0; (i + 1) * PEER_PACKET <= size; i++) {
		uint8_t *packet = packets + i * PEER_PACKET;

		peer_packet_mac(keys, number + i, packet, packet + PEER_BODY);
		if (i == spoilt)
			packet[PEER_BODY + i % PEER_MAC] ^= 0x10;
	}
}

static void
set_length(const struct peer_keys *keys, uint64_t number, uint8_t *packet, uint32_t length)
{
	peer_crypt(keys, number, packet);
	for (size_t i = 0; i < 4; i++)
		packet[PEER_PLAIN + i] = (uint8_t)(length >> (24 - 8 * i));
	peer_crypt(keys, number, packet);
}

static size_t
append(const struct peer_keys *keys, uint64_t number, uint8_t *packets, size_t size, size_t max_size, uint32_t random)
{
	size_t count = size / PEER_PACKET;
	uint8_t plain[PEER_PLAIN];
	uint32_t length = lengths[random % LENGTHS];

	if ((count + 1) * PEER_PACKET > max_size)
		return size;
	memset(plain, (int)(random >> 8), sizeof plain);
	peer_seal(keys, number + count, plain, sizeof plain, length, packets + count * PEER_PACKET);
	return (count + 1) * PEER_PACKET;
}

static size_t
drop(uint8_t *packets, size_t size, size_t at)
{
	memmove(packets + at, packets + at + PEER_PACKET, size - at - PEER_PACKET);
	return size - PEER_PACKET;
}

static size_t
repeat(uint8_t *packets, size_t size, size_t max_size, size_t at)
{
	if (size + PEER_PACKET > max_size)
		return size;
	memmove(packets + at + PEER_PACKET, packets + at, size - at);
	return size + PEER_PACKET;
}

static void
exchange(uint8_t *a, uint8_t *b)
{
	uint8_t kept[PEER_PACKET];

	memcpy(kept, a, sizeof kept);
	memmove(a, b, sizeof kept);
	memcpy(b, kept, sizeof kept);
}

size_t
wire_change(
    const struct peer_keys *keys, uint64_t number, uint8_t *packets, size_t size, size_t max_size, uint32_t random)
{
	size_t count = size / PEER_PACKET, which = count > 0 ? fuzz_random(&random) % count : 0;
	uint32_t what = fuzz_random(&random) % 8, value = fuzz_random(&random);

	if (count == 0 || what == 0)
		return append(keys, number, packets, size, max_size, value);
	switch (what) {
	case 1:
		return drop(packets, size, which * PEER_PACKET);
	case 2:
		return repeat(packets, size, max_size, which * PEER_PACKET);
	case 3:
		exchange(packets + which * PEER_PACKET, packets + value % count * PEER_PACKET);
		return size;
	case 4:
		return size - value % PEER_PACKET;
	case 5:
		set_length(keys, number + which, packets + which * PEER_PACKET, value);
		return size;
	default:
		set_length(keys, number + which, packets + which * PEER_PACKET, lengths[value % LENGTHS]);
		return size;
	}
}
