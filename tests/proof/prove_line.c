/*
 * prove_line.c: src/base/line.c and src/base/error.c with values of any bytes, and every number and reason. append(),
 * which all of it goes through, stands behind the contract that prove_append.c proves.
 */
#include "base/line.h"

/*@ requires line: \valid(line) && line->length <= LINE_MAX_LENGTH;
    requires text: \valid_read(text + (0 .. length - 1)) && \initialized(text + (0 .. length - 1));
    assigns *line \from *line, text[0 .. length - 1], length;
    ensures length: line->length <= LINE_MAX_LENGTH; */
static void append(struct line *line, const char *text, size_t length);

#include "base/line.c"

#include "unknown_text.h"

enum { MOST = 8 };

static struct line line;
static char value[MOST + 1];

static void
any_value(size_t length)
{
	line_text(&line, "name", value + MOST - length);
	//@ slevel merge;
}

int
main(void)
{
	unknown_text(value, MOST, '\0');
	line_start(&line, "event");
	//@ loop unroll 9;
	for (size_t length = 0; length <= MOST; length++)
		any_value(length);
	line_number(&line, "name", Frama_C_unsigned_long_interval(0, UINT64_MAX));
	line_seconds(&line, "name", Frama_C_unsigned_long_interval(0, UINT64_MAX));
	//@ loop unroll 24;
	for (unsigned reason = 0; reason <= ERROR_COUNT; reason++) {
		line_reason(&line, (enum error)reason);
		(void)error_text((enum error)reason);
	}
	(void)error_word((enum error)UINT32_MAX);
	return 0;
}
