/* hash.c: SHA-256, HMAC-SHA256 and one-iteration PBKDF2-HMAC-SHA256, on libcrypto. */
#include "crypto/hash.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { BLOCK = 64 };

struct hash_stream {
	EVP_MD_CTX *context;
};

/*
 * Looking an algorithm up by name costs more than hashing a few blocks, so it is done once, by whoever comes first,
 * and kept for good; of two threads that come first together, one throws its own away.
 */
static const EVP_MD *
sha256(void)
{
	static _Atomic(EVP_MD *) kept;
	EVP_MD *found = atomic_load(&kept), *nobody = NULL;

	if (found != NULL)
		return found;
	found = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (found == NULL || atomic_compare_exchange_strong(&kept, &nobody, found))
		return found;
	EVP_MD_free(found);
	return nobody;
}

struct hash_stream *
hash_stream_new(void)
{
	struct hash_stream *stream = malloc(sizeof *stream);

	if (stream == NULL)
		return NULL;
	stream->context = EVP_MD_CTX_new();
	if (stream->context != NULL && EVP_DigestInit_ex2(stream->context, sha256(), NULL) == 1)
		return stream;
	hash_stream_drop(stream);
	return NULL;
}

enum error
hash_stream_add(struct hash_stream *stream, const uint8_t *bytes, size_t length)
{
	return EVP_DigestUpdate(stream->context, bytes, length) == 1 ? OK : ERROR_CRYPTO;
}

enum error
hash_stream_finish(struct hash_stream *stream, uint8_t hash[HASH_SIZE])
{
	enum error error = EVP_DigestFinal_ex(stream->context, hash, NULL) == 1 ? OK : ERROR_CRYPTO;

	hash_stream_drop(stream);
	if (error != OK)
		bytes_wipe(hash, HASH_SIZE);
	return error;
}

void
hash_stream_drop(struct hash_stream *stream)
{
	if (stream == NULL)
		return;
	EVP_MD_CTX_free(stream->context); /* libcrypto wipes the state */
	free(stream);
}

/* The hash of three pieces, any of which may be empty. */
static enum error
hash_pieces(EVP_MD_CTX *context, const uint8_t block[BLOCK], const uint8_t *a, size_t a_length, const uint8_t *b,
    size_t b_length, uint8_t hash[HASH_SIZE])
{
	if (EVP_DigestInit_ex2(context, sha256(), NULL) == 1 &&
	    (block == NULL || EVP_DigestUpdate(context, block, BLOCK) == 1) &&
	    EVP_DigestUpdate(context, a, a_length) == 1 && EVP_DigestUpdate(context, b, b_length) == 1 &&
	    EVP_DigestFinal_ex(context, hash, NULL) == 1)
		return OK;
	return ERROR_CRYPTO;
}

/* HMAC (RFC 2104) of two pieces. */
static enum error
hmac_pieces(EVP_MD_CTX *context, const uint8_t *key, size_t key_length, const uint8_t *a, size_t a_length,
    const uint8_t *b, size_t b_length, uint8_t mac[HASH_SIZE])
{
	uint8_t pad[BLOCK] = {0}, inner[HASH_SIZE];
	enum error error = OK;

	if (key_length > BLOCK)
		error = hash_pieces(context, NULL, key, key_length, NULL, 0, pad);
	else if (key_length > 0)
		memcpy(pad, key, key_length);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36;
	if (error == OK)
		error = hash_pieces(context, pad, a, a_length, b, b_length, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	if (error == OK)
		error = hash_pieces(context, pad, inner, sizeof inner, NULL, 0, mac);
	bytes_wipe(pad, sizeof pad);
	bytes_wipe(inner, sizeof inner);
	if (error != OK)
		bytes_wipe(mac, HASH_SIZE);
	return error;
}

enum error
hash_sha256(const uint8_t *bytes, size_t length, uint8_t hash[HASH_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	enum error error = context == NULL ? ERROR_CRYPTO : hash_pieces(context, NULL, bytes, length, NULL, 0, hash);

	EVP_MD_CTX_free(context);
	if (error != OK)
		bytes_wipe(hash, HASH_SIZE);
	return error;
}

enum error
hash_hmac(const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t mac[HASH_SIZE])
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	enum error error = ERROR_CRYPTO;

	if (context != NULL)
		error = hmac_pieces(context, key, key_length, bytes, length, NULL, 0, mac);
	else
		bytes_wipe(mac, HASH_SIZE);
	EVP_MD_CTX_free(context);
	return error;
}

/* With one iteration, block i of PBKDF2 (RFC 8018) is no more than HMAC(K, salt || be32(i)), from i = 1. */
enum error
hash_pbkdf2(const uint8_t key[HASH_SIZE], const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	enum error error = context == NULL ? ERROR_CRYPTO : OK;
	uint8_t block[HASH_SIZE], index[4];

	for (size_t at = 0; error == OK && at < n; at += HASH_SIZE) {
		bytes_put_be32(index, (uint32_t)(at / HASH_SIZE + 1));
		error = hmac_pieces(context, key, HASH_SIZE, salt, salt_length, index, sizeof index, block);
		memcpy(out + at, block, n - at < HASH_SIZE ? n - at : HASH_SIZE);
	}
	bytes_wipe(block, sizeof block);
	EVP_MD_CTX_free(context);
	if (error != OK)
		bytes_wipe(out, n);
	return error;
}
