/*
 * prove_append.c: append() of src/base/line.c, with texts that end where memory ends. What it does turns on how
 * the text's length compares with the room that is left: each of these is looked at from 52 lengths of a line.
 */
#include "base/line.c"

#include "unknown.h"

enum { FEW = 4, MOST = LINE_MAX_LENGTH + 10 };

static char text[MOST + 1];

static void
append_to(size_t have, size_t length)
{
	struct line line;

	unknown_bytes(line.text, sizeof line.text);
	line.length = have;
	append(&line, text + MOST - length, length);
	//@ assert length: line.length <= LINE_MAX_LENGTH;
	//@ assert end: line.text[line.length] == '\0';
}

/* From so many bytes: few more, as many as there is room for, one more, and more than a line can have. */
static void
append_few_and_many(size_t have)
{
	//@ loop unroll 5;
	for (size_t length = 0; length <= FEW; length++)
		append_to(have, length);
	append_to(have, LINE_MAX_LENGTH - have);
	append_to(have, LINE_MAX_LENGTH - have + 1);
	append_to(have, MOST);
	//@ slevel merge;
}

int
main(void)
{
	unknown_bytes(text, MOST);
	//@ loop unroll 41;
	for (size_t have = 0; have <= LINE_MAX_LENGTH; have += 25)
		append_few_and_many(have);
	//@ loop unroll 12;
	for (size_t have = LINE_MAX_LENGTH - 11; have <= LINE_MAX_LENGTH; have++)
		append_few_and_many(have);
	return 0;
}
