/*
 * powers.c: what tools/timing follows through libcrypto's big numbers, instruction by instruction and address by
 * address: 2^x and y^x, between two calls of a marker. powers SEED [leak]: x is made from the seed; with leak, how
 * often a loop runs depends on x. Without arguments: prints where the marker is.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/group14.h"

static volatile unsigned marks;

__attribute__((noinline)) static void
marker(void)
{
	marks++;
}

int
main(int argc, char *argv[])
{
	uint8_t x[GROUP14_EXPONENT], y[GROUP14_SIZE], out[GROUP14_SIZE];
	uint32_t state = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	enum error error;

	if (argc == 1)
		return printf("%" PRIxPTR "\n", (uintptr_t)marker) < 0;
	for (size_t i = 0; i < sizeof x; i++) {
		state = state * 1664525u + 1013904223u;
		x[i] = (uint8_t)(state >> 24);
	}
	memset(y, 0x55, sizeof y);
	if (group14_start() != OK)
		return 1;
	marker();
	error = group14_public(x, out);
	if (error == OK)
		error = group14_shared(y, x, out);
	for (unsigned i = 0; argc > 2 && i < x[0]; i++)
		marks += 2;
	marker();
	return error == OK ? 0 : 1;
}
