/* mutator.c: libFuzzer's mutator for keyed targets: changes an input, and then makes its MACs right again. */
#include "fuzz.h"

size_t
LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed)
{
	uint32_t random = seed;

	/* Blind changes find what nobody thought of; those that know the format get deep. */
	if (fuzz_random(&random) % 2 == 0)
		size = LLVMFuzzerMutate(data, size, max_size);
	else
		size = fuzz_change(data, size, max_size, fuzz_random(&random));
	fuzz_repair(data, size);
	return size;
}
