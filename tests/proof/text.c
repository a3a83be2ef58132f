/*
 * text.c: the functions for text that Eva has no builtin of, as C11 7.24.4, 7.24.5 and 7.22.1 and string(3), strtod(3)
 * and strtoul(3) have them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unknown.h"

int
strcmp(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && a[i] == b[i])
		i++;
	return (unsigned char)a[i] - (unsigned char)b[i];
}

int
strncmp(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || a[i] == '\0')
			return (unsigned char)a[i] - (unsigned char)b[i];
	return 0;
}

/* Where it was found, of so many places, is looked at place by place by proofs with -eva-interprocedural-splits. */
char *
strchr(const char *text, int c)
{
	for (size_t i = 0;; i++) {
		if (text[i] == (char)c) {
			//@ split i;
			return (char *)text + i;
		}
		if (text[i] == '\0')
			return NULL;
	}
}

char *
strrchr(const char *text, int c)
{
	for (size_t i = strlen(text);; i--) {
		if (text[i] == (char)c)
			return (char *)text + i;
		if (i == 0)
			return NULL;
	}
}

size_t
strcspn(const char *text, const char *reject)
{
	for (size_t i = 0;; i++)
		for (const char *c = reject;; c++) {
			if (text[i] == *c)
				return i;
			if (*c == '\0')
				break;
		}
}

size_t
strspn(const char *text, const char *accept)
{
	size_t i = 0;

	while (text[i] != '\0' && memchr(accept, text[i], strlen(accept)) != NULL)
		i++;
	return i;
}

/* A text of ours for any number (strerror(3)). */
char *
strerror(int number)
{
	static char text[] = "Some error";

	return text;
}

long
strtol(const char *text, char **end, int base)
{
	//@ assert text: valid_read_string(text);
	//@ assert end: \valid(end);
	*end = (char *)text + unknown_size(0, strlen(text));
	if (unknown_bool())
		errno = ERANGE;
	return Frama_C_long_interval(LONG_MIN, LONG_MAX);
}

unsigned long
strtoul(const char *text, char **end, int base)
{
	//@ assert text: valid_read_string(text);
	//@ assert end: \valid(end);
	*end = (char *)text + unknown_size(0, strlen(text));
	if (unknown_bool())
		errno = ERANGE;
	return Frama_C_unsigned_long_interval(0, ULONG_MAX);
}

unsigned long long
strtoull(const char *text, char **end, int base)
{
	//@ assert text: valid_read_string(text);
	//@ assert end: \valid(end);
	return strtoul(text, end, base);
}

/* Any double, an infinity and a NaN too; those up to 1e9, where src/ stops, are looked at by themselves. */
double
strtod(const char *text, char **end)
{
	//@ assert text: valid_read_string(text);
	//@ assert end: \valid(end);
	double number;
	int part;

	*end = (char *)text + unknown_size(0, strlen(text));
	unknown_bytes(&number, sizeof number);
	part = number <= 1e9 ? 1 : 2;
	//@ split part;
	if (unknown_bool())
		errno = ERANGE;
	return number;
}
