/* keyring.h: the keys that an end may meet its peer with, and finding which one the peer has. No I/O, no allocation. */
#ifndef PROTOCOL_KEYRING_H
#define PROTOCOL_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/counted.h"
#include "protocol/wire.h"

enum { KEY_NAME_MAX = 63 };

/*
 * Who has a key, for people: log lines and the like. Not secret, and counted for itself: a connection is spoken of for
 * longer than its key is needed.
 */
struct key_name {
	struct counted counted;
	_Atomic(bool) is_revoked;    /* no set of keys that is new has it */
	char text[KEY_NAME_MAX + 1]; /* printable, never empty */
};

/* One shared key. Secret: whoever made it keeps it in locked memory and wipes it. */
struct key {
	struct key_name *name;
	uint8_t k[WIRE_KEY]; /* K: SHA-256 of the key file */
};

/*
 * Immutable once it is in use, and shared by threads; whoever drives a session holds it until the handshake is over.
 * A client uses keys[0]; a server takes whichever matches.
 */
struct keyring {
	struct counted counted;
	size_t count; /* 0 refuses everybody */
	const struct key *keys;
};

/*
 * S4: the key under which mac is the MAC of the client's y, in *found; the same work for each key, whichever it is.
 * OK, ERROR_WRONG_KEY (none; *found is NULL), or ERROR_CRYPTO. On OK dk_1 of that key is left in dk_1; else it is
 * wiped. Any thread.
 */
enum error keyring_match(const struct keyring *keyring, const uint8_t nonces[2 * WIRE_NONCE], const uint8_t y[WIRE_Y],
    const uint8_t mac[WIRE_MAC], const struct key **found, uint8_t dk_1[WIRE_DK_1]);

#endif
