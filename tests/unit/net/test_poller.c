/* test_poller.c: who is told, in which order, and for how long. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/poller.h"
#include "test.h"

struct guest {
	struct watcher watcher; /* first */
	struct fixture *fixture;
	int fd, peer;
	unsigned told;
};

enum { GUESTS = 3 };

struct fixture {
	uv_loop_t loop;
	struct poller poller;
	struct guest *guests[GUESTS];
	bool frees_the_others;
	unsigned timers;
	uv_poll_t poll; /* stands for what libuv watches: a folder, standard input */
	uv_work_t work;
	bool polls, heard;
};

static void
leave(struct guest *guest)
{
	poller_forget(&guest->fixture->loop, &guest->watcher);
	close(guest->fd);
	close(guest->peer);
	free(guest);
}

static void
ready(struct watcher *watcher, uint32_t events)
{
	struct guest *guest = (struct guest *)watcher;
	struct fixture *fixture = guest->fixture;

	assert_int_equal(events, EPOLLIN);
	guest->told++;
	for (int i = 0; fixture->frees_the_others && i < GUESTS; i++) {
		if (fixture->guests[i] != guest)
			leave(fixture->guests[i]);
		fixture->guests[i] = guest;
	}
}

static int
prepare(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	assert_int_equal(poller_start(&fixture->poller, &fixture->loop), 0);
	for (int i = 0; i < GUESTS; i++) {
		struct guest *guest = fixture->guests[i] = calloc(1, sizeof *guest);
		int pair[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		*guest = (struct guest){.fixture = fixture, .fd = pair[0], .peer = pair[1]};
		assert_int_equal(poller_add(&fixture->loop, &guest->watcher, guest->fd, EPOLLIN, ready), 0);
	}
	*state = fixture;
	return 0;
}

static int
clean_up(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < GUESTS && (i == 0 || fixture->guests[i] != fixture->guests[0]); i++)
		leave(fixture->guests[i]);
	while (poller_turn(&fixture->poller))
		;
	poller_stop(&fixture->poller);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	free(fixture);
	return 0;
}

static void
speak(const struct guest *guest)
{
	assert_int_equal(write(guest->peer, "x", 1), 1);
}

static void
who_is_freed_by_another_is_not_told_in_the_same_turn(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < GUESTS; i++)
		speak(fixture->guests[i]);
	fixture->frees_the_others = true;
	assert_true(poller_turn(&fixture->poller));
	assert_int_equal(fixture->guests[0]->told, 1);
}

static void
who_wants_nothing_is_told_nothing_until_it_does(void **state)
{
	struct fixture *fixture = *state;
	struct guest *quiet = fixture->guests[0], *other = fixture->guests[1];

	poller_change(&fixture->loop, &quiet->watcher, 0);
	speak(quiet);
	speak(other);
	assert_true(poller_turn(&fixture->poller));
	assert_int_equal(quiet->told, 0);
	assert_int_equal(other->told, 1);
	poller_change(&fixture->loop, &quiet->watcher, EPOLLIN);
	assert_true(poller_turn(&fixture->poller));
	assert_int_equal(quiet->told, 1);
}

static void
who_was_removed_can_be_watched_again(void **state)
{
	struct fixture *fixture = *state;
	struct guest *guest = fixture->guests[0];

	poller_remove(&fixture->loop, &guest->watcher);
	poller_remove(&fixture->loop, &guest->watcher);
	assert_int_equal(fixture->poller.watched, GUESTS - 1);
	speak(guest);
	assert_int_equal(poller_add(&fixture->loop, &guest->watcher, guest->fd, EPOLLIN, ready), 0);
	assert_true(poller_turn(&fixture->poller));
	assert_int_equal(guest->told, 1);
}

static void
on_timer(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;

	fixture->timers++;
	uv_close((uv_handle_t *)timer, NULL);
}

static void
timers_of_the_loop_go_on_beside_it(void **state)
{
	struct fixture *fixture = *state;
	uv_timer_t timer;

	uv_timer_init(&fixture->loop, &timer);
	timer.data = fixture;
	uv_timer_start(&timer, on_timer, 20, 0);
	while (fixture->timers == 0)
		assert_true(poller_turn(&fixture->poller));
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
	struct fixture *fixture = poll->data;

	assert_int_equal(status, 0);
	assert_int_equal(events, UV_READABLE);
	fixture->heard = true;
	uv_close((uv_handle_t *)poll, NULL);
}

static void
start_polling(struct fixture *fixture)
{
	struct guest *guest = fixture->guests[0];

	poller_remove(&fixture->loop, &guest->watcher);
	assert_int_equal(uv_poll_init(&fixture->loop, &fixture->poll, guest->fd), 0);
	fixture->poll.data = fixture;
	assert_int_equal(uv_poll_start(&fixture->poll, UV_READABLE, on_poll), 0);
	fixture->polls = true;
}

/* What libuv watches is in its set only after a turn of its own: a poller that knows nothing of it waits for ever. */
static void
hear(struct fixture *fixture)
{
	while (!fixture->polls)
		assert_true(poller_turn(&fixture->poller));
	speak(fixture->guests[0]);
	while (!fixture->heard)
		assert_true(poller_turn(&fixture->poller));
}

static void
what_libuv_watches_is_heard_that_was_started_before_the_first_turn(void **state)
{
	start_polling(*state);
	hear(*state);
}

static void
do_nothing(uv_work_t *work)
{
	(void)work;
}

static void
poll_now(uv_work_t *work, int status)
{
	assert_int_equal(status, 0);
	start_polling(work->data);
}

static void
what_libuv_watches_is_heard_that_was_started_when_a_job_was_done(void **state)
{
	struct fixture *fixture = *state;

	fixture->work.data = fixture;
	assert_int_equal(uv_queue_work(&fixture->loop, &fixture->work, do_nothing, poll_now), 0);
	hear(fixture);
}

static void
what_cannot_be_watched_is_said_so(void **state)
{
	struct fixture *fixture = *state;
	struct watcher watcher;

	assert_int_equal(poller_add(&fixture->loop, &watcher, -1, EPOLLIN, ready), UV_EBADF);
	poller_remove(&fixture->loop, &watcher);
	assert_int_equal(fixture->poller.watched, GUESTS);
}

#define POLLER(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    POLLER(who_is_freed_by_another_is_not_told_in_the_same_turn),
	    POLLER(who_wants_nothing_is_told_nothing_until_it_does),
	    POLLER(who_was_removed_can_be_watched_again),
	    POLLER(timers_of_the_loop_go_on_beside_it),
	    POLLER(what_libuv_watches_is_heard_that_was_started_before_the_first_turn),
	    POLLER(what_libuv_watches_is_heard_that_was_started_when_a_job_was_done),
	    POLLER(what_cannot_be_watched_is_said_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
