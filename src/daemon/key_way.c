/* key_way.c: see key_way.h. */
#include "daemon/key_way.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

size_t
key_way_find(struct key_step steps[], size_t most, const char *path)
{
	/* `at`, where "" is the root, is where we are; `left`, in rest, is what is left of the way from there. */
	char at[PATH_MAX], next[PATH_MAX], rest[PATH_MAX], target[PATH_MAX];
	const char *left = rest;
	size_t count = 0;

	(void)snprintf(at, sizeof at, "%s", path[0] == '/' ? "" : ".");
	if (snprintf(rest, sizeof rest, "%s", path) >= PATH_MAX)
		return 0;
	while (count < most && *(left += strspn(left, "/")) != '\0') { /* in a circle too this comes to an end */
		struct key_step *step = &steps[count];
		size_t length = strcspn(left, "/"), after = strlen(left + length);
		ssize_t size;

		if (length > NAME_MAX || snprintf(next, sizeof next, "%s/%.*s", at, (int)length, left) >= PATH_MAX)
			break;
		size = readlink(next, target, sizeof target);
		(void)snprintf(step->folder, PATH_MAX, "%s", at[0] == '\0' ? "/" : at);
		(void)snprintf(step->name, sizeof step->name, "%.*s", (int)length, left);
		step->is_link = size >= 0;
		count++;
		if (!step->is_link) {
			memcpy(at, next, sizeof at);
			left += length;
			continue;
		}
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
