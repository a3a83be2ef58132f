/* test_listen.c: what is bound, with which mode, what is replaced and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "net/listen.h"
#include "net/socket.h"
#include "test.h"

static void
close_all(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		socket_close(listeners->fds[i]);
}

static const struct listen_options as_it_is = {.mode = (mode_t)-1, .owner = (uid_t)-1, .group = (gid_t)-1};
static char warnings[4][ADDRESS_PROBLEM];
static size_t warning_count, descriptors_before;

static void
warn(const char *line)
{
	assert_true(warning_count < 4);
	snprintf(warnings[warning_count++], sizeof warnings[0], "%s", line);
}

static struct address_list
list_of(const char *text)
{
	struct address address = address_of(text);
	struct address_list list = {.count = 0};

	list_add(&list, &address);
	return list;
}

static bool
try_to_listen(struct listeners *listeners, const struct address_list *list, const struct listen_options *options,
    char problem[ADDRESS_PROBLEM])
{
	warning_count = 0;
	return listen_open(listeners, "SOURCE", list, options, problem, warn);
}

static struct listeners
listen_to(const struct address_list *list, const struct listen_options *options)
{
	struct listeners listeners;
	char problem[ADDRESS_PROBLEM] = "";

	if (!try_to_listen(&listeners, list, options, problem))
		fail_msg("%s", problem);
	return listeners;
}

static void
assert_refused(const char *text, const char *expected)
{
	struct address_list list = list_of(text);
	struct listeners listeners;
	char problem[ADDRESS_PROBLEM] = "";

	assert_false(try_to_listen(&listeners, &list, &as_it_is, problem));
	assert_string_equal(problem, expected);
	assert_int_equal(warning_count, 0);
}

static void
assert_accepts(int listener, const struct address *at)
{
	int client = connect_to(at), accepted;
	struct address peer;

	accepted = socket_accept(listener, &peer);
	assert_true(accepted >= 0);
	if (at->any.sa_family != AF_UNIX)
		assert_int_equal(option_of(accepted, IPPROTO_TCP, TCP_NODELAY), 1); /* the listener's tuning */
	close(accepted);
	close(client);
}

/* A free port at text's address, and nobody there. */
static struct address_list
free_port(const char *text)
{
	struct address address = nobody_at(text);
	struct address_list list = {.count = 0};

	list_add(&list, &address);
	return list;
}

static long
largest_backlog(void)
{
	FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
	char digits[32] = "";

	assert_non_null(file);
	assert_non_null(fgets(digits, sizeof digits, file));
	fclose(file);
	return strtol(digits, NULL, 10);
}

static void
an_ipv4_listener_accepts_with_the_largest_backlog(void **state)
{
	struct address_list list = free_port("[127.0.0.1]:0");
	struct listeners listeners = listen_to(&list, &as_it_is);
	struct tcp_info info;

	assert_int_equal(listeners.count, 1);
	assert_int_equal(warning_count, 0);
	assert_true(address_equal(&listeners.addresses[0], &list.addresses[0]));
	assert_int_equal(fcntl(listeners.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(fcntl(listeners.fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	if (tcp_info_of(listeners.fds[0], &info))
		assert_int_equal(info.tcpi_sacked, largest_backlog()); /* of a listener, that is what this counts */
	assert_accepts(listeners.fds[0], &list.addresses[0]);
	close_all(&listeners);
}

static void
the_port_of_a_connection_that_just_ended_can_be_listened_on_again(void **state)
{
	struct address_list list = free_port("[127.0.0.1]:0");
	struct listeners listeners = listen_to(&list, &as_it_is);
	int client = connect_to(&list.addresses[0]);
	struct address peer;
	uint8_t byte;

	/* We end it first, so the port stays in TIME_WAIT. */
	close(socket_accept(listeners.fds[0], &peer));
	assert_int_equal(read(client, &byte, 1), 0);
	close(client);
	close_all(&listeners);
	listeners = listen_to(&list, &as_it_is);
	close_all(&listeners);
}

static void
an_ipv6_listener_for_all_takes_ipv4_too(void **state)
{
	struct address_list list;
	struct listeners listeners;
	struct address ip4 = address_of("[127.0.0.1]:0");
	FILE *only = fopen("/proc/sys/net/ipv6/bindv6only", "r");

	if (only == NULL || fgetc(only) != '0')
		skip();
	fclose(only);
	list = free_port("[::]:0");
	listeners = listen_to(&list, &as_it_is);
	ip4.in.sin_port = list.addresses[0].in6.sin6_port;
	assert_accepts(listeners.fds[0], &ip4);
	close_all(&listeners);
}

static void
an_address_in_use_is_refused(void **state)
{
	struct address at = address_of("[127.0.0.1]:0");
	int holder = listen_on(&at, 1);
	char text[ADDRESS_TEXT];

	address_format(&at, text);
	assert_refused(text, "Error binding to SOURCE: Address already in use");
	assert_int_equal(listen_check(&at), -EADDRINUSE);
	close(holder);
	assert_int_equal(listen_check(&at), 0);
}

static void
an_address_of_another_machine_is_refused(void **state)
{
	struct address at = address_of("[203.0.113.9]:8025");

	assert_refused("[203.0.113.9]:8025", "Error binding to SOURCE: Cannot assign requested address");
	assert_int_equal(listen_check(&at), -EADDRNOTAVAIL);
}

static void
each_address_that_can_be_is_bound_with_a_line_for_the_others(void **state)
{
	struct address_list list = free_port("[127.0.0.1]:0");
	struct address far = address_of("[203.0.113.9]:8025"), other = nobody_at("[127.0.0.2]:0");
	struct listen_options every = as_it_is;
	struct listeners listeners;

	list_add(&list, &far);
	list_add(&list, &other);
	every.every = true;
	listeners = listen_to(&list, &every);
	assert_int_equal(listeners.count, 2);
	assert_accepts(listeners.fds[0], &list.addresses[0]);
	assert_accepts(listeners.fds[1], &other);
	assert_int_equal(warning_count, 1);
	assert_string_equal(warnings[0], "Error binding to 203.0.113.9:8025: Cannot assign requested address");
	close_all(&listeners);
}

static void
only_the_first_that_can_be_is_bound_with_a_line(void **state)
{
	struct address_list list = list_of("[203.0.113.9]:8025");
	struct address bound = nobody_at("[127.0.0.1]:0"), unused = nobody_at("[127.0.0.2]:0");
	struct listeners listeners;
	char text[ADDRESS_TEXT], expected[ADDRESS_PROBLEM];

	list_add(&list, &bound);
	list_add(&list, &unused);
	listeners = listen_to(&list, &as_it_is);
	assert_int_equal(listeners.count, 1);
	assert_true(address_equal(&listeners.addresses[0], &bound));
	assert_int_equal(warning_count, 2);
	assert_string_equal(warnings[0], "Error binding to 203.0.113.9:8025: Cannot assign requested address");
	address_format(&bound, text);
	snprintf(expected, sizeof expected, "SOURCE has 3 addresses: listening on %s only", text);
	assert_string_equal(warnings[1], expected);
	close_all(&listeners);
}

static void
a_name_of_which_nothing_can_be_bound_is_refused(void **state)
{
	struct address_list list = list_of("[203.0.113.9]:8025");
	struct address far = address_of("[203.0.113.10]:8025");
	struct listeners listeners;
	char problem[ADDRESS_PROBLEM] = "";

	list_add(&list, &far);
	assert_false(try_to_listen(&listeners, &list, &as_it_is, problem));
	assert_string_equal(problem, "Error binding to SOURCE: Cannot assign requested address");
	assert_int_equal(warning_count, 0);
	list.count = 0;
	assert_false(try_to_listen(&listeners, &list, &as_it_is, problem));
}

static void
assert_mode(const char *path, mode_t mode)
{
	struct stat status;

	assert_int_equal(lstat(path, &status), 0);
	assert_true(S_ISSOCK(status.st_mode));
	assert_int_equal(status.st_mode & 07777, mode);
}

static void
a_unix_socket_has_the_mode_that_was_asked_for(void **state)
{
	struct address_list list = list_of(scratch_path("mode"));
	struct listen_options options = as_it_is;
	struct listeners listeners;
	mode_t before = umask(027);

	listeners = listen_to(&list, &options);
	assert_mode(list.addresses[0].un.sun_path, 0750);
	assert_accepts(listeners.fds[0], &list.addresses[0]);
	close_all(&listeners);
	options.mode = 0666;
	listeners = listen_to(&list, &options);
	assert_mode(list.addresses[0].un.sun_path, 0666);
	close_all(&listeners);
	assert_int_equal(umask(before), 027);
}

static void
a_unix_socket_has_the_owner_that_was_asked_for(void **state)
{
	struct address_list list = list_of(scratch_path("owner"));
	struct listen_options options = as_it_is;
	struct listeners listeners;
	struct stat status;

	if (geteuid() != 0)
		skip();
	options.owner = 65534;
	options.group = 65533;
	listeners = listen_to(&list, &options);
	assert_int_equal(lstat(list.addresses[0].un.sun_path, &status), 0);
	assert_int_equal(status.st_uid, 65534);
	assert_int_equal(status.st_gid, 65533);
	close_all(&listeners);
}

static void
a_unix_socket_that_cannot_have_its_owner_is_taken_away(void **state)
{
	struct address_list list = list_of(scratch_path("owner"));
	struct listen_options options = as_it_is;
	struct listeners listeners;
	char problem[ADDRESS_PROBLEM] = "";
	bool is_root = geteuid() == 0;

	if (is_root && (chmod(scratch_path("."), 0777) < 0 || seteuid(65534) < 0))
		skip();
	options.owner = 0;
	assert_false(try_to_listen(&listeners, &list, &options, problem));
	assert_string_equal(problem, "Error setting the owner of SOURCE: Operation not permitted");
	assert_int_equal(access(list.addresses[0].un.sun_path, F_OK), -1);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
}

static void
a_stale_unix_socket_is_replaced(void **state)
{
	struct address_list list = list_of(scratch_path("stale"));
	struct address at = list.addresses[0];
	struct listeners listeners;

	close(listen_on(&at, 1));
	assert_int_equal(listen_check(&list.addresses[0]), 0);
	assert_int_equal(access(list.addresses[0].un.sun_path, F_OK), 0);
	listeners = listen_to(&list, &as_it_is);
	assert_int_equal(warning_count, 0);
	assert_accepts(listeners.fds[0], &list.addresses[0]);
	close_all(&listeners);
}

static void
a_unix_socket_in_use_is_refused_and_its_owner_sees_nothing(void **state)
{
	struct address at = address_of(scratch_path("live")), peer;
	int holder = listen_on(&at, 1);

	assert_int_equal(fcntl(holder, F_SETFL, O_NONBLOCK), 0);
	assert_refused(scratch_path("live"), "Error binding to SOURCE: Address already in use");
	assert_int_equal(listen_check(&at), -EADDRINUSE);
	assert_int_equal(socket_accept(holder, &peer), -EAGAIN);
	assert_accepts(holder, &at);
	close(holder);
}

static void
what_is_not_a_socket_is_refused_and_stays(void **state)
{
	struct address file = address_of(scratch_path("file")), link = address_of(scratch_path("link"));
	struct address stale = address_of(scratch_path("behind-link"));
	struct stat status;

	close(open(file.un.sun_path, O_CREAT | O_WRONLY, 0600));
	close(listen_on(&stale, 1));
	assert_int_equal(symlink(stale.un.sun_path, link.un.sun_path), 0);
	assert_refused(scratch_path("file"), "Error binding to SOURCE: Address already in use");
	assert_refused(scratch_path("link"), "Error binding to SOURCE: Address already in use");
	assert_int_equal(listen_check(&file), -EEXIST);
	assert_int_equal(lstat(file.un.sun_path, &status), 0);
	assert_true(S_ISREG(status.st_mode));
	assert_int_equal(lstat(link.un.sun_path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(lstat(stale.un.sun_path, &status), 0);
}

static void
a_path_that_does_not_exist_is_judged_by_its_folder(void **state)
{
	struct address inside = address_of(scratch_path("new")), outside = address_of(scratch_path("no/such"));

	assert_int_equal(listen_check(&inside), 0);
	assert_int_equal(access(inside.un.sun_path, F_OK), -1);
	assert_int_equal(listen_check(&outside), -ENOENT);
	assert_refused(scratch_path("no/such"), "Error binding to SOURCE: No such file or directory");
}

static int
prepare(void **state)
{
	scratch_create();
	descriptors_before = open_descriptors();
	return 0;
}

static int
clean_up(void **state)
{
	scratch_remove();
	return open_descriptors() == descriptors_before ? 0 : -1;
}

#define LISTENING(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LISTENING(an_ipv4_listener_accepts_with_the_largest_backlog),
	    LISTENING(the_port_of_a_connection_that_just_ended_can_be_listened_on_again),
	    LISTENING(an_ipv6_listener_for_all_takes_ipv4_too),
	    LISTENING(an_address_in_use_is_refused),
	    LISTENING(an_address_of_another_machine_is_refused),
	    LISTENING(each_address_that_can_be_is_bound_with_a_line_for_the_others),
	    LISTENING(only_the_first_that_can_be_is_bound_with_a_line),
	    LISTENING(a_name_of_which_nothing_can_be_bound_is_refused),
	    LISTENING(a_unix_socket_has_the_mode_that_was_asked_for),
	    LISTENING(a_unix_socket_has_the_owner_that_was_asked_for),
	    LISTENING(a_unix_socket_that_cannot_have_its_owner_is_taken_away),
	    LISTENING(a_stale_unix_socket_is_replaced),
	    LISTENING(a_unix_socket_in_use_is_refused_and_its_owner_sees_nothing),
	    LISTENING(what_is_not_a_socket_is_refused_and_stays),
	    LISTENING(a_path_that_does_not_exist_is_judged_by_its_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
