/* hash_stream.c: stands in for the streams of src/crypto/hash.c, as src/crypto/hash.h promises them. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "unknown.h"

struct hash_stream {
	char opaque;
};

struct hash_stream *
hash_stream_new(void)
{
	struct hash_stream *stream = malloc(sizeof *stream);

	if (stream != NULL)
		stream->opaque = 0;
	return stream;
}

/*@ requires stream: \valid(stream);
    requires bytes: \valid_read(bytes + (0 .. length - 1)) && \initialized(bytes + (0 .. length - 1)); */
enum error
hash_stream_add(struct hash_stream *stream, const uint8_t *bytes, size_t length)
{
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires stream: \valid(stream);
    requires room: \valid(hash + (0 .. 31)); */
enum error
hash_stream_finish(struct hash_stream *stream, uint8_t hash[HASH_SIZE])
{
	free(stream);
	unknown_bytes(hash, HASH_SIZE);
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires stream: stream == \null || \valid(stream); */
void
hash_stream_drop(struct hash_stream *stream)
{
	free(stream);
}
