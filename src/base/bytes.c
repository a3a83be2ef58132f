/* bytes.c: big-endian numbers, wiping, and comparing and choosing without telling what. */
#include "base/bytes.h"

#include <string.h>

void
bytes_put_be32(uint8_t out[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(value >> (24 - 8 * i));
}

void
bytes_put_be64(uint8_t out[8], uint64_t value)
{
	bytes_put_be32(out, (uint32_t)(value >> 32));
	bytes_put_be32(out + 4, (uint32_t)value);
}

uint32_t
bytes_get_be32(const uint8_t in[4])
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

void
bytes_wipe(void *bytes, size_t length)
{
	if (length > 0)
		explicit_bzero(bytes, length);
}

bool
bytes_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	uint64_t difference = 0;

	for (size_t at = 0; at < length; at += sizeof difference) {
		size_t step = length - at < sizeof difference ? length - at : sizeof difference;
		uint64_t word_a = 0, word_b = 0;

		memcpy(&word_a, a + at, step);
		memcpy(&word_b, b + at, step);
		difference |= word_a ^ word_b;
		/* The compiler no longer knows what difference holds, so it cannot leave the loop early. */
		__asm__("" : "+r"(difference));
	}
	return difference == 0;
}

void
bytes_copy_if(bool wanted, void *to, const void *from, size_t length)
{
	uint8_t *out = to, mask = (uint8_t)(0 - (unsigned)wanted);
	const uint8_t *in = from;

	__asm__("" : "+r"(mask)); /* as above: it may be anything, so there is nothing to branch on */
	for (size_t i = 0; i < length; i++)
		out[i] = (uint8_t)(out[i] ^ (mask & (out[i] ^ in[i])));
}
