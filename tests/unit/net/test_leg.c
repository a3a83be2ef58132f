/* test_leg.c: what a socket is watched for, and what its owner hears. */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers.h"
#include "net/leg.h"
#include "net/socket.h"
#include "test.h"

struct fixture {
	uv_loop_t loop;
	struct poller poller;
	struct leg leg;
	int peer;
	unsigned can; /* what was told, all together */
	int ready, hang_ups, closed;
};

static void
ready(struct leg *leg, unsigned can)
{
	struct fixture *fixture = leg->context;

	fixture->can |= can;
	fixture->ready++;
}

static void
hung_up(struct leg *leg)
{
	((struct fixture *)leg->context)->hang_ups++;
}

static void
closed(struct leg *leg)
{
	((struct fixture *)leg->context)->closed++;
}

static const struct leg_owner owner = {.ready = ready, .hung_up = hung_up, .closed = closed};

static int
prepare(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct address at = address_of("[127.0.0.1]:0"), peer;
	int listener = listen_on(&at, 1), fd;

	assert_non_null(fixture);
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	assert_int_equal(poller_start(&fixture->poller, &fixture->loop), 0);
	fixture->peer = connect_to(&at);
	fd = socket_accept(listener, &peer);
	assert_true(fd >= 0);
	assert_int_equal(leg_open_socket(&fixture->leg, &fixture->loop, fd, &owner, fixture), 0);
	close(listener);
	*state = fixture;
	return 0;
}

static int
clean_up(void **state)
{
	struct fixture *fixture = *state;

	fixture->leg.kind->close(&fixture->leg, false);
	assert_int_equal(fixture->closed, 1);
	assert_false(poller_turn(&fixture->poller)); /* nothing is left to wait for */
	poller_stop(&fixture->poller);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	close(fixture->peer);
	free(fixture);
	return 0;
}

/* One turn, where there is something to be told. */
static void
turn(struct fixture *fixture)
{
	struct pollfd set = {.fd = fixture->poller.fd, .events = POLLIN};

	if (poll(&set, 1, 0) != 0)
		poller_turn(&fixture->poller);
}

static void
watch(struct fixture *fixture, unsigned wants)
{
	fixture->leg.kind->watch(&fixture->leg, wants);
	turn(fixture);
}

static bool
loop_is_awake(struct fixture *fixture)
{
	struct pollfd set = {.fd = fixture->poller.fd, .events = POLLIN};

	turn(fixture); /* what is not wanted is told once */
	return poll(&set, 1, 0) != 0;
}

static void
what_came_while_it_was_not_wanted_is_told_when_it_is(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture, PIPE_WANT_READ);
	watch(fixture, 0);
	assert_int_equal(write(fixture->peer, "x", 1), 1);
	watch(fixture, 0);
	assert_int_equal(fixture->ready, 0);
	assert_false(loop_is_awake(fixture));
	watch(fixture, PIPE_WANT_READ);
	assert_int_equal(fixture->ready, 1);
	assert_int_equal(fixture->can, PIPE_WANT_READ);
}

static void
a_pause_in_which_nothing_comes_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture, PIPE_WANT_READ);
	watch(fixture, 0);
	assert_int_equal(fixture->leg.watcher.events, EPOLLIN);
	assert_int_equal(fixture->ready, 0);
}

static void
room_to_write_is_told_only_while_it_is_wanted(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture, PIPE_WANT_READ | PIPE_WANT_WRITE);
	assert_int_equal(fixture->can, PIPE_WANT_WRITE);
	watch(fixture, PIPE_WANT_READ);
	assert_int_equal(fixture->ready, 1);
	assert_false(loop_is_awake(fixture));
}

static void
an_end_that_was_read_is_not_watched_any_more(void **state)
{
	struct fixture *fixture = *state;
	uint8_t byte;

	watch(fixture, PIPE_WANT_READ);
	assert_int_equal(shutdown(fixture->peer, SHUT_WR), 0);
	watch(fixture, PIPE_WANT_READ);
	assert_int_equal(fixture->can, PIPE_WANT_READ);
	assert_int_equal(fixture->leg.kind->read(&fixture->leg, &byte, 1), 0);
	fixture->leg.kind->watch(&fixture->leg, 0);
	assert_int_equal(fixture->leg.watcher.events, 0);
	assert_false(loop_is_awake(fixture));
}

static void
a_reset_is_told_whatever_is_wanted(void **state)
{
	struct fixture *fixture = *state;

	watch(fixture, PIPE_WANT_READ);
	watch(fixture, 0);
	assert_int_equal(write(fixture->peer, "x", 1), 1);
	socket_reset(fixture->peer);
	fixture->peer = -1;
	watch(fixture, 0);
	assert_int_equal(fixture->hang_ups, 1);
	assert_int_equal(fixture->ready, 0);
}

static void
an_end_both_ways_is_told_once_to_who_wants_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(shutdown(fixture->peer, SHUT_WR), 0);
	assert_int_equal(fixture->leg.kind->shutdown(&fixture->leg), 0);
	watch(fixture, 0);
	assert_false(loop_is_awake(fixture));
	assert_int_equal(fixture->ready + fixture->hang_ups, 0);
	watch(fixture, PIPE_WANT_READ);
	assert_int_equal(fixture->can, PIPE_WANT_READ);
}

#define LEG(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LEG(what_came_while_it_was_not_wanted_is_told_when_it_is),
	    LEG(a_pause_in_which_nothing_comes_changes_nothing),
	    LEG(room_to_write_is_told_only_while_it_is_wanted),
	    LEG(an_end_that_was_read_is_not_watched_any_more),
	    LEG(a_reset_is_told_whatever_is_wanted),
	    LEG(an_end_both_ways_is_told_once_to_who_wants_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
