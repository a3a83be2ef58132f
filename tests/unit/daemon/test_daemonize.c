/* test_daemonize.c: a parent that tells the truth about its child, and what the child keeps. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/daemonize.h"
#include "daemon/process.h"
#include "helpers.h"
#include "test.h"

static struct daemonize parent;
static int report[2]; /* what the child found out about itself */

static int
start(void **state)
{
	(void)state;
	said_start();
	return pipe(report);
}

static int
stop(void **state)
{
	(void)state;
	(void)close(report[0]);
	(void)close(report[1]);
	said_stop();
	return 0;
}

static bool
is_null_device(int fd)
{
	struct stat status, null;

	return fstat(fd, &status) == 0 && stat("/dev/null", &null) == 0 && status.st_rdev == null.st_rdev;
}

/* Forks; in the parent waits for the child's word, in the child goes on with body. */
static int
run_daemon(void (*body)(void))
{
	switch (daemonize_fork(&parent)) {
	case DAEMONIZE_PARENT:
		return daemonize_wait(&parent);
	case DAEMONIZE_CHILD:
		body();
		_exit(9);
	case DAEMONIZE_FAILED:
		break;
	}
	return 100;
}

static void
look_around(void)
{
	char found = 0;

	if (getsid(0) == getpid() && is_null_device(STDIN_FILENO) && is_null_device(STDOUT_FILENO) &&
	    !is_null_device(STDERR_FILENO) && (fcntl(parent.pipe, F_GETFD) & FD_CLOEXEC) != 0)
		found = 1;
	daemonize_close_standard_error();
	if (is_null_device(STDERR_FILENO))
		found |= 2;
	if (write(report[1], &found, 1) != 1)
		return;
	daemonize_ready(&parent);
	daemonize_ready(&parent);
}

static int
end_well(void)
{
	int pipe_for_errors[2];

	if (pipe(pipe_for_errors) != 0 || dup2(pipe_for_errors[1], STDERR_FILENO) < 0)
		return 101;
	return run_daemon(look_around);
}

static void
the_parent_exits_0_once_the_child_is_ready(void **state)
{
	char found;

	assert_int_equal(status_of_child(end_well), 0);
	assert_int_equal(read(report[0], &found, 1), 1);
	assert_int_equal(found, 3);
}

static void
end_with_seven(void)
{
	_exit(7);
}

static int
end_badly(void)
{
	return run_daemon(end_with_seven);
}

static void
the_parent_exits_as_a_child_that_never_was_ready(void **state)
{
	assert_int_equal(status_of_child(end_badly), 7);
}

static void
crash(void)
{
	(void)raise(SIGKILL);
}

static int
end_by_signal(void)
{
	int status = run_daemon(crash);

	return strcmp(said(), "spiped: the daemon was ended by signal 9 before it was ready\n") == 0 ? status : 102;
}

static void
a_child_that_was_killed_is_spoken_of(void **state)
{
	assert_int_equal(status_of_child(end_by_signal), 1);
}

static int
open_without_standard_descriptors(void)
{
	char byte;

	for (int fd = 0; fd < 3; fd++)
		(void)close(fd);
	process_keep_standard_descriptors();
	if (!is_null_device(0) || !is_null_device(1) || !is_null_device(2))
		return 1;
	if (read(0, &byte, 1) != 0)
		return 2;
	return write(1, "x", 1) < 0 && errno == EBADF ? 0 : 3;
}

static void
closed_descriptors_are_taken_before_a_socket_takes_them(void **state)
{
	assert_int_equal(status_of_child(open_without_standard_descriptors), 0);
}

static int
raise_limit(void)
{
	struct rlimit limit = {.rlim_cur = 64, .rlim_max = 128};

	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1;
	if (process_raise_descriptors(32) != 64 || process_raise_descriptors(100) != 100)
		return 2;
	if (process_raise_descriptors(UINT64_MAX) != 128)
		return 3;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur == 128 && limit.rlim_max == 128 ? 0 : 4;
}

static void
the_limit_on_descriptors_goes_up_as_far_as_it_may_and_never_down(void **state)
{
	assert_int_equal(status_of_child(raise_limit), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_parent_exits_0_once_the_child_is_ready, start, stop),
	    cmocka_unit_test_setup_teardown(the_parent_exits_as_a_child_that_never_was_ready, start, stop),
	    cmocka_unit_test_setup_teardown(a_child_that_was_killed_is_spoken_of, start, stop),
	    cmocka_unit_test_setup_teardown(closed_descriptors_are_taken_before_a_socket_takes_them, start, stop),
	    cmocka_unit_test_setup_teardown(
		the_limit_on_descriptors_goes_up_as_far_as_it_may_and_never_down, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
