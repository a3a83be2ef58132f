/* job_queue.h: runs handshakes' jobs on libuv's thread pool, a few of one loop at a time, in order. */
#ifndef NET_JOB_QUEUE_H
#define NET_JOB_QUEUE_H

#include <stdbool.h>
#include <uv.h>

#include "protocol/job.h"

struct job_request;

/*
 * Starts the pool, of so many threads: once, before any other use of it, so that a system which refuses them does so
 * at the start and not at the first connection, where libuv would abort. 0, or a libuv error. Run the loop afterwards.
 */
int job_pool_start(uv_loop_t *loop, unsigned threads);

/* One that waits for a result: part of its owner's memory. */
struct job_client {
	struct job_client *next;
	struct job_queue *queue;     /* since job_queue_add */
	struct job_request *request; /* under way */
	bool queued;
	void (*take)(struct job_client *client, struct job *job);       /* its turn has come: fill in the job */
	void (*done)(struct job_client *client, const struct job *job); /* the result, wiped after this call */
};

struct job_queue {
	uv_loop_t *loop;
	unsigned running, limit;
	struct job_client *first, *last;
	uv_timer_t retry; /* after a failed allocation */
};

/*
 * limit: how many of this loop may be in the pool at a time; the rest waits here, under its own deadline. Of JOB_MATCH,
 * which strangers cause, one runs at a time whatever the number of loops: they get one core at most. 0 or error.
 */
int job_queue_start(struct job_queue *queue, uv_loop_t *loop, unsigned limit);
void job_queue_stop(struct job_queue *queue); /* nobody waits any more; closes its handle */

void job_queue_add(struct job_queue *queue, struct job_client *client);

/* Forget the client, if it is known: out of its queue, or its result wiped unseen when it comes. */
void job_queue_remove(struct job_client *client);

#endif
