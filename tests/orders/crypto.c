/* crypto.c: see crypto.h. It stands in for the library crypto/, which is not linked. */
#include "crypto.h"

#include <string.h>

#include "base/bytes.h"

void
crypto_mac(uint8_t key, uint8_t mac[WIRE_MAC])
{
	memset(mac, key ^ 0x80, WIRE_MAC);
}

void
crypto_packet_mac(uint8_t key, uint64_t number, uint8_t mac[WIRE_MAC])
{
	crypto_mac(key, mac);
	bytes_put_be64(mac, number);
}

enum error
hash_pbkdf2(const uint8_t key[HASH_SIZE], const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)((n <= WIRE_DK_1 ? CRYPTO_DHMAC_C : CRYPTO_E_C) + i / WIRE_KEY);
	return OK;
}

enum error
hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t mac[HASH_SIZE])
{
	crypto_mac(key[0], mac);
	return OK;
}

bool
group14_valid(const uint8_t y[GROUP14_SIZE])
{
	return y[WIRE_Y - 1] != CRYPTO_BAD_Y;
}

bool
group14_is_one(const uint8_t y[GROUP14_SIZE])
{
	return false;
}

/* Nobody runs a job here. */
enum error
group14_public(const uint8_t x[GROUP14_EXPONENT], uint8_t y[GROUP14_SIZE])
{
	return ERROR_CRYPTO;
}

enum error
group14_shared(const uint8_t y[GROUP14_SIZE], const uint8_t x[GROUP14_EXPONENT], uint8_t shared[GROUP14_SIZE])
{
	return ERROR_CRYPTO;
}

enum error
engine_prepare(struct engine *engine, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	memset(keys, 0, sizeof *keys);
	keys->bytes[0] = e[0];
	keys->bytes[1] = h[0];
	engine->live++;
	return OK;
}

void
engine_forget(struct engine *engine, struct engine_keys *keys)
{
	engine->live -= keys->bytes[0] != 0;
	memset(keys, 0, sizeof *keys);
}

enum error
engine_seal(struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	if (engine->fails) {
		engine->fails = false;
		memset(packets, 0, count * ENGINE_PACKET);
		return ERROR_CRYPTO;
	}
	for (size_t i = 0; i < count; i++)
		crypto_packet_mac(keys->bytes[1], number + i, packets + i * ENGINE_PACKET + ENGINE_BODY);
	return OK;
}

enum error
engine_open(
    struct engine *engine, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	uint8_t mac[WIRE_MAC];

	for (*good = 0; *good < count; (*good)++) {
		crypto_packet_mac(keys->bytes[1], number + *good, mac);
		if (memcmp(packets + *good * ENGINE_PACKET + ENGINE_BODY, mac, WIRE_MAC) != 0)
			return ERROR_BAD_MAC;
	}
	return OK;
}
