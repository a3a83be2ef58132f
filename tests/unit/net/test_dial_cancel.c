/* test_dial_cancel.c: a dial that is cancelled, at every stage, leaves nothing open and says nothing. */
#include "dialling.h"

#include <unistd.h>

static void
assert_cancelled(struct fixture *fixture)
{
	dial_cancel(fixture->dial);
	run(fixture);
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
note(uv_timer_t *timer)
{
	timer->data = NULL;
}

/* After that long, so many sockets are open; then it is cancelled. */
static void
assert_open_after(struct fixture *fixture, uint64_t milliseconds, size_t sockets)
{
	uv_timer_start(&fixture->timer, note, milliseconds, 0);
	while (fixture->timer.data != NULL)
		poller_turn(&fixture->poller);
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
	run(fixture);
	assert_int_equal(fixture->calls, 1);
	close(fixture->fd);
	close(listener);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DIALLING(cancelled_before_its_first_turn_it_says_nothing),
	    DIALLING(cancelled_while_several_are_tried_it_says_nothing),
	    DIALLING(cancelled_while_a_backlog_is_full_it_says_nothing),
	    DIALLING(what_was_refused_or_given_up_is_closed_at_once),
	    DIALLING(cancelling_what_is_just_done_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
