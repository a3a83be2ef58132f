/* key_links.c: see key_links.h. */
#include "daemon/key_links.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t
key_links_find(struct key_link links[], size_t most, const char *path)
{
	/* `at`, where "" is the root, is led to by no link; `left`, in rest, is what is left of the way from there. */
	char at[PATH_MAX], next[PATH_MAX], rest[PATH_MAX], target[PATH_MAX];
	const char *left = rest;
	size_t count = 0;

	(void)snprintf(at, sizeof at, "%s", path[0] == '/' ? "" : ".");
	if (snprintf(rest, sizeof rest, "%s", path) >= PATH_MAX)
		return 0;
	while (count < most && *(left += strspn(left, "/")) != '\0') {
		size_t length = strcspn(left, "/"), after = strlen(left + length);
		ssize_t size;

		if (length > NAME_MAX || snprintf(next, sizeof next, "%s/%.*s", at, (int)length, left) >= PATH_MAX)
			break;
		size = readlink(next, target, sizeof target);
		if (size < 0) {
			memcpy(at, next, sizeof at);
			left += length;
			continue;
		}
		(void)snprintf(links[count].folder, PATH_MAX, "%s", at[0] == '\0' ? "/" : at);
		(void)snprintf(links[count++].name, NAME_MAX + 1, "%.*s", (int)length, left);
		if ((size_t)size + after >= PATH_MAX)
			break;
		memmove(rest + size, left + length, after + 1);
		memcpy(rest, target, (size_t)size);
		left = rest;
		if (rest[0] == '/')
			at[0] = '\0';
	}
	return count;
}
