/* hash.h: SHA-256, HMAC-SHA256 and one-iteration PBKDF2-HMAC-SHA256, on libcrypto. */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { HASH_SIZE = 32 };

/*
 * Everything here returns OK or ERROR_CRYPTO (the library failed; the output is wiped then), may be called from any
 * thread, allocates only inside libcrypto, and leaves no copy of a key or an intermediate behind.
 */

/* A hash in pieces, for key files of any length. start, add*, finish; finish or drop release it. */
struct hash_stream;
struct hash_stream *hash_stream_new(void); /* NULL: no memory */
enum error hash_stream_add(struct hash_stream *stream, const uint8_t *bytes, size_t length);
enum error hash_stream_finish(struct hash_stream *stream, uint8_t hash[HASH_SIZE]); /* frees it */
void hash_stream_drop(struct hash_stream *stream);                                  /* frees it; NULL is fine */

enum error hash_sha256(const uint8_t *bytes, size_t length, uint8_t hash[HASH_SIZE]);

enum error hash_hmac(
    const uint8_t *key, size_t key_length, const uint8_t *bytes, size_t length, uint8_t mac[HASH_SIZE]);

/* PBKDF2(K, salt, n) of docs/PROTOCOL.md: password key (32 bytes), 1 iteration, n bytes out, 1 <= n <= 128. */
enum error hash_pbkdf2(const uint8_t key[HASH_SIZE], const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n);

#endif
