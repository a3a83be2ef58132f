/* test_match.c: which key a client has is a server's first job (S3, S4): when it is due, and what is no answer to it.
 */
#include "duplex.h"

static const uint8_t y[WIRE_Y] = {[WIRE_Y - 1] = 4};

/* A server that waits for the match of a client with the right key. */
static void
await_match(struct duplex *duplex, enum forward_secrecy forward_secrecy)
{
	uint8_t message[WIRE_Y_AND_MAC];

	await_peer_y(duplex, SESSION_SERVER, forward_secrecy);
	forge_y(duplex, SESSION_CLIENT, y, message);
	assert_int_equal(feed_all(&duplex->server, message, sizeof message), OK);
}

static void
a_match_that_nobody_ran_proves_nothing(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	await_match(duplex, FORWARD_SECRECY);
	session_job(&duplex->server, &job);
	assert_int_equal(job.kind, JOB_MATCH);
	assert_null(job.match.key);
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_CRYPTO);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_CRYPTO);
}

static void
a_match_that_failed_ends_the_session_by_its_error(void **state)
{
	const enum error errors[] = {ERROR_CRYPTO, ERROR_WRONG_KEY};
	struct duplex *duplex = *state;
	struct job job;

	for (size_t i = 0; i < 2; i++) {
		await_match(duplex, FORWARD_SECRECY);
		session_job(&duplex->server, &job);
		job_run(&job);
		job.error = errors[i];
		assert_int_equal(session_job_done(&duplex->server, &job), errors[i]);
		assert_null(session_key(&duplex->server));
		assert_broken(&duplex->server, errors[i]);
	}
}

static void
a_job_of_the_wrong_kind_ends_the_session(void **state)
{
	struct duplex *duplex = *state;
	struct job job, match;

	await_match(duplex, FORWARD_SECRECY);
	session_job(&duplex->server, &match);
	job_run(&match);
	job = (struct job){.kind = JOB_POWERS};
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_CRYPTO);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_CRYPTO);
	/* nor is a match, right as it is, taken where powers are due, at either end */
	await_match(duplex, FORWARD_SECRECY);
	assert_int_equal(run_job(&duplex->server, &match), OK);
	session_job(&duplex->server, &job);
	assert_int_equal(session_job_done(&duplex->server, &match), ERROR_CRYPTO);
	assert_broken(&duplex->server, ERROR_CRYPTO);
	session_job(&duplex->client, &job);
	assert_int_equal(session_job_done(&duplex->client, &match), ERROR_CRYPTO);
	assert_broken(&duplex->client, ERROR_CRYPTO);
}

static void
a_match_that_nobody_asked_for_ends_the_session(void **state)
{
	struct duplex *duplex = *state;
	struct job match, copy;

	await_match(duplex, FORWARD_SECRECY);
	session_job(&duplex->server, &copy);
	job_run(&copy);
	await_match(duplex, FORWARD_SECRECY);
	assert_int_equal(session_job_done(&duplex->server, &copy), ERROR_CRYPTO);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_CRYPTO);
	await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY);
	assert_int_equal(session_job_done(&duplex->server, &copy), ERROR_CRYPTO);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_CRYPTO);
	/* the second time */
	await_match(duplex, FORWARD_SECRECY);
	assert_int_equal(run_job(&duplex->server, &match), OK);
	assert_int_equal(session_job_done(&duplex->server, &copy), ERROR_CRYPTO);
	assert_broken(&duplex->server, ERROR_CRYPTO);
}

static void
a_server_that_awaits_y_has_no_job(void **state)
{
	struct duplex *duplex = *state;
	uint8_t message[WIRE_Y_AND_MAC];
	struct job job;

	await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY);
	forge_y(duplex, SESSION_CLIENT, y, message);
	for (size_t i = 0; i < sizeof message; i++) {
		assert_int_equal(session_wants(&duplex->server), SESSION_READ);
		session_job(&duplex->server, &job);
		assert_int_equal(job.kind, JOB_POWERS);
		assert_false(job.wants_y || job.wants_shared);
		assert_int_equal(session_feed(&duplex->server, message + i, 1), OK);
	}
	assert_int_equal(session_wants(&duplex->server), SESSION_JOB);
	assert_int_equal(run_job(&duplex->server, &job), OK);
}

static void
a_server_asks_for_a_match_and_nothing_else_before_it_knows_the_key(void **state)
{
	struct duplex *duplex = *state;
	const uint8_t *bytes;
	struct job job, another;

	for (int mode = 0; mode <= FORWARD_SECRECY_REQUIRED; mode++) {
		await_match(duplex, (enum forward_secrecy)mode);
		assert_int_equal(session_wants(&duplex->server), SESSION_JOB);
		assert_int_equal(session_out(&duplex->server, &bytes), 0);
		session_job(&duplex->server, &job);
		assert_int_equal(job.kind, JOB_MATCH);
		assert_ptr_equal(job.match.keyring, &duplex->server_ring);
		assert_false(holds(&job, sizeof job, duplex->server_random + WIRE_NONCE, WIRE_X));
		/* once */
		assert_int_equal(session_wants(&duplex->server), 0);
		session_job(&duplex->server, &another);
		assert_int_equal(another.kind, JOB_POWERS);
		assert_false(another.wants_y || another.wants_shared);
		assert_false(holds(&another, sizeof another, duplex->server_random + WIRE_NONCE, WIRE_X));
		assert_null(session_key(&duplex->server));
		job_run(&job);
		assert_null(session_key(&duplex->server));
		assert_int_equal(session_job_done(&duplex->server, &job), OK);
		assert_ptr_equal(session_key(&duplex->server), &duplex->keys[DUPLEX_KEY]);
	}
}

static void
a_match_done_after_the_end_changes_nothing(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	await_match(duplex, FORWARD_SECRECY);
	session_job(&duplex->server, &job);
	session_end(&duplex->server);
	job_run(&job);
	assert_int_equal(job.error, OK);
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_KILLED);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_KILLED);
}

#define DUPLEX_TEST(name) cmocka_unit_test_setup_teardown(name, duplex_setup, duplex_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DUPLEX_TEST(a_match_that_nobody_ran_proves_nothing),
	    DUPLEX_TEST(a_match_that_failed_ends_the_session_by_its_error),
	    DUPLEX_TEST(a_job_of_the_wrong_kind_ends_the_session),
	    DUPLEX_TEST(a_match_that_nobody_asked_for_ends_the_session),
	    DUPLEX_TEST(a_server_that_awaits_y_has_no_job),
	    DUPLEX_TEST(a_server_asks_for_a_match_and_nothing_else_before_it_knows_the_key),
	    DUPLEX_TEST(a_match_done_after_the_end_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
