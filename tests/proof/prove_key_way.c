/*
 * prove_key_way.c: src/daemon/key_way.c: three steps of paths of up to 3 bytes, each of which may be any, in which up
 * to two names (of 3 bytes, one) are links to 0 to 2 such bytes, or to about PATH_MAX; a circle; names about NAME_MAX;
 * and the whole way of paths about PATH_MAX, of which one of the last names may be a link.
 */
#include <unistd.h>

#include "daemon/key_set.h"

#include "unknown_text.h"

enum { FEW = 3, SOME = 2, NAME = NAME_MAX - 1, NAMES = PATH_MAX / (NAME + 1) };

static struct key_step steps[KEY_STEPS_MAX];
static char pointed_at[PATH_MAX];
static size_t names_first, links; /* so many names that are none come before links */
static bool is_circle;

/* -1, or as many bytes as it returns and no end: none, 1, 2, or as many as there is room for, and 1 or 2 less. */
ssize_t
proof_readlink(const char *path, char *target, size_t size)
{
	//@ assert path: valid_read_string(path);
	//@ assert room: \valid(target + (0 .. size - 1));
	ssize_t length;

	if (is_circle) {
		target[0] = pointed_at[0];
		return 1;
	}
	if (names_first > 0) {
		names_first--;
		return -1;
	}
	if (links == 0 || unknown_bool())
		return -1;
	links--;
	length = (ssize_t)unknown_size(0, SOME);
	if (unknown_bool())
		length = (ssize_t)size - length;
	//@ split length;
	memcpy(target, pointed_at, (size_t)length);
	return length;
}

static void
long_path(char *path, size_t size)
{
	memset(path, 'x', size);
	//@ loop unroll NAMES + 1;
	for (size_t at = 0; at < size; at += NAME + 1)
		path[at] = '/';
}

static void
find(const char *path, size_t names, size_t most)
{
	size_t count;

	names_first = names;
	links = strlen(path) < FEW ? 2 : 1;
	count = key_way_find(steps, most, path);
	//@ assert room: count <= most;
	//@ loop unroll KEY_STEPS_MAX;
	for (size_t i = 0; i < count; i++) {
		//@ assert folder: valid_read_string(&steps[i].folder[0]);
		//@ assert name: valid_read_string(&steps[i].name[0]);
	}
	//@ slevel merge;
}

static void
in_a_circle(void)
{
	is_circle = true;
	pointed_at[0] = 'x';
	find("x", 0, KEY_STEPS_MAX);
	is_circle = false;
}

static void
short_ones(void)
{
	static char path[FEW + 1];

	unknown_text(path, FEW, '\0');
	//@ loop unroll FEW + 1;
	for (size_t length = 0; length <= FEW; length++)
		find(path + FEW - length, 0, FEW);
}

static void
about_a_name(void)
{
	static char path[NAME_MAX + 2];

	memset(path, 'x', NAME_MAX + 1);
	//@ loop unroll 3;
	for (size_t i = 0; i <= 2; i++)
		find(path + i, 0, 1);
}

/* Of names that are as long as NAME says; from root or from here. */
static void
about_a_path(void)
{
	static char path[PATH_MAX + 1];

	long_path(path, sizeof path);
	path[PATH_MAX] = '\0';
	find(path, NAMES - 2, NAMES + 1); /* too long */
	find(path + 1, NAMES - 2, NAMES + 1);
	path[PATH_MAX - 1] = '\0';
	find(path, NAMES - 2, NAMES + 1);
	find(path, 0, 2);
}

int
main(void)
{
	in_a_circle();
	long_path(pointed_at, sizeof pointed_at);
	about_a_name();
	about_a_path();
	unknown_text(pointed_at, SOME, '\0');
	pointed_at[SOME] = '/';
	short_ones();
	return 0;
}
