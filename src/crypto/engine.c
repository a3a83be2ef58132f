/* engine.c: chooses a backend, proves it with known answers, and hands batches to it. */
#include "crypto/engine.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/backend.h"
#include "crypto/hash.h"

struct engine {
	const struct backend *backend;
	void *state;
};

const char *const engine_words[ENGINE_BACKENDS] = {[ENGINE_LIBCRYPTO] = "libcrypto", [ENGINE_IPSEC_MB] = "ipsec-mb"};

static const struct backend *const backends[ENGINE_BACKENDS] = {
    [ENGINE_LIBCRYPTO] = &backend_libcrypto,
#ifdef HAVE_IPSEC_MB
    [ENGINE_IPSEC_MB] = &backend_ipsec_mb,
#endif
};

enum { KNOWN_PACKETS = 21, KNOWN_BAD = 19 };

/*
 * Enough packets for each way that a backend may take. SHA-256 of KNOWN_PACKETS sealed packets with E = 00 01 .. 1f, H
 * = 20 21 .. 3f, numbers from 2^32 - 2 on, and byte i of all bodies together i * i mod 251. tests/vectors/packets.py
 * computes it.
 */
static const uint8_t known_hash[HASH_SIZE] = {0xc5, 0xe3, 0x1c, 0x42, 0xe3, 0x2d, 0xd9, 0x6e, 0x9e, 0x12, 0xdd, 0xa8,
    0x02, 0x4e, 0xd5, 0xcb, 0xad, 0x6f, 0x93, 0x09, 0x32, 0x50, 0xdc, 0x49, 0xa8, 0x13, 0xa8, 0x39, 0xb4, 0x02, 0x08,
    0xb2};
static const uint64_t known_number = 0xfffffffe;

static void
known_body(uint8_t body[ENGINE_BODY], size_t packet)
{
	for (size_t i = 0; i < ENGINE_BODY; i++) {
		size_t at = packet * ENGINE_BODY + i;

		body[i] = (uint8_t)(at * at % 251);
	}
}

static bool
opens_up_to_the_bad_one(struct engine *engine, struct engine_keys *keys, uint8_t *packets)
{
	uint8_t body[ENGINE_BODY];
	size_t good;

	packets[KNOWN_BAD * ENGINE_PACKET + ENGINE_BODY] ^= 1;
	if (engine_open(engine, keys, known_number, packets, KNOWN_PACKETS, &good) != ERROR_BAD_MAC ||
	    good != KNOWN_BAD)
		return false;
	for (size_t i = 0; i < KNOWN_BAD; i++) {
		known_body(body, i);
		if (!bytes_equal(packets + i * ENGINE_PACKET, body, ENGINE_BODY))
			return false;
	}
	return true;
}

static bool
knows_the_answers(struct engine *engine)
{
	uint8_t packets[KNOWN_PACKETS * ENGINE_PACKET], e_and_h[64], hash[HASH_SIZE];
	struct engine_keys keys;
	bool knows;

	for (size_t i = 0; i < sizeof e_and_h; i++)
		e_and_h[i] = (uint8_t)i;
	for (size_t i = 0; i < KNOWN_PACKETS; i++)
		known_body(packets + i * ENGINE_PACKET, i);
	if (engine_prepare(engine, &keys, e_and_h, e_and_h + 32) != OK)
		return false;
	knows = engine_seal(engine, &keys, known_number, packets, KNOWN_PACKETS) == OK &&
		hash_sha256(packets, sizeof packets, hash) == OK && bytes_equal(hash, known_hash, HASH_SIZE) &&
		opens_up_to_the_bad_one(engine, &keys, packets);
	engine_forget(engine, &keys);
	return knows;
}

struct engine *
engine_new(enum engine_backend choice)
{
	const struct backend *backend = backends[engine_choose(choice)];
	struct engine *engine = backend == NULL || backend->problem() != NULL ? NULL : malloc(sizeof *engine);

	if (engine == NULL)
		return NULL;
	engine->backend = backend;
	engine->state = backend->new ();
	if (engine->state != NULL && knows_the_answers(engine))
		return engine;
	engine_free(engine);
	return NULL;
}

void
engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	if (engine->state != NULL)
		engine->backend->free(engine->state);
	free(engine);
}

const char *
engine_problem(enum engine_backend choice)
{
	const struct backend *backend = backends[engine_choose(choice)];
	const char *problem = backend == NULL ? "this build has none" : backend->problem();
	struct engine *engine = problem == NULL ? engine_new(choice) : NULL;

	if (problem == NULL && engine == NULL)
		problem = "it does not start, or fails its own test";
	engine_free(engine);
	return problem;
}

enum engine_backend
engine_choose(enum engine_backend choice)
{
	if (choice != ENGINE_BEST)
		return choice;
	return engine_problem(ENGINE_IPSEC_MB) == NULL ? ENGINE_IPSEC_MB : ENGINE_LIBCRYPTO;
}

enum error
engine_prepare(struct engine *engine, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	enum error error = engine->backend->prepare(engine->state, keys, e, h);

	if (error != OK)
		engine_forget(engine, keys);
	return error;
}

void
engine_forget(struct engine *engine, struct engine_keys *keys)
{
	engine->backend->forget(engine->state, keys);
	bytes_wipe(keys, sizeof *keys);
}

enum error
engine_seal(struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	enum error error;

	assert(count >= 1 && count <= ENGINE_BATCH_MAX);
	error = engine->backend->seal(engine->state, keys, number, packets, count);
	if (error != OK)
		bytes_wipe(packets, count * ENGINE_PACKET);
	return error;
}

enum error
engine_open(
    struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	enum error error;

	assert(count >= 1 && count <= ENGINE_BATCH_MAX);
	error = engine->backend->open(engine->state, keys, number, packets, count, good);
	if (error == ERROR_CRYPTO) {
		*good = 0;
		bytes_wipe(packets, count * ENGINE_PACKET);
	}
	return error;
}
