/* test_socket.c: a descriptor's options, reading, writing and ends. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "net/socket.h"
#include "test.h"

/* Two ends of one connection; TCP, or UNIX where is_unix. ours is non-blocking. */
struct connection {
	int ours, theirs;
};

static struct connection
connection_open(bool is_unix)
{
	struct address at = address_of(is_unix ? scratch_path("listener") : "[127.0.0.1]:0"), peer;
	int listener = listen_on(&at, 1);
	struct connection connection = {.theirs = connect_to(&at)};

	connection.ours = socket_accept(listener, &peer);
	assert_true(connection.ours >= 0);
	close(listener);
	if (is_unix)
		unlink(at.un.sun_path);
	return connection;
}

static void
connection_close(struct connection *connection)
{
	socket_close(connection->ours);
	close(connection->theirs);
}

static bool
is_blocking(int fd)
{
	return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

/* Waits until fd has something to tell, and fails after a while. */
static void
wait_for(int fd, short events)
{
	struct pollfd poll_fd = {.fd = fd, .events = events};

	assert_int_equal(poll(&poll_fd, 1, 5000), 1);
}

static size_t
fill(int fd)
{
	static const uint8_t bytes[65536];
	size_t sent = 0;
	ssize_t taken;

	while ((taken = socket_write(fd, bytes, sizeof bytes)) > 0)
		sent += (size_t)taken;
	assert_int_equal(taken, -EAGAIN);
	return sent;
}

static void
read_all(int fd, size_t length)
{
	static uint8_t bytes[65536];

	while (length > 0) {
		ssize_t got = read(fd, bytes, sizeof bytes);

		assert_true(got > 0);
		length -= (size_t)got;
	}
}

static void
an_accepted_socket_does_not_block_and_is_not_inherited(void **state)
{
	struct address at = address_of("[127.0.0.1]:0"), peer, own = {.length = sizeof own.storage};
	int listener = listen_on(&at, 1), client, accepted;

	assert_int_equal(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(socket_accept(listener, &peer), -EAGAIN);
	client = connect_to(&at);
	wait_for(listener, POLLIN);
	accepted = socket_accept(listener, &peer);
	assert_true(accepted >= 0);
	assert_int_equal(getsockname(client, &own.any, &own.length), 0);
	assert_true(address_equal(&peer, &own));
	assert_false(is_blocking(accepted));
	assert_int_equal(fcntl(accepted, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	close(accepted);
	close(client);
	close(listener);
}

static void
a_silent_peer_is_given_up_after_a_quarter_of_an_hour(void **state)
{
	int fd = socket_new(AF_INET);

	socket_tune(fd, true);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE) +
			     option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL) * option_of(fd, IPPROTO_TCP, TCP_KEEPCNT),
	    15 * 60);
	close(fd);
}

static void
without_keepalive_only_the_delay_is_turned_off(void **state)
{
	int fd = socket_new(AF_INET6);

	if (fd == -EAFNOSUPPORT)
		skip();
	socket_tune(fd, false);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	close(fd);
}

static void
assert_congestion_control(int fd, const char *expected)
{
	char name[16] = "";
	socklen_t length = sizeof name;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length), 0);
	assert_string_equal(name, expected);
}

static void
pacing_is_turned_off_towards_this_machine_only(void **state)
{
	struct address near = address_of("[127.0.0.1]:1"), far = address_of("[192.0.2.1]:1");
	int fd = socket_new(AF_INET);

	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3) < 0) {
		close(fd);
		skip();
	}
	socket_tune_plain(fd, &far);
	assert_congestion_control(fd, "bbr");
	socket_tune_plain(fd, &near);
	assert_congestion_control(fd, "reno");
	close(fd);
}

static void
reading_tells_bytes_nothing_yet_and_the_end_apart(void **state)
{
	struct connection connection = connection_open(false);
	uint8_t bytes[8];

	assert_int_equal(socket_read(connection.ours, bytes, sizeof bytes), -EAGAIN);
	assert_int_equal(write(connection.theirs, "abc", 3), 3);
	wait_for(connection.ours, POLLIN);
	assert_int_equal(socket_read(connection.ours, bytes, sizeof bytes), 3);
	assert_int_equal(shutdown(connection.theirs, SHUT_WR), 0);
	wait_for(connection.ours, POLLIN);
	assert_int_equal(socket_read(connection.ours, bytes, sizeof bytes), 0);
	connection_close(&connection);
}

static void
our_end_of_data_leaves_the_other_direction_open(void **state)
{
	struct connection connection = connection_open(false);
	uint8_t byte;

	assert_int_equal(socket_shutdown(connection.ours), 0);
	assert_int_equal(read(connection.theirs, &byte, 1), 0);
	assert_int_equal(write(connection.theirs, "a", 1), 1);
	wait_for(connection.ours, POLLIN);
	assert_int_equal(socket_read(connection.ours, &byte, 1), 1);
	connection_close(&connection);
}

static void
writing_to_a_closed_socket_is_an_error_and_no_signal(void **state)
{
	struct connection connection = connection_open(true);

	close(connection.theirs);
	assert_int_equal(socket_write(connection.ours, (const uint8_t *)"a", 1), -EPIPE);
	socket_close(connection.ours);
}

static void
writing_to_a_closed_pipe_is_an_error_and_no_signal(void **state)
{
	int fds[2];
	sigset_t before, after;

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_ptr_not_equal(signal(SIGPIPE, SIG_DFL), SIG_ERR);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &before), 0);
	assert_int_equal(socket_write_any(fds[1], (const uint8_t *)"a", 1), -EPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &after), 0);
	assert_int_equal(sigismember(&after, SIGPIPE), sigismember(&before, SIGPIPE));
	assert_int_equal(sigpending(&after), 0);
	assert_false(sigismember(&after, SIGPIPE));
	close(fds[1]);
}

static void
a_pending_signal_of_somebody_else_stays_pending(void **state)
{
	int fds[2], number;
	sigset_t pipe_signal, pending;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, &pipe_signal, NULL), 0);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	raise(SIGPIPE);
	assert_int_equal(socket_write_any(fds[1], (const uint8_t *)"a", 1), -EPIPE);
	assert_int_equal(sigpending(&pending), 0);
	assert_true(sigismember(&pending, SIGPIPE));
	assert_int_equal(sigwait(&pipe_signal, &number), 0);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &pipe_signal, NULL), 0);
	close(fds[1]);
}

static void
assert_carries(int in, int out)
{
	bool in_blocks = is_blocking(in), out_blocks = is_blocking(out);
	uint8_t bytes[4] = "";

	assert_int_equal(socket_write_any(out, (const uint8_t *)"abc", 3), 3);
	if (lseek(in, 0, SEEK_SET) == 0)
		assert_int_equal(socket_read_any(in, bytes, sizeof bytes), 3);
	else
		assert_int_equal(socket_read_any(in, bytes, 3), 3);
	assert_memory_equal(bytes, "abc", 4);
	assert_int_equal(is_blocking(in), in_blocks);
	assert_int_equal(is_blocking(out), out_blocks);
}

static void
descriptors_of_every_kind_carry_bytes_and_block_as_before(void **state)
{
	struct connection connection = connection_open(true);
	uint8_t byte;
	int file = open(scratch_path("file"), O_RDWR | O_CREAT, 0600), null = open("/dev/null", O_RDWR), fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_carries(fds[0], fds[1]);
	assert_carries(file, file);
	assert_carries(connection.theirs, connection.ours);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(socket_read_any(fds[0], &byte, 1), -EAGAIN);
	assert_int_equal(socket_write_any(null, &byte, 1), 1);
	assert_int_equal(socket_read_any(null, &byte, 1), 0);
	close(fds[0]);
	close(fds[1]);
	close(null);
	close(file);
	connection_close(&connection);
}

static void
bytes_are_unsent_until_the_peer_takes_them(void **state)
{
	for (int is_unix = 0; is_unix < 2; is_unix++) {
		struct connection connection = connection_open(is_unix);
		size_t sent = fill(connection.ours);

		assert_true(socket_unsent(connection.ours) > 0);
		read_all(connection.theirs, sent);
		for (int i = 0; i < 500 && socket_unsent(connection.ours) > 0; i++)
			poll(NULL, 0, 10); /* the last acknowledgement has no event */
		assert_int_equal(socket_unsent(connection.ours), 0);
		connection_close(&connection);
	}
}

static void
nothing_is_unsent_once_the_peer_has_gone(void **state)
{
	for (int is_unix = 0; is_unix < 2; is_unix++) {
		struct connection connection = connection_open(is_unix);
		struct tcp_info info;

		fill(connection.ours);
		assert_true(socket_unsent(connection.ours) > 0);
		socket_reset(connection.theirs);
		wait_for(connection.ours, POLLHUP);
		if (is_unix || tcp_info_of(connection.ours, &info))
			assert_int_equal(socket_unsent(connection.ours), 0);
		socket_close(connection.ours);
	}
}

static void
what_has_nothing_to_tell_has_nothing_unsent(void **state)
{
	struct address at = address_of("[127.0.0.1]:0");
	int listener = listen_on(&at, 1);

	assert_int_equal(socket_unsent(listener), 0);
	assert_int_equal(socket_unsent(-1), 0);
	close(listener);
}

static void
a_reset_is_seen_as_one(void **state)
{
	struct connection connection = connection_open(false);
	uint8_t byte;

	socket_reset(connection.theirs);
	wait_for(connection.ours, POLLHUP);
	assert_int_equal(socket_error(connection.ours), -ECONNRESET);
	assert_int_equal(socket_error(connection.ours), 0);
	assert_int_equal(socket_read(connection.ours, &byte, 1), 0);
	socket_close(connection.ours);
}

static int
prepare(void **state)
{
	scratch_create();
	return 0;
}

static int
clean_up(void **state)
{
	scratch_remove();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_accepted_socket_does_not_block_and_is_not_inherited),
	    cmocka_unit_test(a_silent_peer_is_given_up_after_a_quarter_of_an_hour),
	    cmocka_unit_test(without_keepalive_only_the_delay_is_turned_off),
	    cmocka_unit_test(pacing_is_turned_off_towards_this_machine_only),
	    cmocka_unit_test(reading_tells_bytes_nothing_yet_and_the_end_apart),
	    cmocka_unit_test(our_end_of_data_leaves_the_other_direction_open),
	    cmocka_unit_test(writing_to_a_closed_socket_is_an_error_and_no_signal),
	    cmocka_unit_test(writing_to_a_closed_pipe_is_an_error_and_no_signal),
	    cmocka_unit_test(a_pending_signal_of_somebody_else_stays_pending),
	    cmocka_unit_test(descriptors_of_every_kind_carry_bytes_and_block_as_before),
	    cmocka_unit_test(bytes_are_unsent_until_the_peer_takes_them),
	    cmocka_unit_test(nothing_is_unsent_once_the_peer_has_gone),
	    cmocka_unit_test(what_has_nothing_to_tell_has_nothing_unsent),
	    cmocka_unit_test(a_reset_is_seen_as_one),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
