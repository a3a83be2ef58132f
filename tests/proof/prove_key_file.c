/*
 * prove_key_file.c: src/daemon/key_file.c with a file of any length that comes in any pieces, any error at any call,
 * any mode and kind of file, and a path of any bytes: "-", of up to 5, of "fd:" and any 3; and one that is as long as
 * a warning has room for.
 */
#include "daemon/key_file.h"

#include "unknown_text.h"

enum { FEW = 5, MOST = KEY_FILE_TEXT };

static char path[MOST + 1];

/* What was read or checked of file is warned of: nothing, one thing or two. */
static void
warn(const struct key_file *file)
{
	char text[KEY_FILE_TEXT];

	//@ loop unroll 3;
	for (int number = 0; number <= 2; number++) {
		(void)key_file_warning(file, number, text);
		//@ slevel merge;
	}
}

static void
read_one(const char *name)
{
	struct key_file file;
	uint8_t k[WIRE_KEY];
	const char *what;
	int error = key_file_read(&file, name, k, &what);

	//@ assert what: valid_read_string(what);
	(void)key_file_problem(error);
	warn(&file);
	//@ slevel merge;
}

static void
read_member(const char *name)
{
	struct key_file file;
	uint8_t k[WIRE_KEY];

	(void)key_file_problem(key_file_read_member(&file, name, k));
	warn(&file);
	//@ slevel merge;
}

static void
check(const char *name)
{
	struct key_file file;

	if (key_file_check(&file, name))
		warn(&file);
	//@ slevel merge;
}

static void
check_member(const char *name)
{
	struct key_file file;

	(void)key_file_problem(key_file_check_member(&file, name));
	warn(&file);
	//@ slevel merge;
}

static void
with_path(const char *name)
{
	read_one(name);
	read_member(name);
	check(name);
	check_member(name);
	(void)key_file_can_be_opened(name);
	//@ slevel merge;
}

int
main(void)
{
	with_path("-");
	memset(path, 'x', MOST);
	with_path(path);
	with_path(path + MOST);
	unknown_text(path + MOST - 1, 1, '-');
	with_path(path + MOST - 1);
	unknown_text(path + MOST - FEW, FEW, '\0');
	//@ loop unroll 4;
	for (size_t length = 2; length <= FEW; length++)
		with_path(path + MOST - length);
	memcpy(path + MOST - 6, "fd:", 3);
	with_path(path + MOST - 6);
	return 0;
}
