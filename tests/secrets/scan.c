/*
 * scan.c: looks through another process's memory for any 8 bytes of a secret: scan PID <secrets. Each line of standard
 * input is a name and hexadecimal digits. Prints "name address length" for each stretch found, then "scanned bytes
 * refused": how much was looked at, and how much the kernel shows to nobody. Exits 2 when it could not do its work.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WINDOW = 8, DISTINCT = 4, NAMES = 4096, NAME = 63, CHUNK = 1 << 20, FILTER_BITS = 20, PAGE = 4096 };

struct window {
	uint64_t value;
	unsigned secret, at;
};

struct stretch {
	unsigned secret, at;
	uint64_t from, to;
};

static char names[NAMES][NAME + 1];
static unsigned name_count;
static struct window *windows;
static size_t window_count;
static uint8_t filter[1 << (FILTER_BITS - 3)];
static struct stretch stretch;
static uint64_t scanned, refused;

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

static unsigned
hash(uint64_t value)
{
	return (unsigned)(value * 0x9e3779b97f4a7c15u >> (64 - FILTER_BITS));
}

/* Zeros and counters are everywhere. */
static bool
is_telling(const uint8_t bytes[WINDOW])
{
	unsigned distinct = 0;

	for (unsigned i = 0; i < WINDOW; i++)
		distinct += memchr(bytes, bytes[i], i) == NULL;
	return distinct >= DISTINCT;
}

static void
add_secret(const char *name, const uint8_t *bytes, size_t length)
{
	if (name_count == NAMES)
		exit(2);
	snprintf(names[name_count], sizeof names[0], "%s", name);
	windows = realloc(windows, (window_count + length) * sizeof *windows);
	if (windows == NULL)
		fail("memory");
	for (size_t at = 0; at + WINDOW <= length; at++) {
		struct window *window = &windows[window_count];

		if (!is_telling(bytes + at))
			continue;
		memcpy(&window->value, bytes + at, WINDOW);
		window->secret = name_count;
		window->at = (unsigned)at;
		filter[hash(window->value) >> 3] |= (uint8_t)(1 << (hash(window->value) & 7));
		window_count++;
	}
	name_count++;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t left = ((const struct window *)a)->value, right = ((const struct window *)b)->value;

	return left < right ? -1 : left > right;
}

static void
read_secrets(void)
{
	char *line = NULL, name[NAME + 1], *digits = NULL;
	size_t size = 0;

	while (getline(&line, &size, stdin) > 0) {
		size_t length = 0;

		digits = realloc(digits, size);
		if (digits == NULL || sscanf(line, "%63s %s", name, digits) != 2)
			exit(2);
		/* In place: a byte takes less room than its digits. */
		for (; sscanf(digits + 2 * length, "%2hhx", (uint8_t *)digits + length) == 1; length++)
			continue;
		add_secret(name, (const uint8_t *)digits, length);
	}
	free(line);
	free(digits);
	qsort(windows, window_count, sizeof *windows, by_value);
}

static void
tell(void)
{
	if (stretch.to > stretch.from)
		printf("%s %#" PRIx64 " %" PRIu64 "\n", names[stretch.secret], stretch.from, stretch.to - stretch.from);
}

static void
found(const struct window *window, uint64_t address)
{
	if (stretch.to == address + WINDOW - 1 && stretch.secret == window->secret &&
	    stretch.at + (address - stretch.from) == window->at) {
		stretch.to++;
		return;
	}
	tell();
	stretch = (struct stretch){window->secret, window->at, address, address + WINDOW};
}

static void
look_at(const uint8_t *bytes, size_t length, uint64_t address)
{
	for (size_t at = 0; at + WINDOW <= length; at++) {
		struct window key;
		const struct window *window;

		memcpy(&key.value, bytes + at, WINDOW);
		if ((filter[hash(key.value) >> 3] >> (hash(key.value) & 7) & 1) == 0)
			continue;
		window = bsearch(&key, windows, window_count, sizeof *windows, by_value);
		if (window != NULL)
			found(window, address + at);
	}
}

/* Pieces overlap by a window less one. */
static void
look_in(int memory, uint64_t from, uint64_t to)
{
	static uint8_t bytes[CHUNK];

	while (from < to) {
		size_t wanted = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t got = pread(memory, bytes, wanted, (off_t)from);

		if (got <= 0) {
			refused += PAGE;
			from = from / PAGE * PAGE + PAGE;
			continue;
		}
		look_at(bytes, (size_t)got, from);
		scanned += (uint64_t)got;
		from += (uint64_t)got;
		if (from < to && got >= WINDOW)
			from -= WINDOW - 1;
		if (from < to && got < WINDOW)
			from = from / PAGE * PAGE + PAGE;
	}
}

/* Whether a page is in memory or in swap: else it holds nothing. */
static bool
is_there(int pagemap, uint64_t address)
{
	uint64_t entry;

	return pread(pagemap, &entry, sizeof entry, (off_t)(address / PAGE * sizeof entry)) == sizeof entry &&
	       (entry >> 62) != 0;
}

static void
look_in_mapping(int memory, int pagemap, uint64_t from, uint64_t to)
{
	uint64_t start = from;

	for (; from < to; from += PAGE) {
		if (is_there(pagemap, from))
			continue;
		look_in(memory, start, from);
		start = from + PAGE;
	}
	look_in(memory, start, to);
}

static int
open_of(const char *pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail(path);
	return fd;
}

int
main(int argc, char *argv[])
{
	int memory = open_of(argc == 2 ? argv[1] : "self", "mem"), pagemap = open_of(argv[1], "pagemap");
	FILE *maps = fdopen(open_of(argv[1], "maps"), "r");
	char line[4096];
	uint64_t from, to;

	read_secrets();
	while (fgets(line, sizeof line, maps) != NULL) {
		if (strstr(line, "[v") != NULL) /* the kernel's own: vdso, vvar, vsyscall */
			continue;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) != 2)
			return 2;
		look_in_mapping(memory, pagemap, from, to);
	}
	tell();
	printf("scanned %" PRIu64 " %" PRIu64 "\n", scanned, refused);
	return scanned == 0 ? 2 : 0;
}
