/* leg.c: a socket as a leg, watched by libuv's poll handle. */
#include "net/leg.h"

#include <poll.h>

#include "net/socket.h"

static ssize_t
read_socket(struct leg *leg, uint8_t *bytes, size_t length)
{
	ssize_t got = socket_read(leg->fd, bytes, length);

	if (got == 0)
		leg->at_end = true;
	return got;
}

static ssize_t
write_socket(struct leg *leg, const uint8_t *bytes, size_t length)
{
	return socket_write(leg->fd, bytes, length);
}

static size_t
unsent_socket(struct leg *leg)
{
	return leg->hung_up ? 0 : socket_unsent(leg->fd);
}

static int
shutdown_socket(struct leg *leg)
{
	return socket_shutdown(leg->fd);
}

static void
watch_nothing(struct leg *leg)
{
	leg->watched = 0;
	uv_poll_stop(&leg->poll);
}

/*
 * Nothing but a hang-up was watched for, and something came: an error, which ends the leg, or what would be told
 * again and again (urgent data, both directions' ends), which is not watched for any more.
 */
static void
look_closer(struct leg *leg)
{
	struct pollfd poll_fd = {.fd = leg->fd, .events = 0};

	if (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLERR) != 0) {
		leg->hung_up = true;
		watch_nothing(leg);
		leg->owner->hung_up(leg);
		return;
	}
	leg->blind = true;
	watch_nothing(leg);
}

static void on_poll(uv_poll_t *handle, int status, int events);

/*
 * With no bit set epoll would drop the descriptor and a reset would go unseen, so it is watched for urgent data, which
 * nobody sends. A change costs two system calls or three.
 */
static void
watch_for(struct leg *leg, unsigned events)
{
	if (events == 0 && !leg->blind)
		events = UV_PRIORITIZED;
	if (events == leg->watched)
		return;
	leg->watched = (uint16_t)events;
	if (events == 0)
		uv_poll_stop(&leg->poll);
	else
		uv_poll_start(&leg->poll, (int)events, on_poll);
}

static void
on_poll(uv_poll_t *handle, int status, int events)
{
	struct leg *leg = handle->data;
	unsigned came = (unsigned)events & (UV_READABLE | UV_WRITABLE), can = 0;

	if (status < 0) { /* libuv has stopped the handle */
		leg->hung_up = true;
		leg->watched = 0;
		leg->owner->hung_up(leg);
		return;
	}
	if (came == 0) {
		look_closer(leg);
		return;
	}
	if ((came & ~(unsigned)leg->wanted) != 0) /* it would be told again and again */
		watch_for(leg, leg->wanted);
	if ((came & leg->wanted & UV_READABLE) != 0)
		can |= PIPE_WANT_READ;
	if ((came & leg->wanted & UV_WRITABLE) != 0)
		can |= PIPE_WANT_WRITE;
	if (can != 0)
		leg->owner->ready(leg, can);
}

/*
 * What is no longer wanted stays watched until it comes: a handshake wants to read, and not to, and to again, while
 * nothing is there. But a socket can nearly always be written to, and one at its end be read.
 */
static void
watch_socket(struct leg *leg, unsigned wants)
{
	unsigned events = 0, idle;

	if (leg->hung_up)
		return;
	if ((wants & PIPE_WANT_READ) != 0)
		events |= UV_READABLE;
	if ((wants & PIPE_WANT_WRITE) != 0)
		events |= UV_WRITABLE;
	leg->wanted = (uint16_t)events;
	idle = leg->watched & ~events;
	if (idle == UV_READABLE && !leg->at_end)
		events |= UV_READABLE;
	watch_for(leg, events);
}

static void
on_close(uv_handle_t *handle)
{
	struct leg *leg = handle->data;

	leg->owner->closed(leg);
}

static void
close_socket(struct leg *leg, bool reset)
{
	leg->open = false;
	uv_close(
	    (uv_handle_t *)&leg->poll, on_close); /* takes it off the loop's set at once, so the descriptor can go */
	if (reset)
		socket_reset(leg->fd);
	else
		socket_close(leg->fd);
	leg->fd = -1;
}

static const struct leg_kind socket_kind = {
    .read = read_socket,
    .write = write_socket,
    .watch = watch_socket,
    .unsent = unsent_socket,
    .shutdown = shutdown_socket,
    .close = close_socket,
};

int
leg_open_socket(struct leg *leg, uv_loop_t *loop, int fd, const struct leg_owner *owner, void *context)
{
	int status = uv_poll_init(loop, &leg->poll, fd);

	if (status != 0)
		return status;
	leg->kind = &socket_kind;
	leg->owner = owner;
	leg->context = context;
	leg->fd = fd;
	leg->open = true;
	leg->poll.data = leg;
	return 0;
}
