/* mailbox.h: how the acceptor and the workers tell each other things. Any thread posts; one loop's thread receives. */
#ifndef NET_MAILBOX_H
#define NET_MAILBOX_H

#include "net/poller.h"

enum mail_kind {
	MAIL_ARRIVED,  /* to a worker: a connection, its own from now on */
	MAIL_ADMITTED, /* to a worker: there is room under -n */
	MAIL_EVICTED,  /* to a worker: over the cap of strangers */
	MAIL_KILL,     /* to a worker: end all connections at once */
	MAIL_REVOKED,  /* to a worker: some keys are not in force any more */
	MAIL_JOB,      /* to a worker: a job has been done */
	MAIL_STOP,     /* to a worker: no connection is left; end the thread */
	MAIL_ROOM      /* to the acceptor: a connection has gone, and it had asked to be told */
};

/* Stands in the memory of what it speaks of, so that posting never fails; in one box at a time. */
struct mail {
	struct mail *next;
	void *about;
	enum mail_kind kind;
};

/*
 * Delivers in the order of posting. Not libuv's async handle: whoever receives spins there until whoever sends is back
 * from the kernel, and who sends is of a lower priority and has just been put off its core.
 */
struct mailbox {
	uv_mutex_t mutex;
	uv_loop_t *loop;
	struct watcher watcher;
	int fd; /* an eventfd, readable from when the box is not empty any more */
	struct mail *first, **last;
	void (*receive)(struct mailbox *mailbox, enum mail_kind kind, void *about);
	void *context;
};

/*
 * 0, or a libuv error with everything undone; the loop has a poller. mailbox_stop: on the loop, and nothing is received
 * any more; mailbox_free when that loop has ended and nobody posts.
 */
int mailbox_start(struct mailbox *mailbox, uv_loop_t *loop,
    void (*receive)(struct mailbox *mailbox, enum mail_kind kind, void *about), void *context);
void mailbox_stop(struct mailbox *mailbox);
void mailbox_free(struct mailbox *mailbox);
void mailbox_post(struct mailbox *mailbox, struct mail *mail, enum mail_kind kind);

#endif
