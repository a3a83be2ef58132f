/* test_pidfile.c: what stands in a pidfile, and what is said when it cannot be written. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/pidfile.h"
#include "helpers.h"
#include "test.h"

static int
start(void **state)
{
	(void)state;
	said_start();
	scratch_create();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	scratch_remove();
	said_stop();
	return 0;
}

static void
it_holds_the_number_without_a_newline(void **state)
{
	assert_true(pidfile_write(scratch_path("pid"), 12345));
	assert_string_equal(contents_of(scratch_path("pid")), "12345");
}

static void
an_older_and_longer_one_is_replaced(void **state)
{
	assert_true(pidfile_write(scratch_file("pid", "4194303 and more", 16, 0644), 7));
	assert_string_equal(contents_of(scratch_path("pid")), "7");
}

static void
the_null_device_is_fine(void **state)
{
	assert_true(pidfile_write("/dev/null", 1));
	assert_true(pidfile_check("/dev/null"));
}

static void
a_full_disk_is_one_line(void **state)
{
	assert_false(pidfile_write("/dev/full", 1));
	assert_string_equal(said(), "spiped: Cannot write pidfile: /dev/full: No space left on device\n");
}

static void
a_folder_that_is_not_there_is_one_line(void **state)
{
	assert_false(pidfile_write("/nonexistent/pid", 1));
	assert_string_equal(said(), "spiped: Cannot write pidfile: /nonexistent/pid: No such file or directory\n");
	assert_false(pidfile_check("/nonexistent/pid"));
	assert_string_equal(said(), "spiped: Cannot write pidfile: /nonexistent/pid: No such file or directory\n");
}

static void
a_fifo_without_a_reader_does_not_hold_up_the_start(void **state)
{
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_false(pidfile_write(scratch_path("fifo"), 1));
}

static void
a_check_changes_nothing(void **state)
{
	assert_true(pidfile_check(scratch_path("pid")));
	assert_int_equal(access(scratch_path("pid"), F_OK), -1);
	assert_true(pidfile_check(scratch_file("old", "12345", 5, 0644)));
	assert_string_equal(contents_of(scratch_path("old")), "12345");
	assert_string_equal(said(), "");
}

static void
a_check_finds_what_is_in_the_way(void **state)
{
	char line[512], name[300] = "/tmp/";

	assert_false(pidfile_check("/"));
	assert_string_equal(said(), "spiped: Cannot write pidfile: /: Is a directory\n");
	(void)scratch_file("file", "", 0, 0644);
	assert_false(pidfile_check(scratch_path("file/pid")));
	(void)snprintf(
	    line, sizeof line, "spiped: Cannot write pidfile: %s: Not a directory\n", scratch_path("file/pid"));
	assert_string_equal(said(), line);
	memset(name + strlen(name), 'x', sizeof name - 1 - strlen(name));
	assert_false(pidfile_check(name));
	assert_non_null(strstr(said(), "File name too long"));
}

static int
check_as_nobody(void)
{
	if (setgid(65534) != 0 || setuid(65534) != 0)
		return 1;
	if (pidfile_check("/etc/spiped-test.pid") || pidfile_check("/etc/passwd"))
		return 2;
	return 0;
}

static void
a_check_judges_by_who_is_asking(void **state)
{
	if (geteuid() != 0)
		skip();
	assert_int_equal(status_of_child(check_as_nobody), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_holds_the_number_without_a_newline, start, stop),
	    cmocka_unit_test_setup_teardown(an_older_and_longer_one_is_replaced, start, stop),
	    cmocka_unit_test_setup_teardown(the_null_device_is_fine, start, stop),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_one_line, start, stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_one_line, start, stop),
	    cmocka_unit_test_setup_teardown(a_fifo_without_a_reader_does_not_hold_up_the_start, start, stop),
	    cmocka_unit_test_setup_teardown(a_check_changes_nothing, start, stop),
	    cmocka_unit_test_setup_teardown(a_check_finds_what_is_in_the_way, start, stop),
	    cmocka_unit_test_setup_teardown(a_check_judges_by_who_is_asking, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
