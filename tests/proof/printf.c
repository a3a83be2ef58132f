/*
 * printf.c: snprintf and vsnprintf (printf(3); C11 7.21.6.5), for the conversions that src/ has. A conversion that is
 * not here, and an argument of another type than its conversion has, raise an alarm.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct output {
	char *text;
	size_t size, length; /* length: of what it would be with room for all of it */
};

static void
put(struct output *output, char c)
{
	if (output->length + 1 < output->size)
		output->text[output->length] = c;
	output->length++;
}

/* The last byte of all makes room for the end in the end. */
static void
put_text(struct output *output, const char *text, size_t length)
{
	size_t room = output->length < output->size ? output->size - output->length : 0;

	if (room > 0)
		memcpy(output->text + output->length, text, length < room ? length : room);
	output->length += length;
}

static void
pad(struct output *output, size_t length, size_t width, char with)
{
	for (; length < width; length++)
		put(output, with);
}

/* Returns how many digits there were, so that Eva can look at each number of them by itself. */
static size_t
put_number(struct output *output, uint64_t number, uint64_t base, size_t width, char with)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	pad(output, count, width, with);
	for (size_t i = count; i > 0; i--)
		put(output, digits[i - 1]);
	return count;
}

/* The number that stands at *format, which moves on behind it; a star takes an argument. */
#define TAKE_NUMBER(number, format, arguments)                                       \
	if (*(format) == '*') {                                                      \
		(number) = (size_t)va_arg(arguments, int);                           \
		(format)++;                                                          \
	} else {                                                                     \
		for ((number) = 0; *(format) >= '0' && *(format) <= '9'; (format)++) \
			(number) = 10 * (number) + (size_t)(*(format) - '0');        \
	}

/*@ requires room: \valid(text + (0 .. size - 1));
    requires format: valid_read_string(format); */
int
proof_vsnprintf(char *text, size_t size, const char *format, va_list arguments)
{
	struct output output = {.text = text, .size = size};

	for (; *format != '\0'; format++) {
		size_t width, most = SIZE_MAX;
		bool left = false, is_long = false;
		char with = ' ';

		if (*format != '%') {
			put(&output, *format);
			continue;
		}
		format++;
		if (*format == '-') {
			left = true;
			format++;
		}
		if (*format == '0') {
			with = '0';
			format++;
		}
		TAKE_NUMBER(width, format, arguments)
		if (*format == '.') {
			format++;
			TAKE_NUMBER(most, format, arguments)
		}
		if (*format == 'l') {
			is_long = true;
			format++;
		}
		if (*format == '%')
			put(&output, '%');
		else if (*format == 'c')
			put(&output, (char)va_arg(arguments, int));
		else if (*format == 's') {
			const char *string = va_arg(arguments, const char *);
			size_t length = most == SIZE_MAX ? strlen(string) : strnlen(string, most);

			if (!left)
				pad(&output, length, width, ' ');
			put_text(&output, string, length);
			if (left)
				pad(&output, length, width, ' ');
		} else {
			//@ assert conversion: *format == 'u' || *format == 'x' || (*format == 'd' && !is_long);
			uint64_t number = is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);

			//@ assert not_negative: *format != 'd' || number <= INT_MAX;
			(void)put_number(&output, number, *format == 'x' ? 16 : 10, width, with);
		}
	}
	if (size > 0)
		text[output.length < size ? output.length : size - 1] = '\0';
	return (int)output.length;
}

int
proof_snprintf(char *text, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = proof_vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return length;
}
