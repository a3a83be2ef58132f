/* leg.h: one side of a connection as its driver sees it: something to read, write, watch and end. On a loop's thread.
 */
#ifndef NET_LEG_H
#define NET_LEG_H

#include "net/poller.h"
#include "pipe/pipe.h"

struct leg;

/* Reads and writes are as those of socket.h. */
struct leg_kind {
	ssize_t (*read)(struct leg *leg, uint8_t *bytes, size_t length);
	ssize_t (*write)(struct leg *leg, const uint8_t *bytes, size_t length);
	void (*watch)(struct leg *leg, unsigned wants); /* PIPE_WANT_ bits; 0: only tell of a hang-up */
	size_t (*unsent)(struct leg *leg);
	int (*shutdown)(struct leg *leg);           /* not 0: its peer will not see the end */
	void (*close)(struct leg *leg, bool reset); /* leg_closed follows, at once or on the loop */
};

/* What a leg tells its owner. `closed` is the last call: its memory may go then. */
struct leg_owner {
	void (*ready)(struct leg *leg, unsigned can); /* PIPE_WANT_ bits that were watched and can be done now */
	void (*hung_up)(struct leg *leg);             /* the connection is broken; watching has stopped for good */
	void (*closed)(struct leg *leg);
};

struct leg {
	const struct leg_kind *kind;
	const struct leg_owner *owner;
	void *context; /* the owner's */
	enum pipe_leg which;
	bool open, hung_up;
	/* a socket's */
	bool at_end; /* its end has been read, so it can always be read */
	int fd;
	uint32_t wanted; /* EPOLL bits: what of those that it is watched for is for the owner */
	struct watcher watcher;
	union {
		uv_loop_t *loop;         /* a socket's */
		struct stdio_leg *stdio; /* of a stdio_leg */
	};
};

/*
 * Makes a leg of a connected socket, which is its own from then on; leg->which says what will be wanted of it first. 0,
 * or a libuv error: then fd is still the caller's.
 */
int leg_open_socket(struct leg *leg, uv_loop_t *loop, int fd, const struct leg_owner *owner, void *context);

#endif
