/*
 * poller.h: what a loop watches descriptors with: an epoll set of its own, around libuv's, which has the timers and the
 * rest. libuv takes six system calls for a socket that comes and goes, two for each change of what is wanted, and
 * aborts where the kernel has no memory. On the loop's thread, all of it.
 */
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <uv.h>

/* One descriptor's, part of its owner's memory. */
struct watcher {
	void (*ready)(struct watcher *watcher, uint32_t events); /* EPOLL bits; NULL: it is not watched */
	uint32_t events;                                         /* asked for */
	int fd;
};

enum { POLLER_EVENTS = 64 };

struct poller {
	uv_loop_t *loop;
	struct watcher libuv;
	unsigned watched;
	bool has_libuv; /* its turn has come */
	int fd;
	struct epoll_event
	    events[POLLER_EVENTS]; /* told in this turn: those from `next` to `count` are still to come */
	int next, count;
};

/* Makes a loop's, which the loop points to from then on (loop->data). 0, or a libuv error. poller_stop: after turns. */
int poller_start(struct poller *poller, uv_loop_t *loop);
void poller_stop(struct poller *poller);

/* Waits and calls who is ready; false: nothing is left that could be waited for. */
bool poller_turn(struct poller *poller);

/*
 * events: EPOLLIN and EPOLLOUT, told for as long as they last; an error is always told, for as long as one of them is
 * asked for, and once where none is. 0, or a libuv error. poller_forget: before the descriptor is
 * closed, which takes it out of the set; poller_remove: where it stays open. Either may be called again.
 */
int poller_add(uv_loop_t *loop, struct watcher *watcher, int fd, uint32_t events,
    void (*ready)(struct watcher *watcher, uint32_t events));
void poller_change(uv_loop_t *loop, struct watcher *watcher, uint32_t events);
void poller_forget(uv_loop_t *loop, struct watcher *watcher);
void poller_remove(uv_loop_t *loop, struct watcher *watcher);

#endif
