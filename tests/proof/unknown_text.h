/* unknown_text.h: texts of which each byte may be anything, and whose end is known. Wants -eva-ilevel 256. */
#ifndef PROOF_UNKNOWN_TEXT_H
#define PROOF_UNKNOWN_TEXT_H

#include <limits.h>
#include <string.h> /* valid_read_string */

#include "unknown.h"

/* Any char but '\0' and one more, which may be '\0'. */
static inline char
unknown_char_but(char but)
{
	char c = Frama_C_char_interval(CHAR_MIN, CHAR_MAX);

	return (char)(c == '\0' || c == but ? 'x' : c);
}

static inline void
unknown_text(char *text, size_t length, char but)
{
	//@ loop unroll 1000;
	for (size_t i = 0; i < length; i++)
		text[i] = unknown_char_but(but);
}

#endif
