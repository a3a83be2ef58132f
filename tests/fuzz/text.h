/* text.h: an input cut into texts: each ends with a zero byte or with the input. */
#ifndef TESTS_FUZZ_TEXT_H
#define TESTS_FUZZ_TEXT_H

#include <stddef.h>
#include <stdint.h>

enum { TEXTS_MAX = 64 };

struct texts {
	char *memory;
	size_t count;
	char *each[TEXTS_MAX + 2]; /* NULL behind the last */
};

/* The first TEXTS_MAX texts of the input, from each[first] on; texts_free gives the memory back. */
void texts_cut(struct texts *texts, size_t first, const uint8_t *data, size_t size);
void texts_free(struct texts *texts);

/* What message.h says is caught in memory: starts, and returns all that was said since, a text to be freed. */
void messages_catch(const char *program);
char *messages_taken(void);

#endif
