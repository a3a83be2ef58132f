/* test_privileges.c: who is meant by -u, and that there is no way back. */
#define _GNU_SOURCE /* getresuid */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/privileges.h"
#include "helpers.h"
#include "test.h"

enum { SOMEBODY = 54321, SOME_GROUP = 54322 };

static struct identity identity;

static void
a_user_comes_with_the_groups_of_its_account(void **state)
{
	const struct passwd *account = getpwnam("nobody");

	assert_non_null(account);
	assert_true(identity_parse(&identity, "nobody"));
	assert_true(identity.has_user);
	assert_false(identity.has_group);
	assert_int_equal(identity.uid, account->pw_uid);
	assert_int_equal(identity.gid, account->pw_gid);
	assert_true(identity.group_count >= 1);
	assert_int_equal(identity.groups[0], account->pw_gid);
}

static void
a_group_alone_leaves_the_user(void **state)
{
	assert_true(identity_parse(&identity, ":daemon"));
	assert_false(identity.has_user);
	assert_true(identity.has_group);
	assert_int_equal(identity.uid, (uid_t)-1);
	assert_int_equal(identity.gid, getgrnam("daemon")->gr_gid);
	assert_int_equal(identity.group_count, 1);
	assert_int_equal(identity.groups[0], identity.gid);
}

static void
a_group_that_is_given_is_the_only_one(void **state)
{
	assert_true(identity_parse(&identity, "nobody:daemon"));
	assert_int_equal(identity.uid, getpwnam("nobody")->pw_uid);
	assert_int_equal(identity.gid, getgrnam("daemon")->gr_gid);
	assert_int_equal(identity.group_count, 1);
	assert_int_equal(identity.groups[0], identity.gid);
}

static void
numbers_do_as_well(void **state)
{
	assert_true(identity_parse(&identity, "54321:54322"));
	assert_int_equal(identity.uid, SOMEBODY);
	assert_int_equal(identity.gid, SOME_GROUP);
	assert_true(identity_parse(&identity, "54321"));
	assert_int_equal(identity.gid, SOMEBODY);
	assert_int_equal(identity.groups[0], SOMEBODY);
	assert_true(identity_parse(&identity, "1"));
	assert_int_equal(identity.gid, getpwuid(1)->pw_gid);
}

static void
assert_refused(const char *text, const char *line)
{
	assert_false(identity_parse(&identity, text));
	assert_string_equal(said(), line);
}

static void
what_does_not_exist_is_named(void **state)
{
	assert_refused("nosuch", "spiped: No such user: nosuch\n");
	assert_refused("nosuch:daemon", "spiped: No such user: nosuch\n");
	assert_refused(":nosuch", "spiped: No such group: nosuch\n");
	assert_refused("nobody:daemon:x", "spiped: No such group: daemon:x\n");
	assert_refused("nobody:", "spiped: Empty group name: \"nobody:\"\n");
	assert_refused(":", "spiped: Empty group name: \":\"\n");
	assert_refused("", "spiped: Empty user name\n");
	assert_refused("12x", "spiped: No such user: 12x\n");
	assert_refused("-1", "spiped: No such user: -1\n");
	assert_refused("4294967295", "spiped: No such user: 4294967295\n");
	assert_refused("99999999999999999999", "spiped: No such user: 99999999999999999999\n");
	assert_refused(":4294967295", "spiped: No such group: 4294967295\n");
}

static int
drop_all(void)
{
	uid_t uids[3];
	gid_t gids[3], groups[8];

	if (!identity_parse(&identity, "54321:54322") || !privileges_drop(&identity))
		return 1;
	if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
		return 2;
	for (size_t i = 0; i < 3; i++)
		if (uids[i] != SOMEBODY || gids[i] != SOME_GROUP)
			return 3;
	if (getgroups(8, groups) != 1 || groups[0] != SOME_GROUP)
		return 4;
	return setuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0 ? 5 : 0;
}

static void
nothing_of_root_is_left(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_of_child(drop_all), 0);
}

static int
drop_group(void)
{
	gid_t groups[8];

	if (!identity_parse(&identity, ":54322") || !privileges_drop(&identity))
		return 1;
	return getuid() == 0 && getgid() == SOME_GROUP && getgroups(8, groups) == 1 && groups[0] == SOME_GROUP ? 0 : 2;
}

static void
a_group_alone_can_be_dropped_to(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_of_child(drop_group), 0);
}

static int
drop_without_being_root(void)
{
	if (setgroups(0, NULL) != 0 || setgid(SOME_GROUP) != 0 || setuid(SOMEBODY) != 0)
		return 1;
	if (!identity_parse(&identity, "54321:54322") || !privileges_check(&identity) || !privileges_drop(&identity))
		return 2;
	if (strcmp(said(), "") != 0)
		return 3;
	if (!identity_parse(&identity, "1") || privileges_check(&identity))
		return 4;
	if (strcmp(said(), "spiped: Failed to drop privileges: Operation not permitted\n") != 0)
		return 5;
	if (privileges_drop(&identity))
		return 6;
	return strstr(said(), "spiped: Failed to drop privileges: ") != NULL ? 0 : 7;
}

static void
who_is_not_root_can_only_stay_who_it_is(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_of_child(drop_without_being_root), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_user_comes_with_the_groups_of_its_account, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(a_group_alone_leaves_the_user, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(a_group_that_is_given_is_the_only_one, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(numbers_do_as_well, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(what_does_not_exist_is_named, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(nothing_of_root_is_left, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(a_group_alone_can_be_dropped_to, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(who_is_not_root_can_only_stay_who_it_is, said_setup, said_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
