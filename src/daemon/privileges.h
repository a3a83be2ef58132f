/* privileges.h: whom to become once nothing is left to do that needs more: -u, and the owner of a socket. */
#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { IDENTITY_GROUPS = 256 };

/* USER, :GROUP or USER:GROUP, looked up. */
struct identity {
	bool has_user, has_group; /* what was written */
	uid_t uid;                /* (uid_t)-1 without a user */
	gid_t gid;                /* without a group: the user's own; (gid_t)-1 for none */
	size_t group_count;       /* supplementary groups to have: the user's, when no group was written */
	gid_t groups[IDENTITY_GROUPS];
};

/*
 * Names, or numbers where no name is like that; a number without an account has a group of the same number. false:
 * one line has said what is wrong ("No such user: X"). Before the fork, and before the file system goes away.
 */
bool identity_parse(struct identity *identity, const char *text);

/* Whether this process could become it, as far as can be told without trying; false: one line has said why not. */
bool privileges_check(const struct identity *identity);

/* Whether this process could make them the owner of a file of its own. */
bool privileges_may_give_to(const struct identity *owner);

/*
 * Becomes it: supplementary groups, group, user, and then makes sure that there is no way back. false: one line has
 * said why, and the process must end. Before the first thread.
 */
bool privileges_drop(const struct identity *identity);

#endif
