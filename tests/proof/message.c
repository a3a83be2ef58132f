/*
 * message.c: stands in for src/daemon/message.c, as src/daemon/message.h promises it: what formatting would read of
 * the arguments is read.
 */
#include "daemon/message.h"

#include <stdarg.h>
#include <stdio.h>

void
message_start(const char *program, FILE *stream)
{
}

bool
message_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	return false;
}

void
message_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
}

/*@ requires text: valid_read_string(text); */
void
message_text(const char *text)
{
}
