/*
 * backends.c: stands in for the backends where the proof is about src/crypto/engine.c, as src/crypto/backend.h and
 * src/crypto/engine.h promise them; prove_libcrypto.c and prove_ipsec_mb.c are about the real ones.
 */
#include "crypto/backend.h"

#include "crypto/hash.h"
#include "unknown.h"

static char the_state;

/*@ requires bytes: \valid_read(bytes + (0 .. length - 1)) && \initialized(bytes + (0 .. length - 1));
    requires room: \valid(hash + (0 .. 31)); */
enum error
hash_sha256(const uint8_t *bytes, size_t length, uint8_t hash[HASH_SIZE])
{
	unknown_bytes(hash, HASH_SIZE);
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

static const char *
problem(void)
{
	return unknown_bool() ? "none here" : NULL;
}

static void *
make(void)
{
	return unknown_bool() ? &the_state : NULL;
}

/*@ requires state: state == &the_state; */
static void
free_it(void *state)
{
}

/*@ requires state: state == &the_state;
    requires room: \valid(keys);
    requires e: \valid_read(e + (0 .. 31)) && \initialized(e + (0 .. 31));
    requires h: \valid_read(h + (0 .. 31)) && \initialized(h + (0 .. 31)); */
static enum error
prepare(void *state, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	unknown_bytes(keys, sizeof *keys);
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires state: state == &the_state;
    requires keys: \valid(keys) && \initialized(keys); */
static void
forget(void *state, struct engine_keys *keys)
{
}

/*@ requires state: state == &the_state;
    requires keys: \valid(keys) && \initialized(keys);
    requires count: 1 <= count <= ENGINE_BATCH_MAX;
    requires bodies: \valid(packets + (0 .. count * 1060 - 1)); */
static enum error
seal(void *state, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	unknown_bytes(packets, count * ENGINE_PACKET);
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires state: state == &the_state;
    requires keys: \valid(keys) && \initialized(keys);
    requires count: 1 <= count <= ENGINE_BATCH_MAX;
    requires packets: \valid(packets + (0 .. count * 1060 - 1));
    requires set: \initialized(packets + (0 .. count * 1060 - 1));
    requires good: \valid(good);
    ensures good: *good <= count; */
static enum error
open(void *state, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	unknown_bytes(packets, count * ENGINE_PACKET);
	*good = unknown_bool() ? count : unknown_size(0, count - 1);
	return *good == count ? OK : unknown_bool() ? ERROR_BAD_MAC : ERROR_CRYPTO;
}

const struct backend backend_libcrypto = {
    .name = "libcrypto",
    .problem = problem,
    .new = make,
    .free = free_it,
    .prepare = prepare,
    .forget = forget,
    .seal = seal,
    .open = open,
};
