/* folder.c: scandir(3), over a folder in which any part of what a driver set stands. */
#include "folder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unknown.h"

struct dirent folder_entries[FOLDER_MOST];

static int
failed(void)
{
	errno = Frama_C_int_interval(1, 4095);
	return -1;
}

/* The list, and each entry of it, is memory of its own, for whoever called to free. Nothing is in order anyway. */
int
scandir(const char *folder, struct dirent ***files, int (*takes)(const struct dirent *),
    int (*compare)(const struct dirent **, const struct dirent **))
{
	//@ assert folder: valid_read_string(folder);
	//@ assert room: \valid(files);
	struct dirent **list = malloc(FOLDER_MOST * sizeof *list);
	int count = list == NULL ? failed() : Frama_C_int_interval(-1, 0);

	//@ loop unroll FOLDER_MOST;
	for (int i = 0; i < FOLDER_MOST && count >= 0; i++) {
		if (unknown_bool() || !takes(&folder_entries[i]))
			continue;
		list[count] = malloc(sizeof **list);
		if (list[count] != NULL)
			memcpy(list[count++], &folder_entries[i], sizeof **list);
	}
	//@ split count;
	if (count < 0) {
		free(list);
		return failed();
	}
	*files = list;
	return count;
}
