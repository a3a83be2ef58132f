/*
 * line.c: log lines. Whatever the values are, a line is one line of printable characters, and one that was not cut can
 * be read back: the same names with the same values. Input: for each value a byte (% 4: text, number, seconds, reason)
 * and a text that ends with a zero byte, or 8 bytes.
 */
#include "base/line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "fuzz.h"

enum { VALUES_MAX = 32, VALUE_ROOM = 4 * LINE_MAX_LENGTH };

/* What went into the line, as a reader of it should find it. */
struct story {
	size_t count;
	char *values[VALUES_MAX];
};

static char *
copy(const char *text)
{
	char *same = malloc(strlen(text) + 1);

	check(same != NULL);
	memcpy(same, text, strlen(text) + 1);
	return same;
}

/* Appends one value to the line and to the story; returns the bytes of input that it took. */
static size_t
append(struct line *line, struct story *story, const uint8_t *data, size_t size)
{
	uint8_t kind = data[0] % 4;
	uint64_t number = 0;
	char digits[32], *text;

	if (kind == 0) {
		size_t length = strnlen((const char *)data + 1, size - 1);

		text = malloc(length + 1);
		check(text != NULL);
		memcpy(text, data + 1, length);
		text[length] = '\0';
		line_text(line, "text", text);
		story->values[story->count++] = text;
		return length + 2 < size ? length + 2 : size;
	}
	for (size_t i = 1; i < size && i <= 8; i++)
		number = number << 8 | data[i];
	if (kind == 1) {
		line_number(line, "number", number);
		(void)snprintf(digits, sizeof digits, "%" PRIu64, number);
		story->values[story->count++] = copy(digits);
	} else if (kind == 2) {
		line_seconds(line, "seconds", number);
		(void)snprintf(digits, sizeof digits, "%" PRIu64 ".%" PRIu64, number / 1000, number % 1000 / 100);
		story->values[story->count++] = copy(digits);
	} else {
		line_reason(line, (enum error)(number % ERROR_COUNT));
		story->values[story->count++] = copy(error_word((enum error)(number % ERROR_COUNT)));
	}
	return size < 9 ? size : 9;
}

static unsigned
hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c == '\0' ? NULL : strchr(digits, c);

	check(at != NULL);
	return (unsigned)(at - digits);
}

/* Reads a value as the header promises that it can be read; returns what follows it. */
static const char *
read_value(const char *at, char *value)
{
	bool is_quoted = *at == '"';

	for (at += is_quoted; *at != (is_quoted ? '"' : ' ') && *at != '\0'; at++) {
		if (is_quoted && *at == '\\' && at[1] == 'x') {
			*value++ = (char)(hex(at[2]) << 4 | hex(at[3]));
			at += 3;
			continue;
		}
		if (is_quoted && *at == '\\') {
			at++;
			check(*at == '"' || *at == '\\');
		}
		*value++ = *at;
	}
	*value = '\0';
	if (is_quoted)
		check(*at == '"');
	return at + is_quoted;
}

static void
read_back(const struct line *line, const struct story *story)
{
	static const char *const names[] = {"text", "number", "seconds", "reason"};
	char value[VALUE_ROOM];
	const char *at = line->text;

	check(strncmp(at, "event", 5) == 0);
	at += 5;
	for (size_t i = 0; i < story->count; i++) {
		const char *equals = strchr(at, '=');
		bool is_known = false;

		check(*at == ' ' && equals != NULL);
		for (size_t name = 0; name < 4; name++) {
			size_t length = strlen(names[name]);

			is_known = is_known ||
				   ((size_t)(equals - at - 1) == length && strncmp(at + 1, names[name], length) == 0);
		}
		check(is_known);
		at = read_value(equals + 1, value);
		check(strcmp(value, story->values[i]) == 0);
	}
	check(*at == '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct story story = {.count = 0};
	struct line line;
	size_t at = 0;

	memset(&line, 'x', sizeof line);
	line_start(&line, "event");
	while (at < size && story.count < VALUES_MAX) {
		size_t before = line.length;

		at += append(&line, &story, data + at, size - at);
		check(line.length >= before && line.length <= LINE_MAX_LENGTH);
		check(strlen(line.text) == line.length && fuzz_is_one_line(line.text));
	}
	if (line.length < LINE_MAX_LENGTH)
		read_back(&line, &story);
	/* One that is full to the last byte was cut, unless it just fits. */
	else if (strcmp(line.text + LINE_MAX_LENGTH - 3, "...") != 0)
		read_back(&line, &story);
	for (size_t i = 0; i < story.count; i++)
		free(story.values[i]);
	return 0;
}
