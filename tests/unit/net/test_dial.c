/* test_dial.c: connecting to the first of several addresses that answers, and giving up, at every stage. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "helpers.h"
#include "net/dial.h"
#include "net/socket.h"
#include "test.h"

struct fixture {
	uv_loop_t loop;
	uv_timer_t timer;
	struct address_list list;
	struct dial_options options;
	struct dial *dial;
	size_t descriptors_before;
	uint64_t started;
	/* what became of it */
	int calls, fd, system_error;
	enum error error;
	struct address peer;
	uint64_t milliseconds;
	/* for what a test does while the dial goes on */
	int listener, accepted;
	struct rlimit limit;
};

static void
on_done(void *context, int fd, const struct address *peer, enum error error, int system_error)
{
	struct fixture *fixture = context;

	fixture->calls++;
	fixture->fd = fd;
	fixture->error = error;
	fixture->system_error = system_error;
	fixture->milliseconds = (uv_hrtime() - fixture->started) / 1000000;
	if (fd >= 0)
		fixture->peer = *peer;
	else
		assert_null(peer);
}

static int
prepare(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	scratch_create();
	uv_loop_init(&fixture->loop);
	uv_timer_init(&fixture->loop, &fixture->timer);
	fixture->timer.data = fixture;
	fixture->options = (struct dial_options){.timeout = 5000, .keepalive = true};
	fixture->fd = fixture->listener = fixture->accepted = -1;
	*state = fixture;
	return 0;
}

static int
clean_up(void **state)
{
	struct fixture *fixture = *state;

	uv_close((uv_handle_t *)&fixture->timer, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	scratch_remove();
	free(fixture);
	return 0;
}

static void
start(struct fixture *fixture)
{
	fixture->descriptors_before = open_descriptors();
	fixture->started = uv_hrtime();
	uv_update_time(&fixture->loop);
	fixture->dial = dial_start(&fixture->loop, &fixture->list, &fixture->options, on_done, fixture);
	assert_non_null(fixture->dial);
	assert_int_equal(fixture->calls, 0);
	memset(&fixture->list, 0xff, sizeof fixture->list); /* it has its own copy */
}

/* Runs until the dial has freed itself, and checks that it said so once and left nothing open. */
static void
finish(struct fixture *fixture)
{
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->calls, 1);
	if (fixture->accepted >= 0)
		close(fixture->accepted);
	assert_int_equal(open_descriptors(), fixture->descriptors_before + (fixture->fd >= 0));
}

static void
assert_connected(struct fixture *fixture, const struct address *to)
{
	finish(fixture);
	assert_int_equal(fixture->error, OK);
	assert_true(fixture->fd >= 0);
	assert_true(address_equal(&fixture->peer, to));
	assert_int_equal(fcntl(fixture->fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(fixture->fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(fixture->fd);
}

static void
assert_failed(struct fixture *fixture, enum error error, int system_error)
{
	finish(fixture);
	assert_int_equal(fixture->fd, -1);
	assert_int_equal(fixture->error, error);
	assert_int_equal(fixture->system_error, system_error);
}

static int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

static void
each_family_is_connected_to(void **state)
{
	const char *const texts[] = {scratch_path("socket"), "[127.0.0.1]:0", "[::1]:0"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < (has_ip6() ? 3 : 2); i++) {
		struct address at = address_of(texts[i]);
		int listener = listen_on(&at, 1);

		fixture->calls = 0;
		fixture->list.count = 0;
		list_add(&fixture->list, &at);
		start(fixture);
		assert_connected(fixture, &at);
		close(listener);
	}
}

static void
a_connected_socket_is_tuned(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &at);
	start(fixture);
	finish(fixture);
	assert_int_equal(option_of(fixture->fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fixture->fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	close(fixture->fd);
	close(listener);
}

static void
a_refusal_is_the_end_where_there_is_one_address(void **state)
{
	struct fixture *fixture = *state;
	struct address at = nobody_at("[127.0.0.1]:0");

	list_add(&fixture->list, &at);
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT, ECONNREFUSED);
}

static void
a_unix_socket_that_is_not_there_is_a_failure_not_a_crash(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of(scratch_path("nobody"));

	list_add(&fixture->list, &at);
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT, ENOENT);
}

static void
no_address_is_a_failed_look_up(void **state)
{
	struct fixture *fixture = *state;

	start(fixture);
	assert_failed(fixture, ERROR_LOOKUP, 0);
}

static void
the_next_address_is_tried_at_once_after_a_refusal(void **state)
{
	struct fixture *fixture = *state;
	struct address refusing = nobody_at("[127.0.0.1]:0"), at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &refusing);
	list_add(&fixture->list, &at);
	start(fixture);
	assert_connected(fixture, &at);
	assert_true(fixture->milliseconds < RACE_HEAD_START);
	close(listener);
}

static void
the_next_address_is_tried_after_a_head_start_where_the_first_is_silent(void **state)
{
	struct fixture *fixture = *state;
	struct address silent = address_of("[127.0.0.1]:0"), at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1), fds[2];

	listen_without_answer(&silent, fds);
	list_add(&fixture->list, &silent);
	list_add(&fixture->list, &at);
	start(fixture);
	assert_connected(fixture, &at);
	assert_in_range(fixture->milliseconds, RACE_HEAD_START - 20, 4 * RACE_HEAD_START);
	close(listener);
	close(fds[0]);
	close(fds[1]);
}

static void
a_silent_address_is_given_up_after_its_time(void **state)
{
	struct fixture *fixture = *state;
	struct address silent = address_of("[127.0.0.1]:0");
	int fds[2];

	listen_without_answer(&silent, fds);
	list_add(&fixture->list, &silent);
	fixture->options.timeout = 150;
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT_TIMEOUT, ETIMEDOUT);
	assert_in_range(fixture->milliseconds, 130, 1000);
	close(fds[0]);
	close(fds[1]);
}

/* The queue of a UNIX listener, filled to the brim; *clients are what it took. */
static int
listen_with_full_backlog(struct address *at, int *client)
{
	int listener = listen_on(at, 0);

	*client = connect_to(at);
	return listener;
}

static void
accept_one(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	struct address peer;

	assert_int_equal(fixture->calls, 0);
	fixture->accepted = socket_accept(fixture->listener, &peer);
	assert_true(fixture->accepted >= 0);
}

static void
a_unix_socket_with_a_full_backlog_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of(scratch_path("busy"));
	int client;

	fixture->listener = listen_with_full_backlog(&at, &client);
	list_add(&fixture->list, &at);
	start(fixture);
	uv_timer_start(&fixture->timer, accept_one, 90, 0);
	assert_connected(fixture, &at);
	assert_in_range(fixture->milliseconds, 85, 1000);
	close(client);
	close(fixture->listener);
}

static void
a_unix_socket_with_a_full_backlog_is_given_up_after_its_time(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of(scratch_path("busy"));
	int client, listener = listen_with_full_backlog(&at, &client);

	list_add(&fixture->list, &at);
	fixture->options.timeout = 100;
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT_TIMEOUT, ETIMEDOUT);
	close(client);
	close(listener);
}

static void
allow_no_descriptor(struct fixture *fixture)
{
	struct rlimit none;
	int next = dup(0);

	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &fixture->limit), 0);
	none = fixture->limit;
	none.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void
allow_descriptors(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;

	assert_int_equal(fixture->calls, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &fixture->limit), 0);
}

static void
without_descriptors_it_waits_until_there_are_some(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &at);
	start(fixture);
	allow_no_descriptor(fixture);
	uv_timer_start(&fixture->timer, allow_descriptors, 150, 0);
	assert_connected(fixture, &at);
	close(listener);
}

static void
without_descriptors_until_its_time_is_over_it_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct address at = nobody_at("[127.0.0.1]:0");

	list_add(&fixture->list, &at);
	fixture->options.timeout = 150;
	start(fixture);
	allow_no_descriptor(fixture);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &fixture->limit), 0);
	assert_failed(fixture, ERROR_DESCRIPTORS, EMFILE);
}

static void
the_bind_address_of_the_right_family_is_used(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0"), own = {.length = sizeof own.storage};
	struct address binds[2] = {address_of("[::1]"), address_of("[127.0.0.2]")};
	int listener = listen_on(&at, 1);
	char text[ADDRESS_TEXT];

	fixture->options.bind = binds;
	fixture->options.bind_count = 2;
	list_add(&fixture->list, &at);
	start(fixture);
	finish(fixture);
	assert_int_equal(fixture->error, OK);
	assert_int_equal(getsockname(fixture->fd, &own.any, &own.length), 0);
	address_format(&own, text);
	assert_memory_equal(text, "127.0.0.2:", strlen("127.0.0.2:"));
	close(fixture->fd);
	close(listener);
}

static void
an_address_of_another_family_is_tried_without_binding(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of(scratch_path("socket")), bind = address_of("[127.0.0.2]");
	int listener = listen_on(&at, 1);

	fixture->options.bind = &bind;
	fixture->options.bind_count = 1;
	list_add(&fixture->list, &at);
	start(fixture);
	assert_connected(fixture, &at);
	close(listener);
}

static void
a_bind_address_that_is_not_ours_is_a_failure(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0"), bind = address_of("[203.0.113.9]");
	int listener = listen_on(&at, 1);

	fixture->options.bind = &bind;
	fixture->options.bind_count = 1;
	list_add(&fixture->list, &at);
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT, EADDRNOTAVAIL);
	close(listener);
}

/* From the very address that it connects to, TCP connects a socket to itself. */
static void
a_socket_that_connected_to_itself_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct address at = nobody_at("[127.0.0.1]:0");

	fixture->options.bind = &at;
	fixture->options.bind_count = 1;
	list_add(&fixture->list, &at);
	start(fixture);
	assert_failed(fixture, ERROR_CONNECT, ECONNREFUSED);
}

static void
assert_cancelled(struct fixture *fixture)
{
	dial_cancel(fixture->dial);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->calls, 0);
	assert_int_equal(open_descriptors(), fixture->descriptors_before);
}

static void
cancelled_before_its_first_turn_it_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &at);
	start(fixture);
	assert_cancelled(fixture);
	close(listener);
}

static void
stop_loop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* After that long, so many sockets are open; then it is cancelled. */
static void
assert_open_after(struct fixture *fixture, uint64_t milliseconds, size_t sockets)
{
	uv_timer_start(&fixture->timer, stop_loop, milliseconds, 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(open_descriptors(), fixture->descriptors_before + sockets);
	assert_cancelled(fixture);
}

static void
cancelled_while_several_are_tried_it_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	int fds[3][2];

	for (size_t i = 0; i < 3; i++) {
		struct address silent = address_of("[127.0.0.1]:0");

		listen_without_answer(&silent, fds[i]);
		list_add(&fixture->list, &silent);
	}
	start(fixture);
	assert_open_after(fixture, RACE_HEAD_START + RACE_HEAD_START / 2, 2);
	for (size_t i = 0; i < 3; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void
cancelled_while_a_backlog_is_full_it_says_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of(scratch_path("busy")), silent = address_of("[127.0.0.1]:0");
	int client, listener = listen_with_full_backlog(&at, &client), fds[2];

	listen_without_answer(&silent, fds);
	list_add(&fixture->list, &silent);
	list_add(&fixture->list, &at);
	start(fixture);
	assert_open_after(fixture, RACE_HEAD_START + RACE_HEAD_START / 2, 2);
	close(client);
	close(listener);
	close(fds[0]);
	close(fds[1]);
}

static void
what_was_refused_or_given_up_is_closed_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct address refusing = nobody_at("[127.0.0.1]:0"), silent = address_of("[127.0.0.1]:0");
	int fds[2];

	listen_without_answer(&silent, fds);
	list_add(&fixture->list, &refusing);
	list_add(&fixture->list, &silent);
	list_add(&fixture->list, &silent);
	fixture->options.timeout = 100;
	start(fixture);
	assert_open_after(fixture, 150, 1);
	close(fds[0]);
	close(fds[1]);
}

static void
cancel_on_done(void *context, int fd, const struct address *peer, enum error error, int system_error)
{
	struct fixture *fixture = context;

	on_done(context, fd, peer, error, system_error);
	dial_cancel(fixture->dial);
}

static void
cancelling_what_is_just_done_does_no_harm(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &at);
	fixture->dial = dial_start(&fixture->loop, &fixture->list, &fixture->options, cancel_on_done, fixture);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->calls, 1);
	close(fixture->fd);
	close(listener);
}

#define DIALLING(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DIALLING(each_family_is_connected_to),
	    DIALLING(a_connected_socket_is_tuned),
	    DIALLING(a_refusal_is_the_end_where_there_is_one_address),
	    DIALLING(a_unix_socket_that_is_not_there_is_a_failure_not_a_crash),
	    DIALLING(no_address_is_a_failed_look_up),
	    DIALLING(the_next_address_is_tried_at_once_after_a_refusal),
	    DIALLING(the_next_address_is_tried_after_a_head_start_where_the_first_is_silent),
	    DIALLING(a_silent_address_is_given_up_after_its_time),
	    DIALLING(a_unix_socket_with_a_full_backlog_is_waited_for),
	    DIALLING(a_unix_socket_with_a_full_backlog_is_given_up_after_its_time),
	    DIALLING(without_descriptors_it_waits_until_there_are_some),
	    DIALLING(without_descriptors_until_its_time_is_over_it_says_so),
	    DIALLING(the_bind_address_of_the_right_family_is_used),
	    DIALLING(an_address_of_another_family_is_tried_without_binding),
	    DIALLING(a_bind_address_that_is_not_ours_is_a_failure),
	    DIALLING(a_socket_that_connected_to_itself_is_refused),
	    DIALLING(cancelled_before_its_first_turn_it_says_nothing),
	    DIALLING(cancelled_while_several_are_tried_it_says_nothing),
	    DIALLING(cancelled_while_a_backlog_is_full_it_says_nothing),
	    DIALLING(what_was_refused_or_given_up_is_closed_at_once),
	    DIALLING(cancelling_what_is_just_done_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
