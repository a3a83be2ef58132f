/* poller.c: see poller.h. */
#include "net/poller.h"

#include <errno.h>
#include <unistd.h>

static struct poller *
poller_of(uv_loop_t *loop)
{
	return loop->data;
}

/* Of a connection that has ended both ways it tells whatever is asked for: once then, where nothing is. */
static int
control(const struct poller *poller, int what, struct watcher *watcher)
{
	struct epoll_event event = {
	    .events = watcher->events == 0 ? (uint32_t)EPOLLET : watcher->events, .data.ptr = watcher};

	return epoll_ctl(poller->fd, what, watcher->fd, &event) == 0 ? 0 : -errno;
}

int
poller_add(uv_loop_t *loop, struct watcher *watcher, int fd, uint32_t events,
    void (*ready)(struct watcher *watcher, uint32_t events))
{
	int status;

	*watcher = (struct watcher){.ready = ready, .events = events, .fd = fd};
	status = control(poller_of(loop), EPOLL_CTL_ADD, watcher);
	if (status != 0)
		watcher->ready = NULL;
	else
		poller_of(loop)->watched++;
	return status;
}

void
poller_change(uv_loop_t *loop, struct watcher *watcher, uint32_t events)
{
	if (watcher->ready == NULL || watcher->events == events)
		return;
	watcher->events = events;
	while (control(poller_of(loop), EPOLL_CTL_MOD, watcher) == -ENOMEM)
		; /* it has what it needs since poller_add */
}

void
poller_forget(uv_loop_t *loop, struct watcher *watcher)
{
	struct poller *poller = poller_of(loop);

	if (watcher->ready == NULL)
		return;
	watcher->ready = NULL;
	poller->watched--;
	for (int i = poller->next; i < poller->count; i++) {
		if (poller->events[i].data.ptr == watcher)
			poller->events[i].data.ptr = NULL;
	}
}

void
poller_remove(uv_loop_t *loop, struct watcher *watcher)
{
	if (watcher->ready != NULL)
		(void)control(poller_of(loop), EPOLL_CTL_DEL, watcher);
	poller_forget(loop, watcher);
}

/* To be run when uv_run has something to do. */
static void
libuv_ready(struct watcher *watcher, uint32_t events)
{
	struct poller *poller = (struct poller *)((char *)watcher - offsetof(struct poller, libuv));

	(void)events;
	poller->has_libuv = true;
}

int
poller_start(struct poller *poller, uv_loop_t *loop)
{
	uv_timer_t any;
	int status;

	*poller = (struct poller){.loop = loop, .fd = epoll_create1(EPOLL_CLOEXEC)};
	if (poller->fd < 0)
		return -errno;
	loop->data = poller;
	status = poller_add(loop, &poller->libuv, uv_backend_fd(loop), EPOLLIN, libuv_ready);
	poller->watched = 0; /* that one is nothing to wait for by itself */
	if (status != 0) {
		poller_stop(poller);
		return status;
	}
	/* A turn, for which a loop needs something: only then is in its set what it watches itself, or it aborts. */
	uv_timer_init(loop, &any);
	uv_close((uv_handle_t *)&any, NULL);
	(void)uv_run(loop, UV_RUN_NOWAIT);
	return 0;
}

void
poller_stop(struct poller *poller)
{
	if (poller->fd >= 0)
		(void)close(poller->fd);
	poller->fd = -1;
}

bool
poller_turn(struct poller *poller)
{
	int timeout = -1;

	if (uv_loop_alive(poller->loop) != 0) {
		uv_update_time(poller->loop);
		timeout = uv_backend_timeout(poller->loop); /* 0 as well while its set lacks what was started */
	} else if (poller->watched == 0) {
		return false;
	}
	poller->count = epoll_wait(poller->fd, poller->events, POLLER_EVENTS, timeout);
	uv_update_time(poller->loop);
	poller->has_libuv = false;
	for (poller->next = 0; poller->next < poller->count;) {
		const struct epoll_event *event = &poller->events[poller->next++];
		struct watcher *watcher = event->data.ptr;

		if (watcher != NULL) /* else it was removed by one before it */
			watcher->ready(watcher, event->events);
	}
	if (poller->has_libuv || (uv_loop_alive(poller->loop) != 0 && uv_backend_timeout(poller->loop) == 0))
		(void)uv_run(poller->loop, UV_RUN_NOWAIT);
	return true;
}
