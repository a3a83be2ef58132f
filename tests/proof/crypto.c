/*
 * crypto.c: stands in for src/crypto where the proof is about src/protocol: what crypto/hash.h, crypto/engine.h and
 * crypto/group14.h promise, and ask for. prove_crypto.c proves that the real ones ask for no more.
 */
#include "unknown.h"

#include "crypto/engine.h"
#include "crypto/group14.h"
#include "crypto/hash.h"

struct engine {
	char opaque;
};

static enum error
perhaps(void)
{
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires key: \valid_read(key + (0 .. key_length - 1)) && \initialized(key + (0 .. key_length - 1));
    requires bytes: \valid_read(bytes + (0 .. length - 1)) && \initialized(bytes + (0 .. length - 1));
    requires room: \valid(mac + (0 .. 31)); */
enum error
hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t mac[HASH_SIZE])
{
	unknown_bytes(mac, HASH_SIZE);
	return perhaps();
}

/*@ requires key: \valid_read(key + (0 .. 31)) && \initialized(key + (0 .. 31));
    requires salt: \valid_read(salt + (0 .. salt_length - 1)) && \initialized(salt + (0 .. salt_length - 1));
    requires n: 1 <= n <= 128;
    requires room: \valid(out + (0 .. n - 1)); */
enum error
hash_pbkdf2(const uint8_t key[HASH_SIZE], const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n)
{
	unknown_bytes(out, n);
	return perhaps();
}

/*@ requires engine: \valid(engine);
    requires room: \valid(keys);
    requires e: \valid_read(e + (0 .. 31)) && \initialized(e + (0 .. 31));
    requires h: \valid_read(h + (0 .. 31)) && \initialized(h + (0 .. 31)); */
enum error
engine_prepare(struct engine *engine, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	unknown_bytes(keys, sizeof *keys);
	return perhaps();
}

/*@ requires engine: \valid(engine);
    requires keys: \valid(keys) && \initialized(keys); */
void
engine_forget(struct engine *engine, struct engine_keys *keys)
{
	unknown_bytes(keys, sizeof *keys);
}

/*@ requires engine: \valid(engine);
    requires keys: \valid(keys) && \initialized(keys);
    requires count: 1 <= count <= ENGINE_BATCH_MAX;
    requires bodies: \valid(packets + (0 .. count * 1060 - 1)); */
enum error
engine_seal(struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	return perhaps();
}

/*@ requires engine: \valid(engine);
    requires keys: \valid(keys) && \initialized(keys);
    requires count: 1 <= count <= ENGINE_BATCH_MAX;
    requires packets: \valid(packets + (0 .. count * 1060 - 1));
    requires set: \initialized(packets + (0 .. count * 1060 - 1));
    requires good: \valid(good); */
enum error
engine_open(
    struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	unknown_bytes(packets, count * ENGINE_PACKET);
	*good = unknown_bool() ? count : unknown_size(0, count - 1);
	return *good == count ? OK : unknown_bool() ? ERROR_BAD_MAC : ERROR_CRYPTO;
}

static struct engine the_engine;

struct engine *
engine_new(enum engine_backend choice)
{
	return unknown_bool() ? &the_engine : NULL;
}

void
engine_free(struct engine *engine)
{
}
