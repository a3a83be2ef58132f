/* test_refusals.c: peers that have the wrong key, misbehave with the right one, and callers who misuse a session. */
#include "duplex.h"

#include <openssl/bn.h>

static const uint8_t one[WIRE_Y] = {[WIRE_Y - 1] = 1};

/* p + offset, of group 14; the end of libcrypto's number, not of ours. */
static void
p_plus(int offset, uint8_t y[WIRE_Y])
{
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL);

	assert_non_null(p);
	assert_int_equal(offset < 0 ? BN_sub_word(p, (BN_ULONG)-offset) : BN_add_word(p, (BN_ULONG)offset), 1);
	assert_int_equal(BN_bn2binpad(p, y, WIRE_Y), WIRE_Y);
	BN_free(p);
}

static void
small(uint8_t value, uint8_t y[WIRE_Y])
{
	memset(y, 0, WIRE_Y);
	y[WIRE_Y - 1] = value;
}

/* A message with this y and the right MAC, to an end of either role: what comes of it. */
static void
assert_answer(struct duplex *duplex, enum forward_secrecy forward_secrecy, const uint8_t y[WIRE_Y], enum error error)
{
	const enum session_role roles[] = {SESSION_CLIENT, SESSION_SERVER};
	uint8_t message[WIRE_Y_AND_MAC];

	for (size_t i = 0; i < 2; i++) {
		struct session *session = await_peer_y(duplex, roles[i], forward_secrecy);

		forge_y(duplex, roles[1 - i], y, message);
		assert_int_equal(give_y(session, message), error);
		if (error == OK)
			assert_int_equal(session_wants(session), SESSION_JOB);
		else
			assert_broken(session, error);
		/* of one that is refused no key is named, although it has one */
		assert_int_equal(session_key(&duplex->server) != NULL, roles[i] == SESSION_SERVER && error == OK);
	}
}

/* A message with this y and a wrong MAC: always the same answer, whatever y is, and no work is asked for. */
static void
assert_wrong_mac_comes_first(struct duplex *duplex, enum forward_secrecy forward_secrecy, const uint8_t y[WIRE_Y])
{
	const enum session_role roles[] = {SESSION_CLIENT, SESSION_SERVER};
	uint8_t message[WIRE_Y_AND_MAC];

	for (size_t i = 0; i < 2; i++) {
		struct session *session = await_peer_y(duplex, roles[i], forward_secrecy);

		forge_y(duplex, roles[1 - i], y, message);
		message[WIRE_Y] ^= 1;
		assert_int_equal(give_y(session, message), ERROR_WRONG_KEY);
		assert_broken(session, ERROR_WRONG_KEY);
	}
}

static void
any_changed_byte_of_y_or_its_mac_is_a_wrong_key(void **state)
{
	struct duplex *duplex = *state;
	const enum session_role roles[] = {SESSION_CLIENT, SESSION_SERVER};
	uint8_t message[WIRE_Y_AND_MAC], y[WIRE_Y];

	small(4, y);
	for (size_t i = 0; i < 2 * WIRE_Y_AND_MAC; i++) {
		struct session *session = await_peer_y(duplex, roles[i % 2], FORWARD_SECRECY);

		forge_y(duplex, roles[1 - i % 2], y, message);
		message[i / 2] ^= 0x80;
		assert_int_equal(give_y(session, message), ERROR_WRONG_KEY);
		assert_broken(session, ERROR_WRONG_KEY);
	}
}

static void
a_y_that_no_honest_end_sends_is_refused_with_its_mac_right(void **state)
{
	const enum forward_secrecy modes[] = {FORWARD_SECRECY, FORWARD_SECRECY_OFF, FORWARD_SECRECY_REQUIRED};
	uint8_t y[WIRE_Y];

	for (size_t i = 0; i < 3; i++) {
		small(0, y);
		assert_answer(*state, modes[i], y, ERROR_BAD_Y);
		for (int offset = -1; offset <= 2; offset++) {
			p_plus(offset, y);
			assert_answer(*state, modes[i], y, ERROR_BAD_Y);
		}
		memset(y, 0xff, WIRE_Y);
		assert_answer(*state, modes[i], y, ERROR_BAD_Y);
		small(2, y);
		assert_answer(*state, modes[i], y, OK);
		p_plus(-2, y);
		assert_answer(*state, modes[i], y, OK);
	}
}

static void
a_y_of_1_is_refused_where_forward_secrecy_is_required_and_only_there(void **state)
{
	assert_answer(*state, FORWARD_SECRECY, one, OK);
	assert_answer(*state, FORWARD_SECRECY_OFF, one, OK);
	assert_answer(*state, FORWARD_SECRECY_REQUIRED, one, ERROR_NO_FORWARD_SECRECY);
}

static void
the_mac_is_checked_before_anything_else(void **state)
{
	uint8_t y[WIRE_Y];

	small(0, y);
	assert_wrong_mac_comes_first(*state, FORWARD_SECRECY, y);
	p_plus(1, y);
	assert_wrong_mac_comes_first(*state, FORWARD_SECRECY, y);
	assert_wrong_mac_comes_first(*state, FORWARD_SECRECY_REQUIRED, one);
}

static void
a_server_says_nothing_more_to_a_client_with_another_key(void **state)
{
	struct duplex *duplex = *state;
	uint8_t bytes[WIRE_NONCE + WIRE_Y_AND_MAC];
	struct key other = duplex->keys[0];
	struct job job;

	other.k[31] ^= 1;
	duplex->client_ring.keys = &other;
	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	take_out(&duplex->server, bytes, sizeof bytes);
	assert_int_equal(feed_all(&duplex->client, bytes, WIRE_NONCE), OK);
	assert_int_equal(run_job(&duplex->client, &job), OK);
	take_out(&duplex->client, bytes, sizeof bytes);
	assert_int_equal(feed_all(&duplex->server, bytes, sizeof bytes), OK);
	assert_int_equal(session_wants(&duplex->server), SESSION_JOB);
	assert_int_equal(run_job(&duplex->server, &job), ERROR_WRONG_KEY);
	assert_null(job.match.key);
	assert_null(session_key(&duplex->server));
	assert_broken(&duplex->server, ERROR_WRONG_KEY);
	session_end(&duplex->client);
}

static void
a_server_without_keys_refuses_everybody(void **state)
{
	struct duplex *duplex = *state;
	uint8_t message[WIRE_Y_AND_MAC];

	duplex->server_ring.count = 0;
	await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY);
	forge_y(duplex, SESSION_CLIENT, one, message);
	assert_int_equal(give_y(&duplex->server, message), ERROR_WRONG_KEY);
	assert_broken(&duplex->server, ERROR_WRONG_KEY);
}

static void
a_clients_own_message_sent_back_to_it_is_a_wrong_key(void **state)
{
	struct duplex *duplex = *state;
	uint8_t message[WIRE_Y_AND_MAC];

	await_peer_y(duplex, SESSION_CLIENT, FORWARD_SECRECY);
	forge_y(duplex, SESSION_CLIENT, one, message);
	assert_int_equal(give_y(&duplex->client, message), ERROR_WRONG_KEY);
	assert_broken(&duplex->client, ERROR_WRONG_KEY);
}

static void
with_g_on_one_end_and_f_on_the_other_the_handshake_fails(void **state)
{
	struct duplex *duplex = *state;
	uint8_t bytes[WIRE_NONCE + WIRE_Y_AND_MAC];

	await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY_REQUIRED);
	session_start(&duplex->client, SESSION_CLIENT, FORWARD_SECRECY_OFF, &duplex->client_ring, duplex->engine,
	    duplex->client_random);
	assert_int_equal(feed_all(&duplex->client, duplex->server_random, WIRE_NONCE), OK);
	assert_int_equal(run_job(&duplex->client, &duplex->client_y_job), OK);
	take_out(&duplex->client, bytes, sizeof bytes);
	assert_int_equal(give_y(&duplex->server, bytes + WIRE_NONCE), ERROR_NO_FORWARD_SECRECY);
	assert_broken(&duplex->server, ERROR_NO_FORWARD_SECRECY);
}

static void
a_job_that_failed_ends_the_session(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_job(&duplex->client, &job);
	job_run(&job);
	job.error = ERROR_CRYPTO;
	assert_int_equal(session_job_done(&duplex->client, &job), ERROR_CRYPTO);
	assert_broken(&duplex->client, ERROR_CRYPTO);
}

static void
a_job_that_nobody_ran_is_not_taken_for_a_shared_secret_of_1(void **state)
{
	struct duplex *duplex = *state;
	uint8_t message[WIRE_Y_AND_MAC], y[WIRE_Y];
	struct job job;

	small(2, y);
	await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY);
	forge_y(duplex, SESSION_CLIENT, y, message);
	assert_int_equal(give_y(&duplex->server, message), OK);
	session_job(&duplex->server, &job);
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_CRYPTO);
	assert_broken(&duplex->server, ERROR_CRYPTO);
	/* nor is a client's first job, for its y, nor its second */
	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_job(&duplex->client, &job);
	assert_int_equal(session_job_done(&duplex->client, &job), ERROR_CRYPTO);
	assert_broken(&duplex->client, ERROR_CRYPTO);
	await_peer_y(duplex, SESSION_CLIENT, FORWARD_SECRECY);
	forge_y(duplex, SESSION_SERVER, y, message);
	assert_int_equal(give_y(&duplex->client, message), OK);
	session_job(&duplex->client, &job);
	assert_int_equal(session_job_done(&duplex->client, &job), ERROR_CRYPTO);
	assert_broken(&duplex->client, ERROR_CRYPTO);
}

static void
a_result_that_nobody_asked_for_ends_the_session(void **state)
{
	struct duplex *duplex = *state;
	struct job job = {.error = OK};

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_CRYPTO);
	assert_broken(&duplex->server, ERROR_CRYPTO);
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_job_done(&duplex->server, &job), ERROR_CRYPTO);
	assert_broken(&duplex->server, ERROR_CRYPTO);
}

static void
a_job_that_is_not_due_is_empty_and_holds_nothing_of_the_session(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	session_job(&duplex->client, &job);
	assert_false(job.wants_y || job.wants_shared);
	assert_memory_equal(job.y, one, WIRE_Y);
	assert_memory_equal(job.shared, one, WIRE_Y);
	for (size_t i = 0; i < WIRE_X; i++)
		assert_int_equal(job.x[i], 0);
}

static void
more_bytes_than_the_handshake_wants_end_the_session(void **state)
{
	struct duplex *duplex = *state;
	uint8_t bytes[WIRE_Y_AND_MAC + 1] = {0};

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_feed(&duplex->server, bytes, WIRE_NONCE + 1), ERROR_BAD_LENGTH);
	assert_broken(&duplex->server, ERROR_BAD_LENGTH);
	await_peer_y(duplex, SESSION_CLIENT, FORWARD_SECRECY);
	assert_int_equal(session_feed(&duplex->client, bytes, sizeof bytes), ERROR_BAD_LENGTH);
	assert_broken(&duplex->client, ERROR_BAD_LENGTH);
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_feed(&duplex->client, bytes, 1), ERROR_BAD_LENGTH);
	assert_broken(&duplex->client, ERROR_BAD_LENGTH);
}

static void
no_bytes_are_no_message(void **state)
{
	struct duplex *duplex = *state;
	uint8_t plain[WIRE_PLAIN_MAX] = {7}, y[WIRE_Y], message[WIRE_Y_AND_MAC];
	struct session *server = await_peer_y(duplex, SESSION_SERVER, FORWARD_SECRECY_OFF);

	assert_int_equal(session_feed(server, message, 0), OK);
	assert_int_equal(session_wants(server), SESSION_READ);
	small(1, y);
	forge_y(duplex, SESSION_CLIENT, y, message);
	assert_int_equal(give_y(server, message), OK);
	assert_int_equal(session_feed(server, message, 0), OK);
	assert_int_equal(session_wants(server), SESSION_JOB);
	duplex_open(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	assert_int_equal(session_feed(server, message, 0), OK);
	assert_int_equal(session_feed(&duplex->client, message, 0), OK);
	assert_crosses(&duplex->client, server, plain, sizeof plain);
}

static void
no_packet_is_sealed_or_opened_before_the_handshake_is_done(void **state)
{
	struct duplex *duplex = *state;
	uint8_t plain[WIRE_PLAIN_MAX] = {0}, wire[WIRE_PACKET] = {1};
	size_t n = 1;

	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_int_equal(session_seal(&duplex->client, wire, plain, 1, &n), ERROR_CRYPTO);
	assert_int_equal(n, 0);
	assert_int_equal(wire[0], 1);
	assert_broken(&duplex->client, ERROR_CRYPTO);
	n = 1;
	assert_int_equal(session_open(&duplex->server, plain, wire, 1, &n), ERROR_CRYPTO);
	assert_int_equal(n, 0);
	assert_int_equal(wire[0], 1);
	assert_broken(&duplex->server, ERROR_CRYPTO);
}

#define DUPLEX_TEST(name) cmocka_unit_test_setup_teardown(name, duplex_setup, duplex_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DUPLEX_TEST(any_changed_byte_of_y_or_its_mac_is_a_wrong_key),
	    DUPLEX_TEST(a_y_that_no_honest_end_sends_is_refused_with_its_mac_right),
	    DUPLEX_TEST(a_y_of_1_is_refused_where_forward_secrecy_is_required_and_only_there),
	    DUPLEX_TEST(the_mac_is_checked_before_anything_else),
	    DUPLEX_TEST(a_server_says_nothing_more_to_a_client_with_another_key),
	    DUPLEX_TEST(a_server_without_keys_refuses_everybody),
	    DUPLEX_TEST(a_clients_own_message_sent_back_to_it_is_a_wrong_key),
	    DUPLEX_TEST(with_g_on_one_end_and_f_on_the_other_the_handshake_fails),
	    DUPLEX_TEST(a_job_that_failed_ends_the_session),
	    DUPLEX_TEST(a_job_that_nobody_ran_is_not_taken_for_a_shared_secret_of_1),
	    DUPLEX_TEST(a_result_that_nobody_asked_for_ends_the_session),
	    DUPLEX_TEST(a_job_that_is_not_due_is_empty_and_holds_nothing_of_the_session),
	    DUPLEX_TEST(more_bytes_than_the_handshake_wants_end_the_session),
	    DUPLEX_TEST(no_bytes_are_no_message),
	    DUPLEX_TEST(no_packet_is_sealed_or_opened_before_the_handshake_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
