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
	struct place *place;
	struct job_request *request;
	unsigned done;
};

struct place {
	uv_loop_t loop;
	struct poller poller;
	struct mailbox mailbox;
	struct asker askers[2 * CLIENTS];
	unsigned left;
};

static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	(void)mailbox;
	assert_int_equal(kind, MAIL_JOB);
	job_came_back(about);
}

static void
done(void *context, const struct job *job)
{
	struct asker *asker = context;

	assert_int_equal(job->error, OK);
	asker->done++;
	if (--asker->place->left == 0)
		mailbox_stop(&asker->place->mailbox);
}

static void
place_start(struct place *place)
{
	assert_int_equal(uv_loop_init(&place->loop), 0);
	assert_int_equal(poller_start(&place->poller, &place->loop), 0);
	assert_int_equal(mailbox_start(&place->mailbox, &place->loop, receive, NULL), 0);
}

static void
place_end(struct place *place)
{
	while (poller_turn(&place->poller))
		;
	poller_stop(&place->poller);
	mailbox_free(&place->mailbox);
	assert_int_equal(uv_loop_close(&place->loop), 0);
}

static void
ask(struct place *place, struct asker *asker, enum job_kind kind)
{
	asker->place = place;
	asker->request = job_new(&place->mailbox, done, asker);
	assert_non_null(asker->request);
	asker->request->job.kind = kind;
	if (kind == JOB_MATCH)
		asker->request->job.match.keyring = &ring;
	place->left++;
	job_start(asker->request);
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
	place_end(place);
	return NULL;
}

static int
start_pool(void **state)
{
	(void)state;
	memset(of_kind, 0, sizeof of_kind);
	return job_pool_start(THREADS);
}

static int
stop_pool(void **state)
{
	(void)state;
	job_pool_stop();
	return 0;
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

/* Keeps the one thread that looks at strangers busy, so that who comes after it stands in line. */
static void
ask_first(struct place *place)
{
	unsigned before = of_kind[JOB_MATCH].run, run = before;

	ask(place, &place->askers[0], JOB_MATCH);
	while (run == before) {
		pthread_mutex_lock(&lock);
		run = of_kind[JOB_MATCH].run;
		pthread_mutex_unlock(&lock);
	}
}

static void
a_job_holds_its_keyring_when_whoever_asked_has_gone(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	ask_first(&place);
	for (int i = 1; i < 3; i++)
		ask(&place, &place.askers[i], JOB_MATCH);
	assert_int_equal(ring.counted.holders, 4);
	for (int i = 2; i >= 0; i--)
		job_forget(place.askers[i].request);
	assert_int_equal(ring.counted.holders, 2); /* the first is at work, the others have left the line */
	while (ring.counted.holders > 1)
		poller_turn(&place.poller);
	mailbox_stop(&place.mailbox);
	place_end(&place);
	for (int i = 0; i < 3; i++)
		assert_int_equal(place.askers[i].done, 0);
}

static void
whoever_leaves_the_line_takes_nobody_along(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	ask_first(&place);
	for (int i = 1; i < 4; i++)
		ask(&place, &place.askers[i], JOB_MATCH);
	job_forget(place.askers[3].request);
	job_forget(place.askers[1].request);
	place.left -= 2;
	ask(&place, &place.askers[4], JOB_MATCH);
	place_end(&place);
	for (int i = 0; i < 5; i++)
		assert_int_equal(place.askers[i].done, i != 1 && i != 3);
}

static void
what_is_asked_for_is_done_before_the_pool_ends(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	for (unsigned i = 0; i < CLIENTS; i++)
		ask(&place, &place.askers[i], i % 2 == 0 ? JOB_MATCH : JOB_POWERS);
	job_pool_stop();
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(place.askers[i].done, 0);
	place_end(&place); /* its results lay in the box */
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(place.askers[i].done, 1);
	assert_int_equal(job_pool_start(THREADS), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_strangers_one_is_looked_at_at_a_time_however_many_loops_there_are),
	    cmocka_unit_test(a_job_holds_its_keyring_when_whoever_asked_has_gone),
	    cmocka_unit_test(whoever_leaves_the_line_takes_nobody_along),
	    cmocka_unit_test(what_is_asked_for_is_done_before_the_pool_ends),
	};

	return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
