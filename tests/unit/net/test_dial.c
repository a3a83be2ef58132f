/* test_dial.c: connecting to the first of several addresses that answers, and giving up. */
#include "dialling.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "net/socket.h"

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

/* The loop has nothing to watch then, and the dial ends in its first turn. */
static void
this_machine_answers_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0"), refusing = nobody_at("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	list_add(&fixture->list, &refusing);
	list_add(&fixture->list, &at);
	start(fixture);
	poller_turn(&fixture->poller);
	assert_int_equal(fixture->calls, 1);
	assert_connected(fixture, &at);
	close(listener);
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

static void
accept_one(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;
	struct address peer;

	assert_int_equal(fixture->calls, 0);
	fixture->accepted = socket_accept(fixture->listener, &peer);
	assert_true(fixture->accepted >= 0);
}

/* Its backlog was full, so that it was silent at first. */
static void
this_machine_answers_late(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int fds[2];

	listen_without_answer(&at, fds);
	fixture->listener = fds[0];
	list_add(&fixture->list, &at);
	start(fixture);
	uv_timer_start(&fixture->timer, accept_one, 20, 0);
	assert_connected(fixture, &at);
	close(fds[0]);
	close(fds[1]);
}

static void
stop_listening(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;

	close(fixture->listener);
}

static void
this_machine_refuses_late(void **state)
{
	struct fixture *fixture = *state;
	struct address at = address_of("[127.0.0.1]:0");
	int fds[2];

	listen_without_answer(&at, fds);
	fixture->listener = fds[0];
	list_add(&fixture->list, &at);
	start(fixture);
	fixture->descriptors_before--;
	uv_timer_start(&fixture->timer, stop_listening, 20, 0);
	assert_failed(fixture, ERROR_CONNECT, ECONNREFUSED);
	close(fds[1]);
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
	run(fixture);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DIALLING(each_family_is_connected_to),
	    DIALLING(a_connected_socket_is_tuned),
	    DIALLING(a_refusal_is_the_end_where_there_is_one_address),
	    DIALLING(a_unix_socket_that_is_not_there_is_a_failure_not_a_crash),
	    DIALLING(no_address_is_a_failed_look_up),
	    DIALLING(this_machine_answers_at_once),
	    DIALLING(this_machine_answers_late),
	    DIALLING(this_machine_refuses_late),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
