/* text.c: an input cut into texts, and messages caught in memory. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/message.h"
#include "fuzz.h"

static FILE *stream;
static char *said;
static size_t said_length;

void
texts_cut(struct texts *texts, size_t first, const uint8_t *data, size_t size)
{
	size_t at = 0;

	*texts = (struct texts){.memory = malloc(size + 1), .count = first};
	check(texts->memory != NULL && first <= 1);
	memcpy(texts->memory, data, size);
	texts->memory[size] = '\0';
	while (at < size && texts->count < TEXTS_MAX) {
		texts->each[texts->count++] = texts->memory + at;
		at += strlen(texts->memory + at) + 1;
	}
}

void
texts_free(struct texts *texts)
{
	free(texts->memory);
}

void
messages_catch(const char *program)
{
	stream = open_memstream(&said, &said_length);
	check(stream != NULL);
	message_start(program, stream);
}

char *
messages_taken(void)
{
	check(fclose(stream) == 0);
	message_start("fuzz", stderr);
	return said;
}
