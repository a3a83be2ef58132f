/* privileges.c: looks users and groups up, and becomes them. */
#define _GNU_SOURCE /* getresuid, setresuid */
#include "daemon/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/message.h"

static bool
parse_number(const char *text, unsigned long *number)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *number < (uid_t)-1;
}

static bool
find_user(struct identity *identity, const char *name)
{
	const struct passwd *account = getpwnam(name);
	int count = IDENTITY_GROUPS;
	unsigned long number;

	if (account == NULL && parse_number(name, &number)) {
		account = getpwuid((uid_t)number);
		identity->uid = (uid_t)number;
		identity->gid = (gid_t)number;
		identity->groups[0] = identity->gid;
		identity->group_count = 1;
		if (account == NULL)
			return true;
	}
	if (account == NULL)
		return message_error("No such user: %s", name);
	identity->uid = account->pw_uid;
	identity->gid = account->pw_gid;
	if (getgrouplist(account->pw_name, account->pw_gid, identity->groups, &count) < 0)
		return message_error("User %s is in more than %d groups", name, IDENTITY_GROUPS);
	identity->group_count = (size_t)count;
	return true;
}

static bool
find_group(struct identity *identity, const char *name)
{
	const struct group *group = getgrnam(name);
	unsigned long number;

	if (group != NULL)
		identity->gid = group->gr_gid;
	else if (parse_number(name, &number))
		identity->gid = (gid_t)number;
	else
		return message_error("No such group: %s", name);
	identity->groups[0] = identity->gid;
	identity->group_count = 1;
	return true;
}

bool
identity_parse(struct identity *identity, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : strlen(text);
	char user[256];

	*identity = (struct identity){.uid = (uid_t)-1, .gid = (gid_t)-1};
	identity->has_user = length > 0;
	identity->has_group = colon != NULL;
	if (colon != NULL && colon[1] == '\0')
		return message_error("Empty group name: \"%s\"", text);
	if (colon == NULL && length == 0)
		return message_error("Empty user name");
	if (length >= sizeof user)
		return message_error("No such user: %s", text);
	memcpy(user, text, length);
	user[length] = '\0';
	if (identity->has_user && !find_user(identity, user))
		return false;
	return colon == NULL || find_group(identity, colon + 1);
}

static bool
is_already(const struct identity *identity)
{
	bool user = !identity->has_user || (getuid() == identity->uid && geteuid() == identity->uid);

	return user && getgid() == identity->gid && getegid() == identity->gid;
}

bool
privileges_check(const struct identity *identity)
{
	if (geteuid() == 0 || is_already(identity))
		return true;
	return message_error("Failed to drop privileges: %s", strerror(EPERM));
}

bool
privileges_may_give_to(const struct identity *owner)
{
	gid_t groups[IDENTITY_GROUPS];
	int count = getgroups(IDENTITY_GROUPS, groups);
	bool is_ours = !owner->has_group || owner->gid == getegid();

	for (int i = 0; i < count && !is_ours; i++)
		is_ours = groups[i] == owner->gid;
	return geteuid() == 0 || (is_ours && (!owner->has_user || owner->uid == geteuid()));
}

static bool
failed(const char *what, int error)
{
	return message_error("Failed to drop privileges: %s: %s", what, strerror(error));
}

static bool
has_no_other_group(const struct identity *identity)
{
	gid_t groups[IDENTITY_GROUPS];
	int count = getgroups(IDENTITY_GROUPS, groups);

	for (int i = 0; i < count; i++) {
		size_t at = 0;

		while (at < identity->group_count && identity->groups[at] != groups[i])
			at++;
		if (at == identity->group_count)
			return false;
	}
	return count >= 0;
}

/* Nothing of what we were may be left, nor may the kernel let us have it again. */
static bool
is_for_good(const struct identity *identity, uid_t old_uid, gid_t old_gid)
{
	uid_t uids[3];
	gid_t gids[3];

	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return false;
	if (!has_no_other_group(identity))
		return false;
	for (size_t i = 0; i < 3; i++)
		if (gids[i] != identity->gid || (identity->has_user && uids[i] != identity->uid))
			return false;
	if (!identity->has_user || identity->uid == 0)
		return true; /* still root, as was asked: root can have any group again */
	if (old_uid != identity->uid && (setuid(old_uid) == 0 || seteuid(old_uid) == 0))
		return false;
	return old_gid == identity->gid || (setgid(old_gid) != 0 && setegid(old_gid) != 0);
}

bool
privileges_drop(const struct identity *identity)
{
	uid_t old_uid = geteuid();
	gid_t old_gid = getegid();

	if (old_uid != 0 && is_already(identity))
		return true;
	if (setgroups(identity->group_count, identity->groups) != 0)
		return failed("setgroups", errno);
	if (setresgid(identity->gid, identity->gid, identity->gid) != 0)
		return failed("setgid", errno);
	if (identity->has_user && setresuid(identity->uid, identity->uid, identity->uid) != 0)
		return failed("setuid", errno);
	if (!is_for_good(identity, old_uid, old_gid))
		return failed("they could be had again", EPERM);
	return true;
}
