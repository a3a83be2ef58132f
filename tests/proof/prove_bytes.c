/* prove_bytes.c: src/base/bytes.c with any bytes, at every length that src/ has for it and around them. */
#include "base/bytes.h"

#include "unknown.h"

enum { MOST = 64 };

static uint8_t a[MOST], b[MOST];

static void
of_length(size_t length)
{
	uint8_t *a_end = a + sizeof a - length, *b_end = b + sizeof b - length;

	(void)bytes_equal(a_end, b_end, length);
	bytes_copy_if(unknown_bool(), a_end, b_end, length);
	bytes_wipe(a_end, length);
	//@ slevel merge;
}

int
main(void)
{
	uint8_t number[8];

	unknown_bytes(a, sizeof a);
	unknown_bytes(b, sizeof b);
	unknown_bytes(number, sizeof number);
	bytes_put_be32(number + 4, bytes_get_be32(number));
	bytes_put_be64(number, Frama_C_unsigned_long_interval(0, UINT64_MAX));
	//@ loop unroll 65;
	for (size_t length = 0; length <= MOST; length++)
		of_length(length);
	return 0;
}
