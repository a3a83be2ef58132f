/*
 * prove_keygen_file.c: src/spiped-keygen/file.c with a path of any bytes, or as long as one may be or longer, any
 * owner, and any failure at any call.
 */
#include <libgen.h>
#include <limits.h>

#include "daemon/key_file.h"
#include "spiped-keygen/file.h"
#include "unknown_text.h"

enum { FEW = 3, MOST = 2 * PATH_MAX };

static char path[MOST + 1];

/* Some place inside its argument, which it may cut, or a text of its own (dirname(3)). */
char *
dirname(char *path)
{
	//@ assert path: valid_string(path);
	static char here[] = ".";

	path[unknown_size(0, strlen(path))] = '\0';
	return unknown_bool() ? path : here;
}

static void
with_path(const char *name)
{
	uint8_t key[KEY_FILE_LENGTH];

	unknown_bytes(key, sizeof key);
	(void)file_make(name, key, (uid_t)Frama_C_unsigned_int_interval(0, UINT_MAX),
	    (gid_t)Frama_C_unsigned_int_interval(0, UINT_MAX));
	//@ slevel merge;
}

int
main(void)
{
	memset(path, 'x', MOST); /* of a long one only its end is unknown: it is copied whole */
	unknown_text(path + MOST - FEW, FEW, '\0');
	//@ loop unroll 4;
	for (size_t length = 0; length <= FEW; length++)
		with_path(path + MOST - length);
	with_path(path + MOST - PATH_MAX);
	with_path(path + 1);
	with_path(path);
	return 0;
}
