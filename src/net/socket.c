/* socket.c: one descriptor of ours: its options, reading, writing, ends. */
#define _GNU_SOURCE /* accept4 */
#include "net/socket.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

/*
 * A silent peer is asked every minute, and given up a quarter of an hour after its last word. Soon, since nobody
 * repeats a reset that the network has lost: whoever waits for more learns of it by asking.
 */
enum { KEEPALIVE_IDLE = 60, KEEPALIVE_INTERVAL = 60, KEEPALIVE_PROBES = 14 };

static int
set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof value);
}

int
socket_new(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	return fd < 0 ? -errno : fd;
}

/* Errors of the connection that was next, not of the listener: Linux hands them out through accept(2). */
static bool
concerns_one_connection(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPERM:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case ENETUNREACH:
		return true;
	default:
		return false;
	}
}

/* Out of descriptors, the kernel says so before it looks whether anybody waits. */
static bool
is_waited_for(int listener)
{
	struct pollfd poll_listener = {.fd = listener, .events = POLLIN};

	return poll(&poll_listener, 1, 0) != 0;
}

int
socket_accept(int listener, struct address *peer)
{
	int fd, error;

	do {
		peer->length = sizeof peer->storage;
		peer->any.sa_family = AF_UNSPEC;
		fd = accept4(listener, &peer->any, &peer->length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	} while (fd < 0 && concerns_one_connection(errno));
	if (fd >= 0)
		return fd;
	error = errno;
	return (error == EMFILE || error == ENFILE) && !is_waited_for(listener) ? -EAGAIN : -error;
}

void
socket_tune(int fd, bool keepalive)
{
	if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1) < 0 || !keepalive)
		return;
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

void
socket_tune_plain(int fd, const struct address *peer)
{
	static const char pacing[] = "bbr", plain[] = "reno";
	char name[16] = "";
	socklen_t length = sizeof name - 1;

	if (peer->any.sa_family == AF_UNIX || !address_is_loopback(peer))
		return;
	if (getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &length) < 0)
		return;
	if (strncmp(name, pacing, sizeof pacing - 1) == 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, plain, sizeof plain - 1);
}

ssize_t
socket_read(int fd, uint8_t *bytes, size_t length)
{
	ssize_t got;

	do {
		got = recv(fd, bytes, length, MSG_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

ssize_t
socket_write(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t taken;

	do {
		taken = send(fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (taken < 0 && errno == EINTR);
	return taken < 0 ? -errno : taken;
}

ssize_t
socket_read_any(int fd, uint8_t *bytes, size_t length)
{
	ssize_t got;

	do {
		got = read(fd, bytes, length);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* SIGPIPE is held back from this thread while it writes; one that the write raised is taken away before it is let go.
 */
ssize_t
socket_write_any(int fd, const uint8_t *bytes, size_t length)
{
	static const struct timespec at_once;
	sigset_t pipe_signal, before, pending;
	ssize_t taken;
	int error;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	sigpending(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	do {
		taken = write(fd, bytes, length);
	} while (taken < 0 && errno == EINTR);
	error = taken < 0 ? errno : 0;
	if (error == EPIPE && !sigismember(&pending, SIGPIPE)) {
		while (sigtimedwait(&pipe_signal, NULL, &at_once) < 0 && errno == EINTR)
			;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return taken < 0 ? -error : taken;
}

int
socket_error(int fd)
{
	int error = 0;
	socklen_t length = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return -errno;
	return -error;
}

size_t
socket_unsent(int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof info;
	int bytes = 0;

	if (ioctl(fd, SIOCOUTQ, &bytes) < 0 || bytes <= 0)
		return 0;
	/* A broken connection still counts what it dropped, for ever. */
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == TCP_CLOSE)
		return 0;
	return (size_t)bytes;
}

int
socket_shutdown(int fd)
{
	return shutdown(fd, SHUT_WR) < 0 ? -errno : 0;
}

void
socket_close(int fd)
{
	(void)close(fd);
}

void
socket_reset(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	const struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

	/* Where it is refused, this resets too: what is cut must not look like an end. */
	if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) < 0)
		(void)connect(fd, &nowhere, sizeof nowhere);
	(void)close(fd);
}
