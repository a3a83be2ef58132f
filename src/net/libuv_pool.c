/* libuv_pool.c: see libuv_pool.h. */
#include "net/libuv_pool.h"

#include <stdio.h>
#include <stdlib.h>

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
libuv_pool_start(uv_loop_t *loop, unsigned threads)
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
