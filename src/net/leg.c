/* leg.c: a socket as a leg, watched by its loop's poller. */
#include "net/leg.h"

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
on_event(struct watcher *watcher, uint32_t events)
{
	struct leg *leg = (struct leg *)((char *)watcher - offsetof(struct leg, watcher));
	/* Ended both ways: reading and writing say so themselves. */
	uint32_t came = (events & EPOLLHUP) != 0 ? leg->wanted : events & leg->wanted;
	unsigned can = 0;

	if ((events & EPOLLERR) != 0) {
		leg->hung_up = true;
		poller_remove(leg->loop, &leg->watcher);
		leg->owner->hung_up(leg);
		return;
	}
	if ((events & ~leg->wanted) != 0) /* it would be told again and again */
		poller_change(leg->loop, &leg->watcher, leg->wanted);
	if ((came & EPOLLIN) != 0)
		can |= PIPE_WANT_READ;
	if ((came & EPOLLOUT) != 0)
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
	uint32_t events = 0;

	if ((wants & PIPE_WANT_READ) != 0)
		events |= EPOLLIN;
	if ((wants & PIPE_WANT_WRITE) != 0)
		events |= EPOLLOUT;
	leg->wanted = events;
	if ((leg->watcher.events & ~events) == EPOLLIN && !leg->at_end)
		events |= EPOLLIN;
	poller_change(leg->loop, &leg->watcher, events);
}

static void
close_socket(struct leg *leg, bool reset)
{
	leg->open = false;
	poller_forget(leg->loop, &leg->watcher);
	if (reset)
		socket_reset(leg->fd);
	else
		socket_close(leg->fd);
	leg->fd = -1;
	leg->owner->closed(leg);
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
	leg->kind = &socket_kind;
	leg->owner = owner;
	leg->context = context;
	leg->fd = fd;
	leg->loop = loop;
	leg->open = poller_add(loop, &leg->watcher, fd, leg->which == PIPE_CIPHER ? EPOLLIN : 0, on_event) == 0;
	return leg->open ? 0 : UV_ENOMEM;
}
