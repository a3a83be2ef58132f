/* backend_libcrypto.c: packets one by one on libcrypto, which every machine has. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/backend.h"
#include "crypto/hash.h"

/*
 * Keys are raw; setting them up in libcrypto costs about half of a packet, so contexts that are set up are kept for the
 * keys that were used last. Slots are found by a serial that no two keys of an engine share, never by an address,
 * which the next connection's keys may have.
 */
enum { SERIAL = 0, KEY_E = 8, KEY_H = KEY_E + 32, SLOTS = 64 };
_Static_assert(KEY_H + 32 <= ENGINE_KEYS_SIZE, "keys fit");

struct slot {
	uint64_t serial; /* 0: nobody's */
	EVP_CIPHER_CTX *cipher;
	EVP_MD_CTX *inner, *outer; /* have hashed the first block of HMAC, the padded key */
};

struct libcrypto {
	uint64_t last_serial;
	EVP_CIPHER *aes;
	EVP_MD *sha256;
	EVP_MD_CTX *work;
	struct slot slots[SLOTS];
};

static bool
hash_padded_key(EVP_MD_CTX *context, const EVP_MD *sha256, const uint8_t h[32], uint8_t pad)
{
	uint8_t block[64];
	bool ok;

	memset(block, pad, sizeof block);
	for (size_t i = 0; i < 32; i++)
		block[i] ^= h[i];
	ok = EVP_DigestInit_ex2(context, sha256, NULL) == 1 && EVP_DigestUpdate(context, block, sizeof block) == 1;
	bytes_wipe(block, sizeof block);
	return ok;
}

static bool
slot_load(const struct libcrypto *state, struct slot *slot, const uint8_t e[32], const uint8_t h[32])
{
	static const uint8_t counter[16];

	return EVP_EncryptInit_ex2(slot->cipher, NULL, e, counter, NULL) == 1 &&
	       hash_padded_key(slot->inner, state->sha256, h, 0x36) &&
	       hash_padded_key(slot->outer, state->sha256, h, 0x5c);
}

/* Overwrites what keys left, by others that are nobody's; one byte of a packet does so for the last counter block. */
static void
slot_wipe(const struct libcrypto *state, struct slot *slot)
{
	static const uint8_t nobody[32];
	uint8_t byte = 0;
	int length;

	slot->serial = 0;
	(void)slot_load(state, slot, nobody, nobody);
	(void)EVP_EncryptUpdate(slot->cipher, &byte, &length, &byte, 1);
}

static struct slot *
slot_of(struct libcrypto *state, const struct engine_keys *keys)
{
	uint64_t serial;
	struct slot *slot;

	memcpy(&serial, keys->bytes + SERIAL, sizeof serial);
	if (serial == 0)
		return NULL; /* keys that were forgotten */
	slot = &state->slots[serial % SLOTS];
	if (slot->serial == serial)
		return slot;
	slot->serial = 0;
	if (!slot_load(state, slot, keys->bytes + KEY_E, keys->bytes + KEY_H)) {
		slot_wipe(state, slot); /* half of it may be there, and half of another's */
		return NULL;
	}
	slot->serial = serial;
	return slot;
}

static const char *
libcrypto_problem(void)
{
	return NULL;
}

static void
libcrypto_free(void *opaque)
{
	struct libcrypto *state = opaque;

	for (size_t i = 0; i < SLOTS; i++) {
		EVP_CIPHER_CTX_free(state->slots[i].cipher);
		EVP_MD_CTX_free(state->slots[i].inner);
		EVP_MD_CTX_free(state->slots[i].outer);
	}
	EVP_MD_CTX_free(state->work);
	EVP_CIPHER_free(state->aes);
	EVP_MD_free(state->sha256);
	free(state);
}

static void *
libcrypto_new(void)
{
	struct libcrypto *state = calloc(1, sizeof *state);
	bool ok;

	if (state == NULL)
		return NULL;
	state->aes = EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL);
	state->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	state->work = EVP_MD_CTX_new();
	ok = state->aes != NULL && state->sha256 != NULL && state->work != NULL;
	for (size_t i = 0; ok && i < SLOTS; i++) {
		struct slot *slot = &state->slots[i];

		slot->cipher = EVP_CIPHER_CTX_new();
		slot->inner = EVP_MD_CTX_new();
		slot->outer = EVP_MD_CTX_new();
		ok = slot->cipher != NULL && slot->inner != NULL && slot->outer != NULL &&
		     EVP_EncryptInit_ex2(slot->cipher, state->aes, NULL, NULL, NULL) == 1;
		if (ok)
			slot_wipe(state, slot); /* makes libcrypto allocate all that it will need */
	}
	if (ok)
		return state;
	libcrypto_free(state);
	return NULL;
}

static enum error
libcrypto_prepare(void *opaque, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	struct libcrypto *state = opaque;
	uint64_t serial = ++state->last_serial;

	memcpy(keys->bytes + SERIAL, &serial, sizeof serial);
	memcpy(keys->bytes + KEY_E, e, 32);
	memcpy(keys->bytes + KEY_H, h, 32);
	return slot_of(state, keys) == NULL ? ERROR_CRYPTO : OK;
}

static void
libcrypto_forget(void *opaque, struct engine_keys *keys)
{
	struct libcrypto *state = opaque;
	uint64_t serial;

	memcpy(&serial, keys->bytes + SERIAL, sizeof serial);
	if (state->slots[serial % SLOTS].serial == serial)
		slot_wipe(state, &state->slots[serial % SLOTS]);
}

/* P2: counter mode is its own inverse. */
static bool
crypt(struct slot *slot, uint64_t number, uint8_t *body)
{
	uint8_t counter[16];
	int length;

	bytes_put_be64(counter, number);
	memset(counter + 8, 0, 8);
	return EVP_EncryptInit_ex2(slot->cipher, NULL, NULL, counter, NULL) == 1 &&
	       EVP_EncryptUpdate(slot->cipher, body, &length, body, ENGINE_BODY) == 1;
}

/*
 * P3, of a body behind which the number stands where the MAC belongs, so that both are one piece. Copying a digest is
 * the cheapest way that libcrypto has to start an HMAC (`make bench-crypto` shows the others), although releases before
 * 3.5 allocate 112 bytes for each copy; they wipe them as well.
 */
static bool
mac_of(const struct libcrypto *state, const struct slot *slot, const uint8_t *body_and_number, uint8_t mac[32])
{
	uint8_t inner[32];
	bool ok;

	ok = EVP_MD_CTX_copy_ex(state->work, slot->inner) == 1 &&
	     EVP_DigestUpdate(state->work, body_and_number, ENGINE_BODY + 8) == 1 &&
	     EVP_DigestFinal_ex(state->work, inner, NULL) == 1 && EVP_MD_CTX_copy_ex(state->work, slot->outer) == 1 &&
	     EVP_DigestUpdate(state->work, inner, sizeof inner) == 1 && EVP_DigestFinal_ex(state->work, mac, NULL) == 1;
	bytes_wipe(inner, sizeof inner);
	return ok;
}

static bool
seal_one(const struct libcrypto *state, struct slot *slot, uint64_t number, uint8_t *packet)
{
	if (!crypt(slot, number, packet))
		return false;
	bytes_put_be64(packet + ENGINE_BODY, number);
	return mac_of(state, slot, packet, packet + ENGINE_BODY);
}

static enum error
libcrypto_seal(void *opaque, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	struct libcrypto *state = opaque;
	struct slot *slot = slot_of(state, keys);

	for (size_t i = 0; i < count; i++) {
		if (slot == NULL || !seal_one(state, slot, number + i, packets + i * ENGINE_PACKET))
			return ERROR_CRYPTO;
	}
	return OK;
}

/* P4 */
static enum error
open_one(const struct libcrypto *state, struct slot *slot, uint64_t number, uint8_t *packet)
{
	uint8_t theirs[ENGINE_MAC], ours[ENGINE_MAC];
	bool made, equal;

	memcpy(theirs, packet + ENGINE_BODY, ENGINE_MAC);
	bytes_put_be64(packet + ENGINE_BODY, number);
	made = mac_of(state, slot, packet, ours);
	equal = made && bytes_equal(ours, theirs, ENGINE_MAC);
	memcpy(packet + ENGINE_BODY, theirs, sizeof number);
	bytes_wipe(ours, sizeof ours); /* of a forgery: whoever knew it could send it */
	if (!made)
		return ERROR_CRYPTO;
	if (!equal)
		return ERROR_BAD_MAC;
	return crypt(slot, number, packet) ? OK : ERROR_CRYPTO;
}

static enum error
libcrypto_open(void *opaque, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	struct libcrypto *state = opaque;
	struct slot *slot = slot_of(state, keys);
	enum error error = slot == NULL ? ERROR_CRYPTO : OK;

	for (*good = 0; error == OK && *good < count; *good += error == OK)
		error = open_one(state, slot, number + *good, packets + *good * ENGINE_PACKET);
	return error;
}

const struct backend backend_libcrypto = {
    .name = "libcrypto",
    .problem = libcrypto_problem,
    .new = libcrypto_new,
    .free = libcrypto_free,
    .prepare = libcrypto_prepare,
    .forget = libcrypto_forget,
    .seal = libcrypto_seal,
    .open = libcrypto_open,
};
