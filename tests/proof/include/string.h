/* string.h: Frama-C's; of strchr Eva has a builtin, which tells less of where it found something than text.c does. */
#ifndef PROOF_STRING_H
#define PROOF_STRING_H

#include_next <string.h>

#define strchr proof_strchr
char *proof_strchr(const char *text, int c);

#endif
