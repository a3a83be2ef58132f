/* test_session.c: honest ends: the handshake however its bytes come, what it wants when, and what it leaves behind. */
#include "duplex.h"

static const uint8_t one[WIRE_Y] = {[WIRE_Y - 1] = 1};

/* The pairs that honest ends can be: all but -g with -f. */
static const enum forward_secrecy pairs[][2] = {
    {FORWARD_SECRECY, FORWARD_SECRECY},
    {FORWARD_SECRECY, FORWARD_SECRECY_OFF},
    {FORWARD_SECRECY, FORWARD_SECRECY_REQUIRED},
    {FORWARD_SECRECY_OFF, FORWARD_SECRECY},
    {FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF},
    {FORWARD_SECRECY_REQUIRED, FORWARD_SECRECY},
    {FORWARD_SECRECY_REQUIRED, FORWARD_SECRECY_REQUIRED},
};

enum { PAIRS = sizeof pairs / sizeof pairs[0], MESSAGE = 3 * WIRE_PLAIN_MAX + 1 };

static void
assert_data_crosses(struct duplex *duplex)
{
	uint8_t message[MESSAGE];

	fill(message, sizeof message, 7);
	assert_crosses(&duplex->client, &duplex->server, message, sizeof message);
	assert_crosses(&duplex->server, &duplex->client, message, 1);
	assert_crosses(&duplex->server, &duplex->client, message, sizeof message);
	assert_crosses(&duplex->client, &duplex->server, message, WIRE_PLAIN_MAX);
}

static void
assert_passes(struct duplex *duplex, const struct cutting *cutting)
{
	for (size_t i = 0; i < PAIRS; i++) {
		duplex_start(duplex, pairs[i][0], pairs[i][1]);
		duplex_shake_hands(duplex, cutting);
		assert_data_crosses(duplex);
		session_end(&duplex->client);
		session_end(&duplex->server);
	}
}

static void
the_handshake_passes_with_all_bytes_at_once(void **state)
{
	assert_passes(*state, &(struct cutting){.jobs_late = false});
	assert_passes(*state, &(struct cutting){.jobs_late = true});
}

static void
the_handshake_passes_with_one_byte_at_a_time(void **state)
{
	assert_passes(*state, &(struct cutting){.single = true});
	assert_passes(*state, &(struct cutting){.single = true, .jobs_late = true});
}

static void
the_handshake_passes_cut_at_each_offset_of_either_end(void **state)
{
	for (size_t at = 1; at < WIRE_NONCE + WIRE_Y_AND_MAC; at++) {
		assert_passes(*state, &(struct cutting){.client_at = at});
		assert_passes(*state, &(struct cutting){.server_at = at, .jobs_late = true});
		assert_passes(*state, &(struct cutting){.client_at = at, .server_at = at});
	}
}

static void
data_crosses_both_ways_in_messages_of_every_kind(void **state)
{
	struct duplex *duplex = *state;
	uint8_t *plain = malloc(PACKET_BATCH_PLAIN);

	assert_non_null(plain);
	fill(plain, PACKET_BATCH_PLAIN, 8);
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	for (size_t length = 1; length <= PACKET_BATCH_PLAIN; length = length * 3 / 2 + 1) {
		assert_crosses(&duplex->client, &duplex->server, plain, length);
		assert_crosses(&duplex->server, &duplex->client, plain, length);
	}
	assert_crosses(&duplex->client, &duplex->server, plain, PACKET_BATCH_PLAIN);
	free(plain);
}

static void
each_end_sends_its_nonce_at_once(void **state)
{
	struct duplex *duplex = *state;
	const uint8_t *bytes;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_wants(&duplex->client), SESSION_READ | SESSION_WRITE | SESSION_JOB);
	assert_int_equal(session_wants(&duplex->server), SESSION_READ | SESSION_WRITE);
	assert_int_equal(session_out(&duplex->client, &bytes), WIRE_NONCE);
	assert_memory_equal(bytes, duplex->client_random, WIRE_NONCE);
	assert_int_equal(session_out(&duplex->server, &bytes), WIRE_NONCE);
	assert_memory_equal(bytes, duplex->server_random, WIRE_NONCE);
}

static void
a_client_reads_nothing_between_the_nonce_and_its_own_y(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_wants_bytes(&duplex->client), WIRE_NONCE);
	assert_int_equal(feed_all(&duplex->client, duplex->server_random, WIRE_NONCE), OK);
	assert_int_equal(session_wants_bytes(&duplex->client), 0);
	assert_int_equal(session_wants(&duplex->client), SESSION_WRITE | SESSION_JOB);
	assert_int_equal(run_job(&duplex->client, &job), OK);
	assert_int_equal(session_wants_bytes(&duplex->client), WIRE_Y_AND_MAC);
}

static void
a_clients_y_may_be_there_before_the_nonce(void **state)
{
	struct duplex *duplex = *state;
	struct job job;
	const uint8_t *bytes;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(run_job(&duplex->client, &job), OK);
	assert_int_equal(session_out(&duplex->client, &bytes), WIRE_NONCE);
	assert_int_equal(session_wants_bytes(&duplex->client), WIRE_NONCE);
	assert_int_equal(feed_all(&duplex->client, duplex->server_random, WIRE_NONCE), OK);
	assert_int_equal(session_out(&duplex->client, &bytes), WIRE_NONCE + WIRE_Y_AND_MAC);
	assert_memory_equal(bytes + WIRE_NONCE, job.y, WIRE_Y);
}

/* Brings a server to where it has the client's y and waits for the match. */
static void
bring_to_match(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server)
{
	uint8_t bytes[WIRE_NONCE + WIRE_Y_AND_MAC];

	duplex_start(duplex, client, server);
	assert_int_equal(take_out(&duplex->server, bytes, sizeof bytes), WIRE_NONCE);
	assert_int_equal(feed_all(&duplex->client, bytes, WIRE_NONCE), OK);
	assert_int_equal(run_job(&duplex->client, &duplex->client_y_job), OK);
	assert_int_equal(take_out(&duplex->client, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal(feed_all(&duplex->server, bytes, sizeof bytes), OK);
}

/* Brings a server to where it has checked the client's y and waits for its powers. */
static void
bring_to_s4(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server)
{
	bring_to_match(duplex, client, server);
	assert_int_equal(run_job(&duplex->server, &duplex->match_job), OK);
}

static void
a_server_waits_before_s5_for_as_long_as_its_caller_likes_with_and_without_forward_secrecy(void **state)
{
	struct duplex *duplex = *state;
	const uint8_t *bytes;

	for (size_t i = 0; i < PAIRS; i++) {
		bring_to_s4(duplex, pairs[i][0], pairs[i][1]);
		assert_int_equal(session_wants(&duplex->server), SESSION_JOB);
		assert_int_equal(session_out(&duplex->server, &bytes), 0);
		assert_int_equal(run_job(&duplex->server, &duplex->server_job), OK);
		assert_int_equal(session_wants(&duplex->server), SESSION_READY | SESSION_WRITE);
		assert_int_equal(session_out(&duplex->server, &bytes), WIRE_Y_AND_MAC);
	}
}

static void
only_the_powers_that_are_needed_are_asked_for(void **state)
{
	struct duplex *duplex = *state;

	for (size_t i = 0; i < PAIRS; i++) {
		bool client = pairs[i][0] != FORWARD_SECRECY_OFF, server = pairs[i][1] != FORWARD_SECRECY_OFF;

		duplex_open(duplex, pairs[i][0], pairs[i][1]);
		assert_true(duplex->client_y_job.wants_y == client);
		assert_false(duplex->client_y_job.wants_shared);
		assert_false(duplex->client_job.wants_y);
		assert_true(duplex->client_job.wants_shared == (client && server));
		assert_true(duplex->server_job.wants_y == server);
		assert_true(duplex->server_job.wants_shared == (client && server));
		assert_true(client == (memcmp(duplex->client_y_job.y, one, WIRE_Y) != 0));
		assert_true(server == (memcmp(duplex->server_job.y, one, WIRE_Y) != 0));
	}
}

static void
both_ends_have_the_same_y_sc_and_it_is_1_without_forward_secrecy(void **state)
{
	struct duplex *duplex = *state;

	for (size_t i = 0; i < PAIRS; i++) {
		bool secret = pairs[i][0] != FORWARD_SECRECY_OFF && pairs[i][1] != FORWARD_SECRECY_OFF;

		duplex_open(duplex, pairs[i][0], pairs[i][1]);
		assert_memory_equal(duplex->client_job.shared, duplex->server_job.shared, WIRE_Y);
		assert_true(secret == (memcmp(duplex->client_job.shared, one, WIRE_Y) != 0));
	}
}

static void
an_end_without_forward_secrecy_puts_no_random_x_anywhere(void **state)
{
	struct duplex *duplex = *state;

	bring_to_s4(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	assert_false(holds(&duplex->client, sizeof duplex->client, duplex->client_random + WIRE_NONCE, WIRE_X));
	assert_false(holds(&duplex->server, sizeof duplex->server, duplex->server_random + WIRE_NONCE, WIRE_X));
}

static void
a_server_knows_which_key_its_client_has_from_s4_on(void **state)
{
	struct duplex *duplex = *state;

	for (size_t i = 0; i < DUPLEX_KEYS; i++) {
		duplex->client_ring.keys = &duplex->keys[i];
		duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
		assert_null(session_key(&duplex->server));
		assert_ptr_equal(session_key(&duplex->client), &duplex->keys[i]);
		bring_to_match(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
		assert_null(session_key(&duplex->server));
		bring_to_s4(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
		assert_ptr_equal(session_key(&duplex->server), &duplex->keys[i]);
		duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
		assert_data_crosses(duplex);
	}
}

/* Whoever was refused can tell a peer of our kind from anything else by it. */
static void
that_the_peers_nonce_came_is_known_for_good(void **state)
{
	struct duplex *duplex = *state;
	struct session *ends[] = {&duplex->client, &duplex->server};

	for (size_t i = 0; i < 2; i++) {
		for (size_t length = WIRE_NONCE - 1; length <= WIRE_NONCE; length++) {
			duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
			assert_false(session_has_met(ends[i]));
			assert_int_equal(feed_all(ends[i], duplex->client_random, length), OK);
			assert_int_equal(session_has_met(ends[i]), length == WIRE_NONCE);
			session_end(ends[i]);
			assert_int_equal(session_has_met(ends[i]), length == WIRE_NONCE);
		}
	}
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_true(session_has_met(&duplex->client) && session_has_met(&duplex->server));
}

/* All that the handshake knew and nobody may know afterwards. */
struct secrets {
	uint8_t x_c[WIRE_X], x_s[WIRE_X], dk_1[WIRE_DK_1], y_sc[WIRE_Y];
};

static void
collect_secrets(const struct duplex *duplex, struct secrets *secrets)
{
	uint8_t nonces[2 * WIRE_NONCE];

	memcpy(secrets->x_c, duplex->client_random + WIRE_NONCE, WIRE_X);
	memcpy(secrets->x_s, duplex->server_random + WIRE_NONCE, WIRE_X);
	memcpy(nonces, duplex->client_random, WIRE_NONCE);
	memcpy(nonces + WIRE_NONCE, duplex->server_random, WIRE_NONCE);
	assert_int_equal(hash_pbkdf2(duplex->keys[DUPLEX_KEY].k, nonces, sizeof nonces, secrets->dk_1, WIRE_DK_1), OK);
	memcpy(secrets->y_sc, duplex->server_job.shared, WIRE_Y);
}

static bool
holds_a_secret(const struct session *session, const struct secrets *secrets)
{
	return holds(session, sizeof *session, secrets->x_c, WIRE_X) ||
	       holds(session, sizeof *session, secrets->x_s, WIRE_X) ||
	       holds(session, sizeof *session, secrets->dk_1, WIRE_MAC) ||
	       holds(session, sizeof *session, secrets->dk_1 + WIRE_MAC, WIRE_MAC) ||
	       holds(session, sizeof *session, secrets->y_sc, WIRE_MAC);
}

static void
no_secret_of_the_handshake_is_left_once_it_is_done(void **state)
{
	struct duplex *duplex = *state;
	struct secrets secrets;

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	collect_secrets(duplex, &secrets);
	assert_false(holds_a_secret(&duplex->client, &secrets));
	assert_false(holds_a_secret(&duplex->server, &secrets));
	bring_to_s4(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_true(holds_a_secret(&duplex->client, &secrets));
	assert_true(holds_a_secret(&duplex->server, &secrets));
}

static void
ended_in_any_state_a_session_holds_nothing(void **state)
{
	struct duplex *duplex = *state;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_end(&duplex->client);
	assert_broken(&duplex->client, ERROR_KILLED);
	bring_to_match(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_end(&duplex->server);
	assert_broken(&duplex->server, ERROR_KILLED);
	bring_to_s4(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_end(&duplex->client);
	session_end(&duplex->server);
	assert_broken(&duplex->client, ERROR_KILLED);
	assert_broken(&duplex->server, ERROR_KILLED);
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_end(&duplex->client);
	session_end(&duplex->server);
	assert_broken(&duplex->client, ERROR_KILLED);
	assert_broken(&duplex->server, ERROR_KILLED);
}

static void
a_wiped_job_holds_nothing(void **state)
{
	static const uint8_t nothing[sizeof(struct job)];
	struct duplex *duplex = *state;
	struct job job;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(run_job(&duplex->client, &job), OK);
	assert_true(holds(&job, sizeof job, duplex->client_random + WIRE_NONCE, WIRE_X));
	job_wipe(&job);
	assert_memory_equal(&job, nothing, sizeof job);
}

static void
a_wiped_match_holds_nothing(void **state)
{
	static const uint8_t nothing[sizeof(struct job)];
	struct duplex *duplex = *state;
	struct secrets secrets;

	bring_to_s4(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	collect_secrets(duplex, &secrets);
	assert_true(holds(&duplex->match_job, sizeof duplex->match_job, secrets.dk_1, WIRE_DK_1));
	job_wipe(&duplex->match_job);
	assert_memory_equal(&duplex->match_job, nothing, sizeof duplex->match_job);
}

static void
a_job_does_what_it_says_and_nothing_else(void **state)
{
	struct job job = {.x = {[WIRE_X - 1] = 3}, .peer_y = {[WIRE_Y - 1] = 5}, .y = {1}, .shared = {2}};

	job.error = ERROR_CRYPTO;
	job_run(&job);
	assert_int_equal(job.error, OK);
	assert_int_equal(job.y[0], 1);
	assert_int_equal(job.shared[0], 2);
	job.wants_y = true;
	job_run(&job);
	assert_int_equal(job.y[WIRE_Y - 1], 8);
	assert_int_equal(job.shared[0], 2);
	job.wants_y = false;
	job.wants_shared = true;
	memset(job.y, 0, WIRE_Y);
	job_run(&job);
	assert_int_equal(job.y[WIRE_Y - 1], 0);
	assert_int_equal(job.shared[WIRE_Y - 1], 125);
}

static void
a_session_stays_small(void **state)
{
	assert_true(sizeof(struct session) <= 1792); /* a packet of it is room that the pipe uses too */
}

#define DUPLEX_TEST(name) cmocka_unit_test_setup_teardown(name, duplex_setup, duplex_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DUPLEX_TEST(the_handshake_passes_with_all_bytes_at_once),
	    DUPLEX_TEST(the_handshake_passes_with_one_byte_at_a_time),
	    DUPLEX_TEST(the_handshake_passes_cut_at_each_offset_of_either_end),
	    DUPLEX_TEST(data_crosses_both_ways_in_messages_of_every_kind),
	    DUPLEX_TEST(each_end_sends_its_nonce_at_once),
	    DUPLEX_TEST(a_client_reads_nothing_between_the_nonce_and_its_own_y),
	    DUPLEX_TEST(a_clients_y_may_be_there_before_the_nonce),
	    DUPLEX_TEST(a_server_waits_before_s5_for_as_long_as_its_caller_likes_with_and_without_forward_secrecy),
	    DUPLEX_TEST(only_the_powers_that_are_needed_are_asked_for),
	    DUPLEX_TEST(both_ends_have_the_same_y_sc_and_it_is_1_without_forward_secrecy),
	    DUPLEX_TEST(an_end_without_forward_secrecy_puts_no_random_x_anywhere),
	    DUPLEX_TEST(a_server_knows_which_key_its_client_has_from_s4_on),
	    DUPLEX_TEST(that_the_peers_nonce_came_is_known_for_good),
	    DUPLEX_TEST(no_secret_of_the_handshake_is_left_once_it_is_done),
	    DUPLEX_TEST(ended_in_any_state_a_session_holds_nothing),
	    DUPLEX_TEST(a_wiped_job_holds_nothing),
	    DUPLEX_TEST(a_wiped_match_holds_nothing),
	    DUPLEX_TEST(a_job_does_what_it_says_and_nothing_else),
	    DUPLEX_TEST(a_session_stays_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
