/* test_job_queue.c: strangers get one core between them, powers get theirs beside that, and what a job needs is held.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "net/job_queue.h"
#include "test.h"

enum { LOOPS = 3, CLIENTS = 20, THREADS = 4 };

static struct keyring ring = {.counted = {.holders = 1}};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	unsigned running, most, run;
} of_kind[2]; /* by enum job_kind */

void __wrap_job_run(struct job *job);

void
__wrap_job_run(struct job *job)
{
	enum job_kind kind = job->kind;

	pthread_mutex_lock(&lock);
	of_kind[kind].run++;
	if (++of_kind[kind].running > of_kind[kind].most)
		of_kind[kind].most = of_kind[kind].running;
	pthread_mutex_unlock(&lock);
	usleep(1000); /* long enough for another to come, if it may */
	pthread_mutex_lock(&lock);
	of_kind[kind].running--;
	pthread_mutex_unlock(&lock);
	job->error = OK;
}

struct asker {
	struct job_client client; /* first */
	enum job_kind kind;
	unsigned done;
};

struct place {
	uv_loop_t loop;
	struct job_queue matches, powers;
	struct asker askers[2 * CLIENTS];
	unsigned left;
};

static void
take(struct job_client *client, struct job *job)
{
	const struct asker *asker = (const struct asker *)client;

	memset(job, 0, sizeof *job);
	job->kind = asker->kind;
	if (job->kind == JOB_MATCH)
		job->match.keyring = &ring;
}

static void
done(struct job_client *client, const struct job *job)
{
	struct asker *asker = (struct asker *)client;
	struct place *place = client->queue->loop->data;

	assert_int_equal(job->error, OK);
	asker->done++;
	if (--place->left == 0) {
		job_queue_stop(&place->matches);
		job_queue_stop(&place->powers);
	}
}

static void
place_start(struct place *place)
{
	assert_int_equal(uv_loop_init(&place->loop), 0);
	place->loop.data = place;
	assert_int_equal(job_queue_start(&place->matches, &place->loop, 1), 0);
	assert_int_equal(job_queue_start(&place->powers, &place->loop, THREADS), 0);
}

static void
ask(struct place *place, struct asker *asker, enum job_kind kind)
{
	asker->kind = kind;
	asker->client.take = take;
	asker->client.done = done;
	place->left++;
	job_queue_add(kind == JOB_MATCH ? &place->matches : &place->powers, &asker->client);
}

static void *
run_place(void *argument)
{
	struct place *place = argument;

	place_start(place);
	for (unsigned i = 0; i < CLIENTS; i++) {
		ask(place, &place->askers[2 * i], JOB_MATCH);
		ask(place, &place->askers[2 * i + 1], JOB_POWERS);
	}
	uv_run(&place->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&place->loop), 0);
	return NULL;
}

static int
start_pool(void **state)
{
	uv_loop_t *loop = uv_default_loop();

	(void)state;
	memset(of_kind, 0, sizeof of_kind);
	if (job_pool_start(loop, THREADS + LOOPS) != 0)
		return -1;
	return uv_run(loop, UV_RUN_DEFAULT);
}

static void
of_strangers_one_is_looked_at_at_a_time_however_many_loops_there_are(void **state)
{
	static struct place places[LOOPS];
	pthread_t threads[LOOPS];

	(void)state;
	for (int i = 0; i < LOOPS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run_place, &places[i]), 0);
	for (int i = 0; i < LOOPS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(of_kind[JOB_MATCH].run, LOOPS * CLIENTS);
	assert_int_equal(of_kind[JOB_POWERS].run, LOOPS * CLIENTS);
	assert_int_equal(of_kind[JOB_MATCH].most, 1);
	assert_true(of_kind[JOB_POWERS].most > 1); /* nobody who has a key waits for strangers */
	for (int i = 0; i < LOOPS; i++)
		for (int j = 0; j < 2 * CLIENTS; j++)
			assert_int_equal(places[i].askers[j].done, 1);
	assert_int_equal(ring.counted.holders, 1);
}

static void
a_job_holds_its_keyring_when_whoever_asked_has_gone(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	for (int i = 0; i < 3; i++)
		ask(&place, &place.askers[i], JOB_MATCH);
	assert_int_equal(ring.counted.holders, 2); /* the first is at work, the others wait */
	for (int i = 2; i >= 0; i--)
		job_queue_remove(&place.askers[i].client);
	assert_int_equal(ring.counted.holders, 2);
	while (ring.counted.holders > 1)
		uv_run(&place.loop, UV_RUN_ONCE);
	job_queue_stop(&place.matches);
	job_queue_stop(&place.powers);
	uv_run(&place.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&place.loop), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(place.askers[i].done, 0);
}

static void
whoever_leaves_the_line_takes_nobody_along(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	for (int i = 0; i < 4; i++)
		ask(&place, &place.askers[i], JOB_MATCH); /* the first is at work */
	job_queue_remove(&place.askers[3].client);
	job_queue_remove(&place.askers[1].client);
	place.left -= 2;
	ask(&place, &place.askers[4], JOB_MATCH);
	uv_run(&place.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&place.loop), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(place.askers[i].done, i != 1 && i != 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_strangers_one_is_looked_at_at_a_time_however_many_loops_there_are),
	    cmocka_unit_test(a_job_holds_its_keyring_when_whoever_asked_has_gone),
	    cmocka_unit_test(whoever_leaves_the_line_takes_nobody_along),
	};

	return cmocka_run_group_tests(tests, start_pool, NULL);
}
