/* afl_mutator.c: a keyed target's mutator as AFL++ loads it: AFL++'s own changes get their MACs made right as well. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { ROOM = 1 << 20 };
#define EXPORTED __attribute__((visibility("default")))

/* What AFL++ hands back to us in each call. */
struct mutator {
	uint32_t random;
	uint8_t *changed, *repaired; /* ROOM bytes each */
};

EXPORTED void *afl_custom_init(void *afl, unsigned seed);
EXPORTED void afl_custom_deinit(void *opaque);
EXPORTED size_t afl_custom_fuzz(
    void *opaque, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size, size_t max_size);
EXPORTED size_t afl_custom_post_process(void *opaque, uint8_t *input, size_t size, uint8_t **out);

void *
afl_custom_init(void *afl, unsigned seed)
{
	struct mutator *mutator = malloc(sizeof *mutator);

	(void)afl;
	check(mutator != NULL);
	*mutator = (struct mutator){.random = seed, .changed = malloc(ROOM), .repaired = malloc(ROOM)};
	check(mutator->changed != NULL && mutator->repaired != NULL);
	return mutator;
}

void
afl_custom_deinit(void *opaque)
{
	struct mutator *mutator = opaque;

	free(mutator->changed);
	free(mutator->repaired);
	free(mutator);
}

size_t
afl_custom_fuzz(
    void *opaque, uint8_t *input, size_t size, uint8_t **out, uint8_t *other, size_t other_size, size_t max_size)
{
	struct mutator *mutator = opaque;

	(void)other;
	(void)other_size;
	if (max_size > ROOM)
		max_size = ROOM;
	if (size > max_size)
		size = max_size;
	memcpy(mutator->changed, input, size);
	*out = mutator->changed;
	return LLVMFuzzerCustomMutator(mutator->changed, size, max_size, fuzz_random(&mutator->random));
}

size_t
afl_custom_post_process(void *opaque, uint8_t *input, size_t size, uint8_t **out)
{
	struct mutator *mutator = opaque;

	if (size > ROOM)
		size = ROOM;
	memcpy(mutator->repaired, input, size);
	fuzz_repair(mutator->repaired, size);
	*out = mutator->repaired;
	return size;
}
