/* stdio.h: Frama-C's, with formatting as printf.c has it: Frama-C's own contracts say nothing of how long a text gets.
 */
#ifndef PROOF_STDIO_H
#define PROOF_STDIO_H

#include <stdarg.h>
#include_next <stdio.h>

#define snprintf proof_snprintf
#define vsnprintf proof_vsnprintf
int proof_snprintf(char *text, size_t size, const char *format, ...);
int proof_vsnprintf(char *text, size_t size, const char *format, va_list arguments);

#endif
