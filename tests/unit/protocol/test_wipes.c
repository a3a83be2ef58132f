/* test_wipes.c: a handshake wipes each copy of what is secret in it, where it was used. */
#include "duplex.h"
#include "wipes.h"

/* A copy is wiped with the match that found the key, and with the handshake that it was kept for. */
enum { SERVER_DK_1 = 2, CLIENT_DK_1 = 1 };

/* Its first half is all that is derived to try a key: wiped by PBKDF2, and by who asked for it. */
enum { TRIED_DK_1 = 2 };

static void
derive(const struct duplex *duplex, const uint8_t *shared, uint8_t *out, size_t length)
{
	uint8_t salt[2 * WIRE_NONCE + WIRE_Y];
	size_t salt_length = 2 * WIRE_NONCE;

	memcpy(salt, duplex->client_random, WIRE_NONCE);
	memcpy(salt + WIRE_NONCE, duplex->server_random, WIRE_NONCE);
	if (shared != NULL) {
		memcpy(salt + salt_length, shared, WIRE_Y);
		salt_length += WIRE_Y;
	}
	assert_int_equal(hash_pbkdf2(duplex->keys[DUPLEX_KEY].k, salt, salt_length, out, length), OK);
}

static void
trying_a_key_wipes_what_it_derived(void **state)
{
	struct duplex *duplex = *state;
	uint8_t nonces[2 * WIRE_NONCE], y[WIRE_Y], dk_1[WIRE_DK_1], mac[WIRE_MAC], left[WIRE_DK_1];
	const struct key *found;

	memcpy(nonces, duplex->client_random, WIRE_NONCE);
	memcpy(nonces + WIRE_NONCE, duplex->server_random, WIRE_NONCE);
	fill(y, sizeof y, 4);
	derive(duplex, NULL, dk_1, sizeof dk_1);
	assert_int_equal(hash_hmac(dk_1 + WIRE_DHMAC_C, WIRE_MAC, y, WIRE_Y, mac), OK);
	wipes_start();
	assert_int_equal(keyring_match(&duplex->client_ring, nonces, y, mac, &found, left), OK);
	assert_int_equal(wipes_of(dk_1, WIRE_MAC), TRIED_DK_1);
	assert_int_equal(wipes_of(mac, sizeof mac), 1);
	assert_int_equal(wipes_of(duplex->keys[DUPLEX_KEY].k, WIRE_KEY), 1);
}

static void
a_handshake_wipes_its_secrets_and_everything_they_were_copied_to(void **state)
{
	struct duplex *duplex = *state;
	uint8_t dk_1[WIRE_DK_1], dk_2[WIRE_DK_2], mac[WIRE_MAC];
	const uint8_t *shared;

	duplex->server_ring.count = DUPLEX_KEY + 1; /* the client's is the last that is tried */
	derive(duplex, NULL, dk_1, sizeof dk_1);
	duplex_start(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	wipes_start();
	duplex_shake_hands(duplex, &(struct cutting){0});
	job_wipe(&duplex->match_job);
	assert_int_equal(wipes_of(dk_1, sizeof dk_1), SERVER_DK_1 + CLIENT_DK_1);
	assert_int_equal(wipes_of(dk_1, WIRE_MAC), SERVER_DK_1 + CLIENT_DK_1 + TRIED_DK_1);
	assert_int_equal(wipes_of(duplex->keys[DUPLEX_KEY].k, WIRE_KEY), 1);
	/* in the salt, at both ends */
	shared = duplex->server_job.shared;
	assert_int_equal(wipes_of(shared, WIRE_Y), 2);
	derive(duplex, shared, dk_2, sizeof dk_2);
	assert_int_equal(wipes_of(dk_2, sizeof dk_2), 2);
	assert_int_equal(wipes_of(duplex->server_random + WIRE_NONCE, WIRE_X), 2); /* once by who computed with it */
	/* the MAC that was expected, and with handshake and match the message that had it */
	assert_int_equal(hash_hmac(dk_1 + WIRE_DHMAC_C, WIRE_MAC, duplex->client_y_job.y, WIRE_Y, mac), OK);
	assert_int_equal(wipes_of(mac, sizeof mac), 3);
	assert_int_equal(hash_hmac(dk_1 + WIRE_DHMAC_S, WIRE_MAC, duplex->server_job.y, WIRE_Y, mac), OK);
	assert_int_equal(wipes_of(mac, sizeof mac), 2);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(trying_a_key_wipes_what_it_derived, duplex_setup, duplex_teardown),
	    cmocka_unit_test_setup_teardown(
		a_handshake_wipes_its_secrets_and_everything_they_were_copied_to, duplex_setup, duplex_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
