/* line.h: builds one log line, an event word and then key=value, in a buffer of its own. No I/O, no allocation. */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { LINE_MAX_LENGTH = 1000 };

/* text is always terminated; what does not fit is cut, and the cut is marked by "..." at the end. */
struct line {
	size_t length;
	char text[LINE_MAX_LENGTH + 1];
};

/* Starts the line with a word that is ours: "open", "close", "refused", "limit" ... */
void line_start(struct line *line, const char *event);

/*
 * Appends " name=value". A value from outside is safe: when it holds anything but [A-Za-z0-9._:/@%+,[]-] (or is
 * empty) it is put in double quotes, with \" and \\ escaped and every byte outside 0x20..0x7e written as \xHH.
 */
void line_text(struct line *line, const char *name, const char *value);
void line_number(struct line *line, const char *name, uint64_t value);
void line_seconds(struct line *line, const char *name, uint64_t milliseconds); /* 12.3: one decimal */
void line_reason(struct line *line, enum error reason);                        /* " reason=WORD" */

#endif
