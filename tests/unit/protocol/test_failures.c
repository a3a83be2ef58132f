/*
 * test_failures.c: whatever crypto/ cannot do ends the session for good, and a session that is over leaves the engine
 * nothing. The linker puts the functions below in place of those that they are named after.
 */
#include "duplex.h"

enum function { HMAC, PBKDF2, PREPARE, SEAL, PUBLIC, SHARED, FORGET, FUNCTIONS };

static unsigned calls[FUNCTIONS], failing_call;
static enum function failing = FUNCTIONS;

static void
fail_at(enum function function, unsigned call)
{
	memset(calls, 0, sizeof calls);
	failing = function;
	failing_call = call;
}

/* A function that fails leaves zeros, as crypto/'s do. */
static bool
fails(enum function function, uint8_t *out, size_t length)
{
	if (++calls[function] != failing_call || function != failing)
		return false;
	memset(out, 0, length);
	return true;
}

#define REPLACED(function, name, out, length, parameters, arguments)                          \
	enum error __real_##name parameters;                                                  \
	enum error __wrap_##name parameters;                                                  \
	enum error __wrap_##name parameters                                                   \
	{                                                                                     \
		return fails(function, out, length) ? ERROR_CRYPTO : __real_##name arguments; \
	}
REPLACED(HMAC, hash_hmac, mac, WIRE_MAC,
    (const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t *mac),
    (key, key_length, bytes, length, mac))
REPLACED(PBKDF2, hash_pbkdf2, out, n,
    (const uint8_t *key, const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n),
    (key, salt, salt_length, out, n))
REPLACED(PREPARE, engine_prepare, keys->bytes, sizeof *keys,
    (struct engine * engine, struct engine_keys *keys, const uint8_t *e, const uint8_t *h), (engine, keys, e, h))
REPLACED(SEAL, engine_seal, packets, count *WIRE_PACKET,
    (struct engine * engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count),
    (engine, keys, number, packets, count))
REPLACED(PUBLIC, group14_public, y, WIRE_Y, (const uint8_t *x, uint8_t *y), (x, y))
REPLACED(SHARED, group14_shared, shared, WIRE_Y, (const uint8_t *y, const uint8_t *x, uint8_t *shared), (y, x, shared))

void __real_engine_forget(struct engine *engine, struct engine_keys *keys);
void __wrap_engine_forget(struct engine *engine, struct engine_keys *keys);

void
__wrap_engine_forget(struct engine *engine, struct engine_keys *keys)
{
	calls[FORGET]++;
	__real_engine_forget(engine, keys);
}

/* The messages of a handshake, and the results of its jobs, as far as it comes. */
static enum error
shake_hands(struct duplex *duplex, struct session **broken)
{
	struct session *client = &duplex->client, *server = &duplex->server, *ends[] = {client, server};
	uint8_t out[WIRE_NONCE + WIRE_Y_AND_MAC];
	struct job job;
	enum error error = OK;

	duplex_start(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	for (unsigned round = 0; round < 4 && error == OK; round++)
		for (unsigned i = 0; i < 2 && error == OK; i++) {
			*broken = ends[i];
			if ((session_wants(ends[i]) & SESSION_JOB) != 0) {
				session_job(ends[i], &job);
				job_run(&job);
				error = session_job_done(ends[i], &job);
			}
			if (error == OK) {
				*broken = ends[1 - i];
				error = feed_all(ends[1 - i], out, take_out(ends[i], out, sizeof out));
			}
		}
	return error;
}

static void
a_handshake_in_which_anything_fails_is_over(void **state)
{
	struct duplex *duplex = *state;
	unsigned usual[FUNCTIONS];
	struct session *broken;

	fail_at(FUNCTIONS, 0);
	assert_int_equal(shake_hands(duplex, &broken), OK);
	assert_int_equal(session_wants(&duplex->client), SESSION_READY);
	assert_int_equal(session_wants(&duplex->server), SESSION_READY);
	memcpy(usual, calls, sizeof usual);
	assert_true(usual[HMAC] >= 4 && usual[PBKDF2] >= 4 && usual[PREPARE] == 4);
	for (int function = HMAC; function <= PREPARE; function++)
		for (unsigned call = 1; call <= usual[function]; call++) {
			session_end(&duplex->client);
			session_end(&duplex->server);
			fail_at((enum function)function, call);
			assert_int_equal(shake_hands(duplex, &broken), ERROR_CRYPTO);
			assert_broken(broken, ERROR_CRYPTO);
		}
}

/* Of the keys that are tried, whichever it is that fails: no key is found then, not even by those that did not. */
static void
a_search_in_which_a_key_fails_finds_none(void **state)
{
	static const uint8_t nothing[WIRE_DK_1];
	struct duplex *duplex = *state;
	uint8_t nonces[2 * WIRE_NONCE] = {0}, y[WIRE_Y] = {0}, mac[WIRE_MAC], dk_1[WIRE_DK_1];
	const struct key *found;

	fail_at(FUNCTIONS, 0);
	assert_int_equal(hash_pbkdf2(duplex->keys[DUPLEX_KEY].k, nonces, sizeof nonces, dk_1, WIRE_DK_1), OK);
	assert_int_equal(hash_hmac(dk_1, WIRE_MAC, y, WIRE_Y, mac), OK);
	for (int function = HMAC; function <= PBKDF2; function++)
		/* once a key, and PBKDF2 once more for the key that was found */
		for (unsigned call = 1; call <= DUPLEX_KEYS + (function == PBKDF2 ? 1 : 0); call++) {
			fail_at((enum function)function, call);
			found = &duplex->keys[0];
			memset(dk_1, 1, sizeof dk_1);
			assert_int_equal(
			    keyring_match(&duplex->server_ring, nonces, y, mac, &found, dk_1), ERROR_CRYPTO);
			assert_null(found);
			assert_memory_equal(dk_1, nothing, sizeof dk_1);
			assert_int_equal(calls[function], call); /* and it is over at once */
			assert_int_equal(calls[HMAC], function == HMAC ? call : call - 1);
		}
}

/* What zeros an engine left in place of a MAC must not be taken for one. */
static void
zeros_for_a_mac_are_none_where_the_mac_could_not_be_made(void **state)
{
	struct duplex *duplex = *state;
	uint8_t message[WIRE_Y_AND_MAC] = {0}, nonce[WIRE_NONCE] = {0};
	struct job job;

	message[WIRE_Y - 1] = 1;
	for (int is_server = 0; is_server < 2; is_server++) {
		struct session *session = is_server ? &duplex->server : &duplex->client;

		fail_at(FUNCTIONS, 0);
		duplex_start(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
		assert_int_equal(session_feed(session, nonce, WIRE_NONCE), OK);
		if (!is_server) {
			session_job(session, &job);
			assert_int_equal(session_job_done(session, &job), OK);
		}
		for (unsigned call = 1; call <= (is_server ? DUPLEX_KEYS : 1); call++) {
			struct session copy = *session;

			fail_at(HMAC, call);
			assert_int_equal(give_y(&copy, message), ERROR_CRYPTO);
			assert_null(is_server ? session_key(&copy) : NULL);
			session_end(&copy);
		}
	}
}

static void
a_batch_that_cannot_be_sealed_takes_no_number(void **state)
{
	struct duplex *duplex = *state;
	uint8_t plain[10] = {0}, wire[WIRE_PACKET];
	size_t sealed = 1;

	fail_at(FUNCTIONS, 0);
	duplex_open(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	fail_at(SEAL, 1);
	assert_int_equal(
	    packet_seal(&duplex->client.data.seal, duplex->engine, wire, plain, sizeof plain, &sealed), ERROR_CRYPTO);
	assert_int_equal(sealed, 0);
	assert_int_equal(duplex->client.data.seal.number, 0);
	fail_at(SEAL, 1);
	assert_int_equal(session_seal(&duplex->client, wire, plain, sizeof plain, &sealed), ERROR_CRYPTO);
	assert_int_equal(sealed, 0);
	assert_broken(&duplex->client, ERROR_CRYPTO);
}

static void
a_match_that_fails_says_so_and_finds_no_key(void **state)
{
	struct duplex *duplex = *state;
	struct job job;

	for (int function = HMAC; function <= PBKDF2; function++) {
		job = (struct job){.kind = JOB_MATCH, .match = {.keyring = &duplex->server_ring, .key = duplex->keys}};
		fail_at((enum function)function, 1);
		job_run(&job);
		assert_int_equal(job.error, ERROR_CRYPTO);
		assert_null(job.match.key);
	}
}

static void
a_job_that_fails_says_so_and_computes_nothing_more(void **state)
{
	struct job job = {.wants_y = true, .wants_shared = true, .peer_y = {[WIRE_Y - 1] = 2}};

	(void)state;
	for (int function = PUBLIC; function <= SHARED; function++) {
		fail_at((enum function)function, 1);
		job.error = OK;
		job_run(&job);
		assert_int_equal(job.error, ERROR_CRYPTO);
		assert_int_equal(calls[SHARED], function == SHARED);
	}
	job_wipe(&job);
}

/* The engine holds what it made of keys until it is told to forget them: both directions' are, and no others. */
static void
a_session_that_is_over_has_its_keys_forgotten_by_the_engine(void **state)
{
	struct duplex *duplex = *state;

	fail_at(FUNCTIONS, 0);
	duplex_start(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	session_end(&duplex->client);
	session_end(&duplex->server);
	assert_int_equal(calls[FORGET], 0);
	duplex_open(duplex, FORWARD_SECRECY_OFF, FORWARD_SECRECY_OFF);
	assert_int_equal(calls[FORGET], 0);
	session_end(&duplex->client);
	assert_int_equal(calls[FORGET], 2);
	session_end(&duplex->client);
	assert_int_equal(calls[FORGET], 2);
}

#define DUPLEX(name) cmocka_unit_test_setup_teardown(name, duplex_setup, duplex_teardown)

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    DUPLEX(a_handshake_in_which_anything_fails_is_over),
	    DUPLEX(a_search_in_which_a_key_fails_finds_none),
	    DUPLEX(zeros_for_a_mac_are_none_where_the_mac_could_not_be_made),
	    DUPLEX(a_batch_that_cannot_be_sealed_takes_no_number),
	    DUPLEX(a_match_that_fails_says_so_and_finds_no_key),
	    DUPLEX(a_job_that_fails_says_so_and_computes_nothing_more),
	    DUPLEX(a_session_that_is_over_has_its_keys_forgotten_by_the_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
