/* key_way.h: the way to a path, by which links and folders: when one of them is changed, it leads elsewhere. */
#ifndef DAEMON_KEY_WAY_H
#define DAEMON_KEY_WAY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct key_step {
	char folder[PATH_MAX];   /* to which no link leads */
	char name[NAME_MAX + 1]; /* what is next, in it */
	bool is_link;
};

/* Finds the first `most` steps, as things are now; returns how many there are in steps. */
size_t key_way_find(struct key_step steps[], size_t most, const char *path);

#endif
