/* keyring.c: finds the key that a client has by the MAC of its y (S3, S4). */
#include "protocol/keyring.h"

#include <string.h>

#include "base/bytes.h"

/* S3 under one key, as far as the MAC goes that a client who has this key sends with y. Both outputs are secret. */
static enum error
expect(const struct key *key, const uint8_t nonces[2 * WIRE_NONCE], const uint8_t y[WIRE_Y], uint8_t dhmac[WIRE_MAC],
    uint8_t mac[WIRE_MAC])
{
	enum error error = hash_pbkdf2(key->k, nonces, 2 * WIRE_NONCE, dhmac, WIRE_MAC);

	if (error != OK)
		return error;
	return hash_hmac(dhmac, WIRE_MAC, y, WIRE_Y, mac);
}

enum error
keyring_match(const struct keyring *keyring, const uint8_t nonces[2 * WIRE_NONCE], const uint8_t y[WIRE_Y],
    const uint8_t mac[WIRE_MAC], const struct key **found, uint8_t dk_1[WIRE_DK_1])
{
	uint8_t dhmac[WIRE_MAC], expected[WIRE_MAC], k[WIRE_KEY] = {0};
	size_t which = keyring->count;
	enum error error = OK;

	/* How long it took must not tell which key it was: no early end at a match, no branch that depends on it. */
	for (size_t i = 0; i < keyring->count && error == OK; i++) {
		bool matches;

		error = expect(&keyring->keys[i], nonces, y, dhmac, expected);
		matches = error == OK && bytes_equal(expected, mac, WIRE_MAC);
		bytes_copy_if(matches, k, keyring->keys[i].k, WIRE_KEY);
		bytes_copy_if(matches, &which, &i, sizeof which);
	}
	if (error == OK)
		error = hash_pbkdf2(k, nonces, 2 * WIRE_NONCE, dk_1, WIRE_DK_1);
	bytes_wipe(dhmac, sizeof dhmac);
	bytes_wipe(expected, sizeof expected);
	bytes_wipe(k, sizeof k);
	*found = error == OK && which < keyring->count ? &keyring->keys[which] : NULL;
	if (*found != NULL)
		return OK;
	bytes_wipe(dk_1, WIRE_DK_1);
	return error == OK ? ERROR_WRONG_KEY : error;
}
