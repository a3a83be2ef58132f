/* test_keyring.c: which of many keys a client has. */
#include "duplex.h"

enum { MANY = 1000 };

/* Linked in place of it: counts, so that a test sees how much work was done. */
enum error __real_hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t *mac);
enum error __wrap_hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t *mac);
enum error __real_hash_pbkdf2(const uint8_t *key, const uint8_t *salt, size_t salt_length, uint8_t *out, size_t length);
enum error __wrap_hash_pbkdf2(const uint8_t *key, const uint8_t *salt, size_t salt_length, uint8_t *out, size_t length);
static size_t macs, derivations, derived;

enum error
__wrap_hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t *mac)
{
	macs++;
	return __real_hash_hmac(key, key_length, bytes, length, mac);
}

enum error
__wrap_hash_pbkdf2(const uint8_t *key, const uint8_t *salt, size_t salt_length, uint8_t *out, size_t length)
{
	derivations++;
	derived += length;
	return __real_hash_pbkdf2(key, salt, salt_length, out, length);
}

struct door {
	struct key *keys;
	struct keyring ring;
	uint8_t nonces[2 * WIRE_NONCE], y[WIRE_Y], mac[WIRE_MAC], dk_1[WIRE_DK_1];
	uint8_t expected_dk_1[WIRE_DK_1];
};

static int
door_setup(void **state)
{
	struct door *door = calloc(1, sizeof *door);

	if (door == NULL || (door->keys = calloc(MANY + 1, sizeof *door->keys)) == NULL)
		return -1;
	for (unsigned i = 0; i <= MANY; i++)
		fill(door->keys[i].k, WIRE_KEY, i);
	fill(door->nonces, sizeof door->nonces, 2000);
	fill(door->y, sizeof door->y, 2001);
	*state = door;
	return 0;
}

static int
door_teardown(void **state)
{
	struct door *door = *state;

	free(door->keys);
	free(door);
	return 0;
}

/* What a client that has this key sends with its y (C3, C4). */
static void
client_has(struct door *door, size_t key)
{
	assert_int_equal(
	    hash_pbkdf2(door->keys[key].k, door->nonces, sizeof door->nonces, door->expected_dk_1, WIRE_DK_1), OK);
	assert_int_equal(hash_hmac(door->expected_dk_1, WIRE_MAC, door->y, WIRE_Y, door->mac), OK);
}

static enum error
match(struct door *door, size_t count, const struct key **found)
{
	door->ring = (struct keyring){.count = count, .keys = door->keys};
	memset(door->dk_1, 0xa5, sizeof door->dk_1);
	*found = &door->keys[MANY];
	return keyring_match(&door->ring, door->nonces, door->y, door->mac, found, door->dk_1);
}

static void
assert_finds(struct door *door, size_t count, size_t key)
{
	const struct key *found;

	client_has(door, key);
	assert_int_equal(match(door, count, &found), OK);
	assert_ptr_equal(found, &door->keys[key]);
	assert_memory_equal(door->dk_1, door->expected_dk_1, WIRE_DK_1);
}

static void
assert_refuses(struct door *door, size_t count)
{
	static const uint8_t nothing[WIRE_DK_1];
	const struct key *found;

	assert_int_equal(match(door, count, &found), ERROR_WRONG_KEY);
	assert_null(found);
	assert_memory_equal(door->dk_1, nothing, WIRE_DK_1);
}

static void
of_1_2_or_1000_keys_the_clients_is_found_wherever_it_stands(void **state)
{
	struct door *door = *state;

	assert_finds(door, 1, 0);
	assert_finds(door, 2, 0);
	assert_finds(door, 2, 1);
	assert_finds(door, MANY, 0);
	assert_finds(door, MANY, MANY / 2);
	assert_finds(door, MANY, MANY - 1);
}

static void
a_name_has_room_for_63_bytes_and_its_end(void **state)
{
	struct key_name name;

	(void)state;
	assert_int_equal(KEY_NAME_MAX, 63);
	assert_int_equal(sizeof name.text, 64);
}

static void
the_work_is_the_same_wherever_the_key_stands_or_if_it_is_none(void **state)
{
	struct door *door = *state;
	const struct key *found;

	for (size_t key = 0; key <= 10; key++) {
		client_has(door, key);
		macs = derivations = derived = 0;
		assert_int_equal(match(door, 10, &found), key < 10 ? OK : ERROR_WRONG_KEY);
		assert_int_equal(macs, 10);
		assert_int_equal(derivations, 10 + 1);
		assert_int_equal(derived, 10 * WIRE_MAC + WIRE_DK_1);
	}
}

static void
a_client_whose_key_is_none_of_1_2_or_1000_is_refused(void **state)
{
	struct door *door = *state;

	client_has(door, MANY);
	assert_refuses(door, 1);
	assert_refuses(door, 2);
	assert_refuses(door, MANY);
}

static void
a_ring_without_keys_refuses_everybody(void **state)
{
	client_has(*state, 0);
	assert_refuses(*state, 0);
}

static void
of_two_keys_that_are_the_same_either_is_right(void **state)
{
	struct door *door = *state;
	struct key other = door->keys[1];
	const struct key *found;

	door->keys[1] = door->keys[0];
	client_has(door, 0);
	assert_int_equal(match(door, 3, &found), OK);
	assert_true(found == &door->keys[0] || found == &door->keys[1]);
	assert_memory_equal(door->dk_1, door->expected_dk_1, WIRE_DK_1);
	door->keys[1] = other;
}

static void
any_other_y_nonce_or_mac_is_refused(void **state)
{
	struct door *door = *state;
	uint8_t *fields[] = {door->y, door->nonces, door->mac};
	const size_t sizes[] = {WIRE_Y, 2 * WIRE_NONCE, WIRE_MAC};

	client_has(door, 0);
	for (size_t i = 0; i < 3; i++)
		for (size_t j = 0; j < sizes[i]; j++) {
			fields[i][j] ^= 1;
			assert_refuses(door, 2);
			fields[i][j] ^= 1;
		}
	assert_finds(door, 2, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(of_1_2_or_1000_keys_the_clients_is_found_wherever_it_stands),
	    cmocka_unit_test(a_name_has_room_for_63_bytes_and_its_end),
	    cmocka_unit_test(the_work_is_the_same_wherever_the_key_stands_or_if_it_is_none),
	    cmocka_unit_test(a_client_whose_key_is_none_of_1_2_or_1000_is_refused),
	    cmocka_unit_test(a_ring_without_keys_refuses_everybody),
	    cmocka_unit_test(of_two_keys_that_are_the_same_either_is_right),
	    cmocka_unit_test(any_other_y_nonce_or_mac_is_refused),
	};

	return cmocka_run_group_tests(tests, door_setup, door_teardown);
}
