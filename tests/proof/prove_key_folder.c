/*
 * prove_key_folder.c: which files src/daemon/key_folder.c takes for keys: names of any bytes, and of as many as the
 * sizes here are about: 1 to 6, with and without ".key" at their end, about KEY_NAME_MAX, and the most that a name in a
 * folder has, 255. Of an entry nothing else is set. What lists and frees entries has no proof.
 */
#include "daemon/key_folder.c"

#include "unknown_text.h"

enum { MOST = 255, AROUND = KEY_NAME_MAX + KEY_FOLDER_SUFFIX };

static void
is_name(void)
{
	static char name[KEY_NAME_MAX + 2];
	static const size_t lengths[] = {0, 1, 2, KEY_NAME_MAX - 1, KEY_NAME_MAX, KEY_NAME_MAX + 1};

	unknown_text(name, KEY_NAME_MAX + 1, '\0');
	//@ loop unroll 6;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		(void)key_folder_is_name(name + KEY_NAME_MAX + 1 - lengths[i], lengths[i]);
		//@ slevel merge;
	}
}

static void
look_at(size_t length, bool ends_as_key)
{
	struct dirent entry;

	unknown_text(entry.d_name, length, '/');
	if (ends_as_key)
		memcpy(entry.d_name + length - KEY_FOLDER_SUFFIX, ".key", KEY_FOLDER_SUFFIX);
	entry.d_name[length] = '\0';
	(void)is_key(&entry);
	(void)is_mistake(&entry);
	//@ slevel merge;
}

int
main(void)
{
	static const size_t lengths[] = {1, 2, 3, 4, 5, 6, AROUND - 1, AROUND, AROUND + 1, MOST};

	is_name();
	//@ loop unroll 10;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		look_at(lengths[i], false);
		if (lengths[i] >= KEY_FOLDER_SUFFIX)
			look_at(lengths[i], true);
	}
	return 0;
}
