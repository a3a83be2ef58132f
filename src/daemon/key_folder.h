/* key_folder.h: which files of a folder are keys, and which only look as if somebody meant them to be. */
#ifndef DAEMON_KEY_FOLDER_H
#define DAEMON_KEY_FOLDER_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>

enum { KEY_FOLDER_SUFFIX = 4 /* ".key" */ };

enum key_folder_kind { KEY_FOLDER_KEYS, KEY_FOLDER_MISTAKES };

/* Up to KEY_NAME_MAX letters, digits and ._- and no dot in front. */
bool key_folder_is_name(const char *name, size_t length);

/*
 * The files of a kind, by name; key_folder_free gives them back. Hidden ones and editors' copies are of neither kind.
 * -1: the folder cannot be read, and errno says why. A large folder that changes meanwhile may be told wrongly by the
 * kernel: a file that stays may be missing. One that it tells twice is here once.
 */
int key_folder_list(const char *folder, enum key_folder_kind kind, struct dirent ***files);
bool key_folder_has(struct dirent **files, int count, const char *name);
void key_folder_free(struct dirent **files, int count);

#endif
