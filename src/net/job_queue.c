/* job_queue.c: see job_queue.h. */
#include "net/job_queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/bytes.h"

enum { NICE_BELOW_LOOPS = 5, RETRY_MS = 100 };

struct job_request {
	uv_work_t work;
	struct job_queue *queue;
	struct job_client *client; /* NULL: it has gone */
	struct job job;
};

/* Who has the one core that strangers get. A thread that waits for it is one of those that the pool has for that. */
static pthread_mutex_t strangers = PTHREAD_MUTEX_INITIALIZER;

static void pump(struct job_queue *queue);

static void
wait_for_the_rest(void *semaphore)
{
	uv_sem_wait(semaphore);
}

/* Whether so many threads can be had at the same time. */
static int
try_threads(unsigned count)
{
	uv_thread_t *threads = calloc(count, sizeof(*threads));
	uv_sem_t all_there;
	unsigned started = 0;
	int status = threads == NULL ? UV_ENOMEM : uv_sem_init(&all_there, 0);

	if (status != 0) {
		free(threads);
		return status;
	}
	while (started < count && status == 0) {
		status = uv_thread_create(&threads[started], wait_for_the_rest, &all_there);
		started += status == 0;
	}
	for (unsigned i = 0; i < started; i++)
		uv_sem_post(&all_there);
	for (unsigned i = 0; i < started; i++)
		uv_thread_join(&threads[i]);
	uv_sem_destroy(&all_there);
	free(threads);
	return status;
}

static void
do_nothing(uv_work_t *work)
{
	(void)work;
}

int
job_pool_start(uv_loop_t *loop, unsigned threads)
{
	static uv_work_t first; /* there is one pool */
	char text[16];
	int status = try_threads(threads);

	if (status != 0)
		return status;
	snprintf(text, sizeof(text), "%u", threads);
	setenv("UV_THREADPOOL_SIZE", text, 1); /* read by libuv when the first job is queued */
	return uv_queue_work(loop, &first, do_nothing, NULL);
}

/* What libcrypto has left on it of a key: a thread that has nothing to do would keep it. */
static __attribute__((noinline)) void
wipe_stack(void)
{
	uint8_t below[16384];

	bytes_wipe(below, sizeof below);
}

/* On a pool thread. Its priority is lowered once, so that a storm of handshakes does not stall open streams. */
static void
run(uv_work_t *work)
{
	static _Thread_local bool is_lowered;
	struct job_request *request = work->data;

	if (!is_lowered) {
		setpriority(
		    PRIO_PROCESS, 0, NICE_BELOW_LOOPS); /* of the thread, on Linux; a failure costs nothing but that */
		is_lowered = true;
	}
	if (request->job.kind == JOB_MATCH)
		(void)pthread_mutex_lock(&strangers);
	job_run(&request->job);
	if (request->job.kind == JOB_MATCH)
		(void)pthread_mutex_unlock(&strangers);
	wipe_stack();
}

static void
after(uv_work_t *work, int status)
{
	struct job_request *request = work->data;
	struct job_queue *queue = request->queue;
	struct job_client *client = request->client;
	struct keyring *keyring = request->job.kind == JOB_MATCH ? request->job.match.keyring : NULL;

	(void)status; /* never cancelled */
	queue->running--;
	if (client != NULL) {
		client->request = NULL;
		client->done(client, &request->job);
	}
	if (keyring != NULL)
		counted_drop(&keyring->counted);
	job_wipe(&request->job);
	free(request);
	pump(queue);
}

static void
on_retry(uv_timer_t *timer)
{
	pump(timer->data);
}

static void
pump(struct job_queue *queue)
{
	while (queue->first != NULL && queue->running < queue->limit) {
		struct job_client *client = queue->first;
		struct job_request *request = malloc(sizeof(*request));

		if (request == NULL) {
			uv_timer_start(&queue->retry, on_retry, RETRY_MS, 0);
			return;
		}
		queue->first = client->next;
		if (queue->first == NULL)
			queue->last = NULL;
		client->queued = false;
		client->request = request;
		request->queue = queue;
		request->client = client;
		request->work.data = request;
		client->take(client, &request->job);
		if (request->job.kind == JOB_MATCH) /* the connection may go meanwhile, and what it holds */
			counted_take(&request->job.match.keyring->counted);
		queue->running++;
		uv_queue_work(queue->loop, &request->work, run, after); /* fails only without a function to run */
	}
}

int
job_queue_start(struct job_queue *queue, uv_loop_t *loop, unsigned limit)
{
	*queue = (struct job_queue){.loop = loop, .limit = limit};
	queue->retry.data = queue;
	return uv_timer_init(loop, &queue->retry);
}

void
job_queue_stop(struct job_queue *queue)
{
	uv_close((uv_handle_t *)&queue->retry, NULL);
}

void
job_queue_add(struct job_queue *queue, struct job_client *client)
{
	client->next = NULL;
	client->queue = queue;
	client->queued = true;
	if (queue->last != NULL)
		queue->last->next = client;
	else
		queue->first = client;
	queue->last = client;
	pump(queue);
}

void
job_queue_remove(struct job_client *client)
{
	struct job_client **link, *before = NULL;

	if (client->request != NULL)
		client->request->client = NULL;
	client->request = NULL;
	if (!client->queued)
		return;
	link = &client->queue->first;
	while (*link != client) {
		before = *link;
		link = &before->next;
	}
	*link = client->next;
	if (client->queue->last == client)
		client->queue->last = before;
	client->queued = false;
}
