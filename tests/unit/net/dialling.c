/* dialling.c: see dialling.h. */
#include "dialling.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
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

void
run(struct fixture *fixture)
{
	while (poller_turn(&fixture->poller))
		;
}

int
dialling_prepare(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	scratch_create();
	uv_loop_init(&fixture->loop);
	assert_int_equal(poller_start(&fixture->poller, &fixture->loop), 0);
	uv_timer_init(&fixture->loop, &fixture->timer);
	fixture->timer.data = fixture;
	fixture->options = (struct dial_options){.timeout = 5000, .keepalive = true};
	fixture->fd = fixture->listener = fixture->accepted = -1;
	*state = fixture;
	return 0;
}

int
dialling_clean_up(void **state)
{
	struct fixture *fixture = *state;

	uv_close((uv_handle_t *)&fixture->timer, NULL);
	run(fixture);
	poller_stop(&fixture->poller);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	scratch_remove();
	free(fixture);
	return 0;
}

void
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

void
finish(struct fixture *fixture)
{
	run(fixture);
	assert_int_equal(fixture->calls, 1);
	if (fixture->accepted >= 0)
		close(fixture->accepted);
	assert_int_equal(open_descriptors(), fixture->descriptors_before + (fixture->fd >= 0));
}

void
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

void
assert_failed(struct fixture *fixture, enum error error, int system_error)
{
	finish(fixture);
	assert_int_equal(fixture->fd, -1);
	assert_int_equal(fixture->error, error);
	assert_int_equal(fixture->system_error, system_error);
}

int
listen_with_full_backlog(struct address *at, int *client)
{
	int listener = listen_on(at, 0);

	*client = connect_to(at);
	return listener;
}
