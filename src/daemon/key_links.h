/* key_links.h: the links on the way to a path: when one is changed, the path leads elsewhere. */
#ifndef DAEMON_KEY_LINKS_H
#define DAEMON_KEY_LINKS_H

#include <limits.h>
#include <stddef.h>

struct key_link {
	char folder[PATH_MAX]; /* which it stands in */
	char name[NAME_MAX + 1];
};

/* Finds the first `most` of them, as things are now; returns how many there are in links. */
size_t key_links_find(struct key_link links[], size_t most, const char *path);

#endif
