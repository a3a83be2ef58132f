/*
 * prove_key_folder.c: which files src/daemon/key_folder.c takes for keys, with a folder in which any files stand: their
 * names have any bytes but '/' and '\0', and as many as the sizes here are about: 1 to 6, with and without ".key" at
 * their end, about KEY_NAME_MAX, and the most that a name in a folder has, 255. key_folder_can_be_read has no proof.
 */
#include "daemon/key_folder.h"

#include "folder.h"
#include "protocol/keyring.h"
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
set_entry(struct dirent *entry, size_t length, bool is_key)
{
	unknown_text(entry->d_name, length, '/');
	if (is_key)
		memcpy(entry->d_name + length - KEY_FOLDER_SUFFIX, ".key", KEY_FOLDER_SUFFIX);
	entry->d_name[length] = '\0';
}

static void
list(enum key_folder_kind kind)
{
	struct dirent **files;
	int count = key_folder_list("folder", kind, &files);

	if (count < 0)
		return;
	//@ loop unroll FOLDER_MOST;
	for (int i = 0; i < count; i++) {
		//@ assert name: valid_read_string(&files[i]->d_name[0]);
		//@ assert key: kind == KEY_FOLDER_MISTAKES || strlen(&files[i]->d_name[0]) > KEY_FOLDER_SUFFIX;
	}
	key_folder_free(files, count);
	//@ slevel merge;
}

static void
look_at(size_t length, bool is_key)
{
	set_entry(&folder_entries[0], length, is_key);
	set_entry(&folder_entries[1], 5, true);
	list(KEY_FOLDER_KEYS);
	list(KEY_FOLDER_MISTAKES);
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
