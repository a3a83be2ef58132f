/* key_folder.c: see key_folder.h. */
#include "daemon/key_folder.h"

#include <stdlib.h>
#include <string.h>

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
	int count, kept = 0;

	*files = NULL; /* scandir leaves it as it is when it fails */
	count = scandir(folder, files, kind == KEY_FOLDER_KEYS ? is_key : is_mistake, alphasort);
	for (int i = 0; i < count; i++) {
		if (kept > 0 && strcmp((*files)[kept - 1]->d_name, (*files)[i]->d_name) == 0)
			free((*files)[i]);
		else
			(*files)[kept++] = (*files)[i];
	}
	return count < 0 ? count : kept;
}

static int
compare(const void *name, const void *file)
{
	return strcmp(name, (*(struct dirent *const *)file)->d_name);
}

bool
key_folder_has(struct dirent **files, int count, const char *name)
{
	return count > 0 && bsearch(name, files, (size_t)count, sizeof(void *), compare) != NULL;
}

void
key_folder_free(struct dirent **files, int count)
{
	for (int i = 0; i < count; i++)
		free(files[i]);
	if (count >= 0)
		free(files);
}
