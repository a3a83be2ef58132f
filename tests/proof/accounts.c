/*
 * accounts.c: users and groups, as getpwnam(3), getgrnam(3), getgrouplist(3), getgroups(2) and credentials(7) have
 * them. Nothing is known of any number.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "unknown.h"

static unsigned
any(void)
{
	return Frama_C_unsigned_int_interval(0, UINT_MAX);
}

static int
perhaps(void)
{
	if (unknown_bool())
		return 0;
	errno = Frama_C_int_interval(1, 4095);
	return -1;
}

static struct passwd *
an_account(void)
{
	static char name[33];
	static struct passwd account;

	unknown_bytes(name, sizeof name - 1);
	account.pw_name = name;
	account.pw_uid = any();
	account.pw_gid = any();
	return unknown_bool() ? &account : NULL;
}

struct passwd *
getpwnam(const char *name)
{
	//@ assert name: valid_read_string(name);
	return an_account();
}

struct passwd *
getpwuid(uid_t uid)
{
	return an_account();
}

struct group *
getgrnam(const char *name)
{
	//@ assert name: valid_read_string(name);
	static struct group group;

	group.gr_gid = any();
	return unknown_bool() ? &group : NULL;
}

/* least (-1 for a failure, or none), 1, 2, all but one and all of those that have room: looked at one by one. */
static int
some(int least, int room)
{
	int count = unknown_bool() ? Frama_C_int_interval(least, 2) : Frama_C_int_interval(room - 1, room);

	//@ split count;
	return count;
}

/* -1: there are more than had room. As many as had are in groups then too, and *count is how many there are. */
int
getgrouplist(const char *name, gid_t group, gid_t *groups, int *count)
{
	//@ assert name: valid_read_string(name);
	//@ assert count: \valid(count) && \initialized(count) && *count > 2;
	//@ assert room: \valid(groups + (0 .. *count - 1));
	int written = some(0, *count);

	unknown_bytes(groups, (size_t)written * sizeof *groups);
	if (unknown_bool()) {
		unknown_bytes(groups, (size_t)*count * sizeof *groups);
		*count = Frama_C_int_interval(*count, INT_MAX);
		return -1;
	}
	*count = written;
	return written;
}

int
getgroups(int size, gid_t groups[])
{
	//@ assert size: size > 2;
	//@ assert room: \valid(groups + (0 .. size - 1));
	int written = some(-1, size);

	if (written < 0) {
		errno = Frama_C_int_interval(1, 4095);
		return -1;
	}
	unknown_bytes(groups, (size_t)written * sizeof *groups);
	return written;
}

int
setgroups(size_t size, const gid_t *groups)
{
	//@ assert groups: \valid_read(groups + (0 .. size - 1)) && \initialized(groups + (0 .. size - 1));
	return perhaps();
}

uid_t
getuid(void)
{
	return any();
}

uid_t
geteuid(void)
{
	return any();
}

gid_t
getgid(void)
{
	return any();
}

gid_t
getegid(void)
{
	return any();
}

/* -1 only for a place that is none. */
int
getresuid(uid_t *first, uid_t *effective, uid_t *saved)
{
	//@ assert places: \valid(first) && \valid(effective) && \valid(saved);
	*first = any();
	*effective = any();
	*saved = any();
	return 0;
}

int
getresgid(gid_t *first, gid_t *effective, gid_t *saved)
{
	//@ assert places: \valid(first) && \valid(effective) && \valid(saved);
	*first = any();
	*effective = any();
	*saved = any();
	return 0;
}

int
setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return perhaps();
}

int
setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return perhaps();
}

int
setuid(uid_t uid)
{
	return perhaps();
}

int
seteuid(uid_t uid)
{
	return perhaps();
}

int
setgid(gid_t gid)
{
	return perhaps();
}

int
setegid(gid_t gid)
{
	return perhaps();
}
