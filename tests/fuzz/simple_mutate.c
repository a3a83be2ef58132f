/* simple_mutate.c: changes bytes blindly, where there is no libFuzzer to do it: in AFL++'s mutators and in replays. */
#include <string.h>

#include "fuzz.h"

/* Continues from one call to the next, and is the same in each run of a program. */
static uint32_t state = 1;

static size_t
insert(uint8_t *data, size_t size, size_t max_size)
{
	size_t at = fuzz_random(&state) % (size + 1);

	if (size == max_size)
		return size;
	memmove(data + at + 1, data + at, size - at);
	data[at] = (uint8_t)fuzz_random(&state);
	return size + 1;
}

size_t
LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size)
{
	uint32_t what = fuzz_random(&state) % 8;
	size_t at;

	if (size == 0 || what == 0)
		return insert(data, size, max_size);
	at = fuzz_random(&state) % size;
	if (what == 1) {
		memmove(data + at, data + at + 1, size - at - 1);
		return size - 1;
	}
	if (what == 2)
		return at; /* a cut */
	if (what < 6)
		data[at] ^= (uint8_t)(1u << fuzz_random(&state) % 8);
	else
		data[at] = (uint8_t)fuzz_random(&state);
	return size;
}
