/* message.c: lines for whoever starts a program, on standard error or in syslog. */
#include "daemon/message.h"

#include <stdarg.h>
#include <syslog.h>

static const char *program_name = "spiped";
static FILE *messages;
static bool to_syslog;

void
message_start(const char *program, FILE *stream)
{
	program_name = program;
	messages = stream;
	to_syslog = false;
}

void
message_to_syslog(void)
{
	to_syslog = true;
}

static __attribute__((format(printf, 3, 0))) void
say(int priority, const char *kind, const char *format, va_list arguments)
{
	char text[5000]; /* room for a path of any length, and some words */

	(void)vsnprintf(text, sizeof text, format, arguments);
	/* A path or an argument in it makes no line of its own, and does nothing to a terminal. */
	for (char *c = text; *c != '\0'; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	if (to_syslog)
		syslog(priority, "%s%s", kind, text);
	else if (messages != NULL)
		(void)fprintf(messages, "%s: %s%s\n", program_name, kind, text);
}

bool
message_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_ERR, "", format, arguments);
	va_end(arguments);
	return false;
}

void
message_warning(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(LOG_WARNING, "warning: ", format, arguments);
	va_end(arguments);
}

void
message_warning_line(const char *line)
{
	message_warning("%s", line);
}

void
message_text(const char *text)
{
	if (messages != NULL)
		(void)fputs(text, messages);
}
