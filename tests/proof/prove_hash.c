/*
 * prove_hash.c: src/crypto/hash.c with any bytes: every length of an HMAC's key and message, of a salt and of what
 * comes of it, up to the longest that src/ has and one beyond; those that it has end where their memory ends.
 */
#include "crypto/hash.h"

#include "unknown.h"

enum { KEY_MOST = 66, BYTES_MOST = 321, OUT_MOST = 128 };

static uint8_t key[KEY_MOST], bytes[BYTES_MOST], out[OUT_MOST], hash[HASH_SIZE];

static void
hmac(size_t key_length, const uint8_t *first, size_t length)
{
	(void)hash_hmac(key + sizeof key - key_length, key_length, first, length, hash);
	//@ slevel merge;
}

static void
pbkdf2(const uint8_t *salt, size_t salt_length, size_t n)
{
	(void)hash_pbkdf2(key, salt, salt_length, out + sizeof out - n, n);
	//@ slevel merge;
}

static void
stream(void)
{
	struct hash_stream *stream = hash_stream_new();

	hash_stream_drop(NULL);
	if (stream == NULL)
		return;
	if (hash_stream_add(stream, bytes, unknown_size(0, BYTES_MOST)) == OK && unknown_bool())
		(void)hash_stream_finish(stream, hash);
	else
		hash_stream_drop(stream);
}

static void
of_length(const uint8_t *first, size_t length)
{
	hmac(HASH_SIZE, first, length);
	pbkdf2(first, length, OUT_MOST);
	(void)hash_sha256(first, length, hash);
	//@ slevel merge;
}

int
main(void)
{
	unknown_bytes(key, sizeof key);
	unknown_bytes(bytes, sizeof bytes);
	//@ loop unroll 67;
	for (size_t key_length = 0; key_length <= KEY_MOST; key_length++)
		hmac(key_length, bytes, BYTES_MOST);
	//@ loop unroll 128;
	for (size_t n = 1; n <= OUT_MOST; n++)
		pbkdf2(bytes, BYTES_MOST, n);
	//@ loop unroll 11;
	for (size_t length = 0; length < BYTES_MOST; length += HASH_SIZE)
		of_length(bytes + sizeof bytes - length, length);
	of_length(bytes, unknown_size(0, BYTES_MOST));
	stream();
	return 0;
}
