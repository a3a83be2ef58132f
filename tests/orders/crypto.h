/* crypto.h: crypto/ for the search: nothing is secret, a MAC is a pattern, and so the same state has the same bytes. */
#ifndef TESTS_ORDERS_CRYPTO_H
#define TESTS_ORDERS_CRYPTO_H

#include "protocol/wire.h"

struct engine {
	int live;   /* keys that were prepared and not forgotten */
	bool fails; /* the next call */
};

/* What PBKDF2 gives stands in runs of 32 equal bytes, each key one run. */
enum {
	CRYPTO_DHMAC_C = 0xd0,
	CRYPTO_DHMAC_S,
	CRYPTO_E_C = 0xe0,
	CRYPTO_H_C,
	CRYPTO_E_S,
	CRYPTO_H_S,
	CRYPTO_BAD_Y = 0xff /* the last byte of a y that no honest peer sends */
};

/* The MAC of anything under a key that is a run of this byte: of a y, and of the packet with this number. */
void crypto_mac(uint8_t key, uint8_t mac[WIRE_MAC]);
void crypto_packet_mac(uint8_t key, uint64_t number, uint8_t mac[WIRE_MAC]);

#endif
