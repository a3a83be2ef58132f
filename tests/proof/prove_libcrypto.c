/*
 * prove_libcrypto.c: src/crypto/backend_libcrypto.c with any keys, number and bytes of packets: one to three packets
 * and the most of them, ending where their memory ends; with keys whose slot is set up, is somebody else's or nobody's,
 * and with keys that were forgotten.
 */
#include "crypto/backend_libcrypto.c"
#include "unknown.h"

static uint8_t packets[ENGINE_BATCH_MAX * ENGINE_PACKET];
static struct libcrypto state;
static EVP_CIPHER_CTX ciphers[SLOTS];
static EVP_MD_CTX inner[SLOTS], outer[SLOTS], work;
static EVP_CIPHER aes;
static EVP_MD sha256_;

/* What libcrypto_new leaves: all contexts are there, and a cipher is set. */
static void
made(void)
{
	state = (struct libcrypto){.aes = &aes, .sha256 = &sha256_, .work = &work};
	work.there = 1;
	//@ loop unroll 64;
	for (size_t i = 0; i < SLOTS; i++) {
		ciphers[i] = (EVP_CIPHER_CTX){.there = 1, .set_up = 1};
		inner[i].there = outer[i].there = 1;
		state.slots[i] = (struct slot){.cipher = &ciphers[i], .inner = &inner[i], .outer = &outer[i]};
	}
}

static void
open(struct engine_keys *keys, size_t count)
{
	uint64_t number = Frama_C_unsigned_long_interval(0, UINT64_MAX);
	size_t good;

	(void)backend_libcrypto.open(
	    &state, keys, number, packets + sizeof packets - count * ENGINE_PACKET, count, &good);
	//@ assert good: good <= count;
	//@ slevel merge;
}

static void
seal(struct engine_keys *keys, size_t count)
{
	uint64_t number = Frama_C_unsigned_long_interval(0, UINT64_MAX);

	(void)backend_libcrypto.seal(&state, keys, number, packets + sizeof packets - count * ENGINE_PACKET, count);
	//@ slevel merge;
}

/* The slot is set up. */
static void
any_count(struct engine_keys *keys)
{
	open(keys, 1);
	open(keys, 2);
	open(keys, 3);
	open(keys, ENGINE_BATCH_MAX);
	seal(keys, 2);
	//@ slevel merge;
}

static void
with_keys(uint64_t serial)
{
	struct engine_keys keys;
	uint8_t e[32], h[32];

	unknown_bytes(e, sizeof e);
	unknown_bytes(h, sizeof h);
	unknown_bytes(packets, sizeof packets);
	state.last_serial = serial - 1;
	if (backend_libcrypto.prepare(&state, &keys, e, h) == OK)
		any_count(&keys);
	//@ slevel merge;
	state.slots[serial % SLOTS].serial = unknown_bool() ? serial + SLOTS : 0;
	open(&keys, 3);
	state.slots[serial % SLOTS].serial = unknown_bool() ? serial + SLOTS : 0;
	seal(&keys, 3);
	backend_libcrypto.forget(&state, &keys);
	bytes_wipe(&keys, sizeof keys);
	open(&keys, 3);
	seal(&keys, 3);
}

int
main(void)
{
	made();
	with_keys(1);
	with_keys(SLOTS - 1);
	with_keys(3 * SLOTS);
	return 0;
}
