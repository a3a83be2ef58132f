/* key_folder.c: see key_folder.h. */
#define _GNU_SOURCE /* euidaccess */
#include "daemon/key_folder.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "protocol/keyring.h"

bool
key_folder_is_name(const char *name, size_t length)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return length > 0 && length <= KEY_NAME_MAX && name[0] != '.' && strspn(name, good) >= length;
}

/* NAME.key */
static int
is_key(const struct dirent *entry)
{
	const char *file = entry->d_name;
	size_t length = strlen(file);

	return length > KEY_FOLDER_SUFFIX && strcmp(file + length - KEY_FOLDER_SUFFIX, ".key") == 0 &&
	       key_folder_is_name(file, length - KEY_FOLDER_SUFFIX);
}

static int
is_mistake(const struct dirent *entry)
{
	const char *file = entry->d_name;

	return !is_key(entry) && file[0] != '.' && file[0] != '#' && file[strlen(file) - 1] != '~';
}

int
key_folder_list(const char *folder, enum key_folder_kind kind, struct dirent ***files)
{
	return scandir(folder, files, kind == KEY_FOLDER_KEYS ? is_key : is_mistake, alphasort);
}

void
key_folder_free(struct dirent **files, int count)
{
	for (int i = 0; i < count; i++)
		free(files[i]);
	if (count >= 0)
		free(files);
}

bool
key_folder_can_be_read(const char *folder)
{
	struct dirent **files;
	int count = key_folder_list(folder, KEY_FOLDER_KEYS, &files);
	bool can = count >= 0;

	for (int i = 0; i < count && can; i++) {
		char path[2 * PATH_MAX];

		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		can = euidaccess(path, R_OK) == 0;
	}
	key_folder_free(files, count);
	return can;
}
