/* traces.c: looks through all writable memory of this process for secrets that should be gone. */
#include "crypto/traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test.h"

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif
#ifndef RUNNING_ON_VALGRIND
#define RUNNING_ON_VALGRIND 0
#endif

enum { PIECE = 16, PIECES = 64 };

static uint8_t complements[PIECES][PIECE];
static size_t pieces;

bool
traces_can_be_looked_for(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
	return false;
#endif
#endif
	return !RUNNING_ON_VALGRIND;
}

void
traces_start(void)
{
	pieces = 0;
}

void
traces_remember(const uint8_t *secret, size_t length)
{
	for (size_t at = 0; at + PIECE <= length; at += PIECE) {
		assert_true(pieces < PIECES);
		for (size_t i = 0; i < PIECE; i++)
			complements[pieces][i] = (uint8_t)~secret[at + i];
		pieces++;
	}
}

void
traces_remember_reversed(const uint8_t *secret, size_t length)
{
	for (size_t at = 0; at + PIECE <= length; at += PIECE) {
		assert_true(pieces < PIECES);
		for (size_t i = 0; i < PIECE; i++)
			complements[pieces][i] = (uint8_t)~secret[at + PIECE - 1 - i];
		pieces++;
	}
}

void
traces_run_deep(void (*run)(void *context), void *context)
{
	volatile uint8_t distance[65536];

	distance[0] = 0;
	run(context);
	(void)distance[0];
}

static void
look_in(const uint8_t *memory, size_t length, bool found[PIECES])
{
	uint64_t heads[PIECES];

	for (size_t piece = 0; piece < pieces; piece++) {
		memcpy(&heads[piece], complements[piece], sizeof heads[piece]);
		for (size_t at = 0; at + PIECE <= length; at++) {
			uint64_t head, tail, complement;

			memcpy(&head, memory + at, sizeof head);
			if (head != ~heads[piece])
				continue;
			memcpy(&tail, memory + at + 8, sizeof tail);
			memcpy(&complement, complements[piece] + 8, sizeof complement);
			if (tail == ~complement)
				found[piece] = true;
		}
	}
}

size_t
traces_found(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found[PIECES] = {false};
	char line[512];
	size_t count = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		uintptr_t from, to;
		char mode[5];

		assert_int_equal(sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, mode), 3);
		if (strncmp(mode, "rw", 2) == 0)
			look_in((const uint8_t *)from, to - from, found);
	}
	(void)fclose(maps);
	for (size_t piece = 0; piece < pieces; piece++)
		count += found[piece];
	return count;
}
