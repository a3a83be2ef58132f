/* line.c: builds one log line in a buffer of its own. */
#include "base/line.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A line that was cut is full to the last byte, so whatever comes after it is cut too. */
static void
append(struct line *line, const char *text, size_t length)
{
	size_t room = LINE_MAX_LENGTH - line->length;
	size_t fits = length < room ? length : room;

	memcpy(line->text + line->length, text, fits);
	line->length += fits;
	if (fits < length)
		memcpy(line->text + LINE_MAX_LENGTH - 3, "...", 3);
	line->text[line->length] = '\0';
}

static void
append_name(struct line *line, const char *name)
{
	append(line, " ", 1);
	append(line, name, strlen(name));
	append(line, "=", 1);
}

/* By hand, since isalnum(3) depends on the locale. */
static bool
is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("._:/@%+,[]-", c) != NULL);
}

static bool
is_plain_text(const char *text)
{
	if (*text == '\0')
		return false;
	while (is_plain(*text))
		text++;
	return *text == '\0';
}

static void
append_quoted(struct line *line, const char *value)
{
	append(line, "\"", 1);
	for (; *value != '\0'; value++) {
		unsigned char byte = (unsigned char)*value;
		char escaped[5];
		int length;

		if (byte < 0x20 || byte > 0x7e)
			length = snprintf(escaped, sizeof escaped, "\\x%02x", byte);
		else
			length =
			    snprintf(escaped, sizeof escaped, "%s%c", byte == '"' || byte == '\\' ? "\\" : "", byte);
		append(line, escaped, (size_t)length);
	}
	append(line, "\"", 1);
}

void
line_start(struct line *line, const char *event)
{
	line->length = 0;
	append(line, event, strlen(event));
}

void
line_text(struct line *line, const char *name, const char *value)
{
	append_name(line, name);
	if (is_plain_text(value))
		append(line, value, strlen(value));
	else
		append_quoted(line, value);
}

void
line_number(struct line *line, const char *name, uint64_t value)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%" PRIu64, value);

	append_name(line, name);
	append(line, digits, (size_t)length);
}

void
line_seconds(struct line *line, const char *name, uint64_t milliseconds)
{
	char digits[24];
	int length = snprintf(
	    digits, sizeof digits, "%" PRIu64 ".%u", milliseconds / 1000, (unsigned)(milliseconds % 1000 / 100));

	append_name(line, name);
	append(line, digits, (size_t)length);
}

void
line_reason(struct line *line, enum error reason)
{
	line_text(line, "reason", error_word(reason));
}
