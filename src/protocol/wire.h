/* wire.h: every size and offset on the wire (docs/PROTOCOL.md). Nothing else in the tree spells one out. */
#ifndef PROTOCOL_WIRE_H
#define PROTOCOL_WIRE_H

#include "crypto/engine.h"
#include "crypto/group14.h"
#include "crypto/hash.h"

enum {
	WIRE_KEY = 32, /* K, and each of E_C, H_C, E_S, H_S */
	WIRE_MAC = 32,

	/* the handshake: C1 and S1 send a nonce; C4 and S5 send y and its MAC */
	WIRE_NONCE = 32,
	WIRE_X = 32,
	WIRE_Y = 256,
	WIRE_Y_AND_MAC = WIRE_Y + WIRE_MAC,

	/* C3, S3: where dhmac_C and dhmac_S stand in dk_1 */
	WIRE_DHMAC_C = 0,
	WIRE_DHMAC_S = WIRE_MAC,
	WIRE_DK_1 = 2 * WIRE_MAC,

	/* C7, S7: where the four keys stand in dk_2 */
	WIRE_E_C = 0,
	WIRE_H_C = WIRE_KEY,
	WIRE_E_S = 2 * WIRE_KEY,
	WIRE_H_S = 3 * WIRE_KEY,
	WIRE_DK_2 = 4 * WIRE_KEY,

	/* a packet: M, zeros, its length, MAC (P1 to P3) */
	WIRE_PLAIN_MAX = 1024,
	WIRE_LENGTH_AT = WIRE_PLAIN_MAX,
	WIRE_LENGTH = 4,
	WIRE_PADDED = WIRE_PLAIN_MAX + WIRE_LENGTH,
	WIRE_PACKET = WIRE_PADDED + WIRE_MAC,
};

/* crypto/ knows a packet and a y by names of its own. */
#define WIRE_SAME(a, b) _Static_assert((int)(a) == (int)(b), #a " is " #b)
WIRE_SAME(WIRE_PADDED, ENGINE_BODY);
WIRE_SAME(WIRE_PACKET, ENGINE_PACKET);
WIRE_SAME(WIRE_MAC, ENGINE_MAC);
WIRE_SAME(WIRE_Y, GROUP14_SIZE);
WIRE_SAME(WIRE_X, GROUP14_EXPONENT);
WIRE_SAME(WIRE_KEY, HASH_SIZE);
#undef WIRE_SAME

#endif
