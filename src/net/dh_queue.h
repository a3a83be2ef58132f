/* dh_queue.h: runs handshakes' exponentiations on libuv's thread pool, a few of one loop at a time, in order. */
#ifndef NET_DH_QUEUE_H
#define NET_DH_QUEUE_H

#include <stdbool.h>
#include <uv.h>

#include "protocol/dh.h"

struct dh_request;

/*
 * Starts the pool, of so many threads: once, before any other use of it, so that a system which refuses them does so
 * at the start and not at the first connection, where libuv would abort. 0, or a libuv error. Run the loop afterwards.
 */
int dh_pool_start(uv_loop_t *loop, unsigned threads);

/* One that waits for a result: part of its owner's memory. */
struct dh_client {
	struct dh_client *next;
	struct dh_request *request; /* under way */
	bool queued;
	void (*take)(struct dh_client *client, struct dh_job *job);       /* its turn has come: fill in the job */
	void (*done)(struct dh_client *client, const struct dh_job *job); /* the result, wiped after this call */
};

struct dh_queue {
	uv_loop_t *loop;
	unsigned running, limit;
	struct dh_client *first, *last;
	uv_timer_t retry; /* after a failed allocation */
};

/* limit: how many of this loop may be in the pool at a time; the rest waits here, under its own deadline. 0 or error.
 */
int dh_queue_start(struct dh_queue *queue, uv_loop_t *loop, unsigned limit);
void dh_queue_stop(struct dh_queue *queue); /* nobody waits any more; closes its handle */

void dh_queue_add(struct dh_queue *queue, struct dh_client *client);

/* Forget the client: out of the queue, or its result wiped unseen when it comes. */
void dh_queue_remove(struct dh_queue *queue, struct dh_client *client);

#endif
