/* crypto_ways.c: ways to seal a packet with libcrypto that src/ does not take, deprecated calls among them. */
#undef OPENSSL_NO_DEPRECATED
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto_ways.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/engine.h"

static const uint8_t key[32] = {1, 2, 3};
static uint8_t pads[2][64];
static SHA256_CTX low_inner, low_outer;
static EVP_MD *sha256;
static EVP_MD_CTX *inner, *outer, *work;
static EVP_MAC_CTX *mac;
static EVP_CIPHER_CTX *ctr, *ecb;

static void
need(int ok)
{
	if (ok == 1)
		return;
	(void)fprintf(stderr, "crypto_bench: libcrypto failed\n");
	exit(1);
}

static void
hash_pad(EVP_MD_CTX *context, const uint8_t *pad)
{
	need(EVP_DigestInit_ex2(context, sha256, NULL));
	need(EVP_DigestUpdate(context, pad, 64));
}

void
ways_start(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	char digest[] = "SHA256";
	const OSSL_PARAM parameters[] = {
	    OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};

	memset(pads[0], 0x36, 64);
	memset(pads[1], 0x5c, 64);
	for (size_t i = 0; i < sizeof key; i++) {
		pads[0][i] ^= key[i];
		pads[1][i] ^= key[i];
	}
	SHA256_Init(&low_inner);
	SHA256_Update(&low_inner, pads[0], 64);
	SHA256_Init(&low_outer);
	SHA256_Update(&low_outer, pads[1], 64);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	inner = EVP_MD_CTX_new();
	outer = EVP_MD_CTX_new();
	work = EVP_MD_CTX_new();
	hash_pad(inner, pads[0]);
	hash_pad(outer, pads[1]);
	mac = EVP_MAC_CTX_new(hmac);
	need(EVP_MAC_init(mac, key, sizeof key, parameters));
	ctr = EVP_CIPHER_CTX_new();
	need(EVP_EncryptInit_ex2(ctr, EVP_CIPHER_fetch(NULL, "AES-256-CTR", NULL), key, pads[0], NULL));
	ecb = EVP_CIPHER_CTX_new();
	need(EVP_EncryptInit_ex2(ecb, EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL), key, NULL, NULL));
}

static void
hmac_low_level(uint8_t *packet, uint64_t number)
{
	SHA256_CTX context = low_inner;
	uint8_t end[8], hash[32];

	bytes_put_be64(end, number);
	SHA256_Update(&context, packet, ENGINE_BODY);
	SHA256_Update(&context, end, sizeof end);
	SHA256_Final(hash, &context);
	context = low_outer;
	SHA256_Update(&context, hash, sizeof hash);
	SHA256_Final(packet + ENGINE_BODY, &context);
}

static void
hash_rest(const uint8_t *packet, uint64_t number, uint8_t hash[32])
{
	uint8_t end[8];

	bytes_put_be64(end, number);
	need(EVP_DigestUpdate(work, packet, ENGINE_BODY));
	need(EVP_DigestUpdate(work, end, sizeof end));
	need(EVP_DigestFinal_ex(work, hash, NULL));
}

static void
hmac_copied(uint8_t *packet, uint64_t number)
{
	uint8_t hash[32];

	need(EVP_MD_CTX_copy_ex(work, inner));
	hash_rest(packet, number, hash);
	need(EVP_MD_CTX_copy_ex(work, outer));
	need(EVP_DigestUpdate(work, hash, sizeof hash));
	need(EVP_DigestFinal_ex(work, packet + ENGINE_BODY, NULL));
}

static void
hmac_afresh(uint8_t *packet, uint64_t number)
{
	uint8_t hash[32];

	hash_pad(work, pads[0]);
	hash_rest(packet, number, hash);
	hash_pad(work, pads[1]);
	need(EVP_DigestUpdate(work, hash, sizeof hash));
	need(EVP_DigestFinal_ex(work, packet + ENGINE_BODY, NULL));
}

static void
hmac_without_key(uint8_t *packet, uint64_t number)
{
	uint8_t end[8];
	size_t length;

	bytes_put_be64(end, number);
	need(EVP_MAC_init(mac, NULL, 0, NULL));
	need(EVP_MAC_update(mac, packet, ENGINE_BODY));
	need(EVP_MAC_update(mac, end, sizeof end));
	need(EVP_MAC_final(mac, packet + ENGINE_BODY, &length, 32));
}

static void
ctr_new_counter(uint8_t *packet, uint64_t number)
{
	uint8_t counter[16] = {0};
	int length;

	bytes_put_be64(counter, number);
	need(EVP_EncryptInit_ex2(ctr, NULL, NULL, counter, NULL));
	need(EVP_EncryptUpdate(ctr, packet, &length, packet, ENGINE_BODY));
}

/* Not the right bytes, but the work of the right ones: whole blocks, so that there is no end to treat apart. */
static void
ctr_going_on(uint8_t *packet, uint64_t number)
{
	int length;

	(void)number;
	need(EVP_EncryptUpdate(ctr, packet, &length, packet, ENGINE_BODY / 16 * 16));
}

static void
ctr_of_ecb(uint8_t *packet, uint64_t number)
{
	enum { BLOCKS = ENGINE_BODY / 16 + 1 };
	static _Alignas(16) uint8_t stream[BLOCKS * 16];
	int length;

	for (uint64_t block = 0; block < BLOCKS; block++) {
		bytes_put_be64(stream + 16 * block, number);
		bytes_put_be64(stream + 16 * block + 8, block);
	}
	need(EVP_EncryptUpdate(ecb, stream, &length, stream, sizeof stream));
	for (size_t i = 0; i < ENGINE_BODY; i++)
		packet[i] ^= stream[i];
}

void
ways_raw(uint8_t *packet, uint64_t number)
{
	ctr_new_counter(packet, number);
	hmac_low_level(packet, number);
}

const struct way ways[] = {
    {"HMAC, low level (deprecated)", hmac_low_level},
    {"HMAC, digests copied", hmac_copied},
    {"HMAC, both pads hashed afresh", hmac_afresh},
    {"HMAC, EVP_MAC without a new key", hmac_without_key},
    {"CTR, a new counter block", ctr_new_counter},
    {"CTR, going on (the work itself)", ctr_going_on},
    {"CTR, as ECB over counter blocks", ctr_of_ecb},
};
const size_t ways_count = sizeof ways / sizeof ways[0];
