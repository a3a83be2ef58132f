/* reference.c: P2 and P3 for one packet, the plain way. Low-level calls, which src/ must not use, show the inside. */
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/reference.h"

#include <openssl/aes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/engine.h"
#include "test.h"

void
reference_ctr(const uint8_t e[32], const uint8_t counter[16], uint8_t *bytes, size_t length)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	int written;

	assert_int_equal(EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, e, counter), 1);
	assert_int_equal(EVP_EncryptUpdate(context, bytes, &written, bytes, (int)length), 1);
	EVP_CIPHER_CTX_free(context);
}

void
reference_seal(const uint8_t e[32], const uint8_t h[32], uint64_t number, uint8_t *packet)
{
	uint8_t counter[16] = {0}, hashed[ENGINE_BODY + 8];

	bytes_put_be64(counter, number);
	reference_ctr(e, counter, packet, ENGINE_BODY);
	memcpy(hashed, packet, ENGINE_BODY);
	bytes_put_be64(hashed + ENGINE_BODY, number);
	assert_non_null(HMAC(EVP_sha256(), h, 32, hashed, sizeof hashed, packet + ENGINE_BODY, NULL));
}

void
reference_round_keys(const uint8_t e[32], uint8_t keys[240])
{
	AES_KEY schedule;
	uint32_t word;

	assert_int_equal(AES_set_encrypt_key(e, 256, &schedule), 0);
	for (size_t i = 0; i < 60; i++) {
		memcpy(&word, (const uint8_t *)schedule.rd_key + 4 * i, sizeof word);
		bytes_put_be32(keys + 4 * i, word);
	}
	/* With AES instructions it holds bytes, without them words: the first ones are the key itself. */
	if (memcmp(keys, e, 4) != 0)
		memcpy(keys, schedule.rd_key, 240);
	assert_memory_equal(keys, e, 32);
	bytes_wipe(&schedule, sizeof schedule);
}

void
reference_padded_state(const uint8_t h[32], uint8_t pad, uint8_t state[32])
{
	uint8_t block[64];
	SHA256_CTX context;

	memset(block, pad, sizeof block);
	for (size_t i = 0; i < 32; i++)
		block[i] ^= h[i];
	assert_int_equal(SHA256_Init(&context), 1);
	SHA256_Transform(&context, block);
	memcpy(state, context.h, 32);
	bytes_wipe(&context, sizeof context);
	bytes_wipe(block, sizeof block);
}
