/* fuzz.c: the few things that every target uses. */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void
fuzz_failed(const char *condition, const char *file, int line)
{
	const char *input = getenv("FUZZ_INPUT"); /* replay.c's; a fuzzer tells it itself */

	(void)fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
	if (input != NULL)
		(void)fprintf(stderr, "the input was made from %s\n", input);
	abort();
}

bool
fuzz_is_wiped(const void *memory, size_t size)
{
	const uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0)
			return false;
	}
	return true;
}

bool
fuzz_is_one_line(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* Marsaglia's xorshift; 0 would stay 0. */
uint32_t
fuzz_random(uint32_t *state)
{
	uint32_t x = *state != 0 ? *state : 0x9e3779b9;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*state = x;
	return x;
}
