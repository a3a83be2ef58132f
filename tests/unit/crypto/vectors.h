/* vectors.h: bytes from and against the hexadecimal that vectors are published in. */
#ifndef CRYPTO_VECTORS_H
#define CRYPTO_VECTORS_H

#include <stdio.h>
#include <string.h>

#include "test.h"

static inline void
from_hex(uint8_t *out, size_t length, const char *hex)
{
	assert_int_equal(strlen(hex), 2 * length);
	for (size_t i = 0; i < length; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		out[i] = (uint8_t)byte;
	}
}

static inline void
assert_hex(const uint8_t *bytes, size_t length, const char *hex)
{
	assert_int_equal(strlen(hex), 2 * length);
	for (size_t i = 0; i < length; i++) {
		char digits[3];

		(void)snprintf(digits, sizeof digits, "%02x", bytes[i]);
		assert_memory_equal(digits, hex + 2 * i, 2);
	}
}

#endif
