/* house.h: an admission with its memory, for the tests of it. */
#ifndef TESTS_PIPE_HOUSE_H
#define TESTS_PIPE_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pipe/admission.h"

struct house {
	struct admission admission;
	void *memory;
};

static inline void
open_house(struct house *house, uint32_t cap, uint32_t limit)
{
	house->memory = malloc(admission_size(cap));
	assert_non_null(house->memory);
	memset(house->memory, 0xa5, admission_size(cap));
	memset(&house->admission, 0xa5, sizeof house->admission);
	admission_start(&house->admission, house->memory, cap, limit, 0x5eed);
}

static inline void
close_house(struct house *house)
{
	free(house->memory);
}

static inline struct admission_source
source_of(uint32_t number)
{
	struct admission_source source = {{0}};

	memcpy(source.bytes + 12, &number, sizeof number);
	return source;
}

#endif
