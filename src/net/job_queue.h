/* job_queue.h: runs handshakes' jobs on threads of its own, in order. */
#ifndef NET_JOB_QUEUE_H
#define NET_JOB_QUEUE_H

#include <stdbool.h>

#include "net/mailbox.h"
#include "protocol/job.h"

/*
 * One job for one that waits for it. Made and ended on the thread of the mailbox's loop; while it is out the job is not
 * to be touched.
 */
struct job_request {
	struct mail mail;
	struct mailbox *mailbox;                            /* where the result goes, as MAIL_JOB */
	struct job_request *next, **link;                   /* in line */
	bool is_waiting;                                    /* it stands there */
	void (*done)(void *context, const struct job *job); /* NULL: nobody wants to know any more */
	void *context;
	struct job job;
};

/*
 * Starts so many threads, once; job_pool_stop waits until they have done what was asked for, and ends them. Of
 * JOB_MATCH, which strangers cause, one runs at a time: they get one core at most. And it goes after the others, of
 * which each had one. 0, or a libuv error with everything undone.
 */
int job_pool_start(unsigned threads);
void job_pool_stop(void);

/* NULL: no memory. Fill in its job, then job_start. */
struct job_request *job_new(struct mailbox *mailbox, void (*done)(void *context, const struct job *job), void *context);
void job_start(struct job_request *request);

/* Nobody waits for it any more: taken out of the line, or its result wiped unseen when it comes. */
void job_forget(struct job_request *request);

/* MAIL_JOB came: hands the result over, and wipes it. */
void job_came_back(struct job_request *request);

#endif
