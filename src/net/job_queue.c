/* job_queue.c: see job_queue.h. */
#include "net/job_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/bytes.h"

enum { NICE_BELOW_LOOPS = 5, KINDS = 2 };

struct line_of_requests {
	struct job_request *first, **last;
};

/* There is one pool, as there is one machine. */
static struct {
	pthread_mutex_t mutex; /* of all of it, and of who stands in line */
	pthread_cond_t more;
	struct line_of_requests lines[KINDS]; /* by enum job_kind */
	bool has_stranger;                    /* a thread looks at one */
	bool is_stopping;
	unsigned idle, count;
	uv_thread_t *threads;
} pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .more = PTHREAD_COND_INITIALIZER};

static void
join_line(struct job_request *request)
{
	struct line_of_requests *line = &pool.lines[request->job.kind];

	request->is_waiting = true;
	request->next = NULL;
	request->link = line->last;
	*line->last = request;
	line->last = &request->next;
}

static void
leave_line(struct job_request *request)
{
	request->is_waiting = false;
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	else
		pool.lines[request->job.kind].last = request->link;
}

/* Powers first: of those that are waited for each was a stranger once, so strangers get their turn. */
static struct job_request *
next_request(void)
{
	struct job_request *request = pool.lines[JOB_POWERS].first;

	if (request == NULL && !pool.has_stranger) {
		request = pool.lines[JOB_MATCH].first;
		pool.has_stranger = request != NULL;
	}
	if (request != NULL)
		leave_line(request);
	return request;
}

/* What libcrypto has left on it of a key: a thread that has nothing to do would keep it. */
static __attribute__((noinline)) void
wipe_stack(void)
{
	uint8_t below[16384];

	bytes_wipe(below, sizeof below);
}

/* Below the priority of the loops, so that a storm of handshakes does not stall open streams. */
static void
run(void *unused)
{
	(void)unused;
	setpriority(PRIO_PROCESS, 0, NICE_BELOW_LOOPS); /* of the thread, on Linux; a failure costs nothing but that */
	(void)pthread_mutex_lock(&pool.mutex);
	for (;;) {
		struct job_request *request = next_request();
		bool is_strangers;

		if (request == NULL && pool.is_stopping)
			break;
		if (request == NULL) {
			pool.idle++;
			(void)pthread_cond_wait(&pool.more, &pool.mutex);
			pool.idle--;
			continue;
		}
		(void)pthread_mutex_unlock(&pool.mutex);
		is_strangers = request->job.kind == JOB_MATCH;
		job_run(&request->job);
		wipe_stack();
		mailbox_post(request->mailbox, &request->mail, MAIL_JOB); /* and it is not ours any more */
		(void)pthread_mutex_lock(&pool.mutex);
		if (is_strangers)
			pool.has_stranger = false; /* and the next one is taken right here */
	}
	(void)pthread_mutex_unlock(&pool.mutex);
}

void
job_pool_stop(void)
{
	(void)pthread_mutex_lock(&pool.mutex);
	pool.is_stopping = true;
	(void)pthread_cond_broadcast(&pool.more);
	(void)pthread_mutex_unlock(&pool.mutex);
	while (pool.count > 0)
		uv_thread_join(&pool.threads[--pool.count]);
	free(pool.threads);
	pool.threads = NULL;
}

int
job_pool_start(unsigned threads)
{
	int status = 0;

	pool.is_stopping = false;
	for (int kind = 0; kind < KINDS; kind++)
		pool.lines[kind].last = &pool.lines[kind].first;
	pool.threads = calloc(threads, sizeof(*pool.threads));
	if (pool.threads == NULL)
		return UV_ENOMEM;
	while (pool.count < threads && status == 0) {
		status = uv_thread_create(&pool.threads[pool.count], run, NULL);
		pool.count += status == 0;
	}
	if (status != 0)
		job_pool_stop();
	return status;
}

struct job_request *
job_new(struct mailbox *mailbox, void (*done)(void *context, const struct job *job), void *context)
{
	struct job_request *request = malloc(sizeof(*request));

	if (request != NULL)
		*request = (struct job_request){.mailbox = mailbox, .done = done, .context = context};
	return request;
}

void
job_start(struct job_request *request)
{
	bool has_idle;

	request->mail.about = request;
	if (request->job.kind == JOB_MATCH) /* the connection may go meanwhile, and what it holds */
		counted_take(&request->job.match.keyring->counted);
	(void)pthread_mutex_lock(&pool.mutex);
	join_line(request);
	has_idle = pool.idle > 0 && (request->job.kind == JOB_POWERS || !pool.has_stranger);
	(void)pthread_mutex_unlock(&pool.mutex);
	if (has_idle)
		(void)pthread_cond_signal(&pool.more);
}

static void
end(struct job_request *request)
{
	if (request->job.kind == JOB_MATCH)
		counted_drop(&request->job.match.keyring->counted);
	job_wipe(&request->job);
	free(request);
}

void
job_forget(struct job_request *request)
{
	bool was_waiting;

	(void)pthread_mutex_lock(&pool.mutex);
	was_waiting = request->is_waiting;
	if (was_waiting)
		leave_line(request);
	(void)pthread_mutex_unlock(&pool.mutex);
	if (was_waiting)
		end(request);
	else
		request->done = NULL;
}

void
job_came_back(struct job_request *request)
{
	if (request->done != NULL)
		request->done(request->context, &request->job);
	end(request);
}
