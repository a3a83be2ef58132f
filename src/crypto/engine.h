/* engine.h: seals and opens whole batches of packets (P2, P3, the MAC of P4). One engine a worker thread. */
#ifndef CRYPTO_ENGINE_H
#define CRYPTO_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * The crypto of a packet, and nothing of its meaning. A packet is ENGINE_BODY bytes to encrypt, then a MAC; packets of
 * a batch stand one behind the other, ENGINE_PACKET bytes each. protocol/wire.h asserts that these are its sizes.
 */
enum { ENGINE_BODY = 1028, ENGINE_MAC = 32, ENGINE_PACKET = ENGINE_BODY + ENGINE_MAC, ENGINE_BATCH_MAX = 256 };

/*
 * One direction's keys in the form that the backend likes: raw, or expanded where that is small. Made and read by the
 * engine's backend only, and good with the engine that prepared them only; secret; lives in its owner's memory, and the
 * owner calls engine_forget before it goes. May be moved in memory, but two copies may not both be used.
 */
enum { ENGINE_KEYS_SIZE = 320 };
struct engine_keys {
	_Alignas(16) uint8_t bytes[ENGINE_KEYS_SIZE];
};

/* ENGINE_BEST: ipsec-mb where it can be used, else libcrypto. */
enum engine_backend { ENGINE_LIBCRYPTO, ENGINE_IPSEC_MB, ENGINE_BACKENDS, ENGINE_BEST = ENGINE_BACKENDS };

/* The backends' names by their number, whether this build has them or not. */
extern const char *const engine_words[ENGINE_BACKENDS];

struct engine;

/*
 * Why engine_new would give none: the build, the processor, the library, or its wrong answers; NULL when it would.
 * Makes an engine to find out. Any thread.
 */
const char *engine_problem(enum engine_backend choice);

/* Which one ENGINE_BEST stands for here; a backend of a name for itself. */
enum engine_backend engine_choose(enum engine_backend choice);

/*
 * Allocates everything that the engine will ever need, and runs known answers through it. NULL: no memory, the backend
 * is not available, or it failed its own test. engine_free wipes; NULL is fine. An engine belongs to one thread.
 */
struct engine *engine_new(enum engine_backend choice);
void engine_free(struct engine *engine);

/* Makes keys from E (AES-256) and H (HMAC-SHA256), 32 bytes each (C7, S7). OK or ERROR_CRYPTO, keys wiped then. */
enum error engine_prepare(struct engine *engine, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32]);

/* Wipes keys and whatever the engine holds that was made from them. After this the keys are all zeros. */
void engine_forget(struct engine *engine, struct engine_keys *keys);

/*
 * Encrypts and MACs count packets in place: packet i has number + i. 1 <= count <= ENGINE_BATCH_MAX.
 * OK, or ERROR_CRYPTO: then nothing of packets may be sent, and all of it is wiped.
 */
enum error engine_seal(
    struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count);

/*
 * Checks the MACs of count packets, in constant time for each, and decrypts in place, up to and not including
 * the first whose MAC is wrong; the bodies from there on are left sealed or wiped, never plain.
 * *good is how many are open. OK (all good), ERROR_BAD_MAC (*good < count), or ERROR_CRYPTO (*good = 0, all wiped).
 */
enum error engine_open(
    struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good);

#endif
