/* random.c: random bytes from the kernel, through libcrypto. */
#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>

#include "base/bytes.h"

enum error
random_bytes(uint8_t *bytes, size_t length)
{
	/* The private generator: what we draw holds exponents, and the public one's state should tell nothing of them.
	 */
	if (length <= INT_MAX && RAND_priv_bytes(bytes, (int)length) == 1) {
		uint8_t last[16];

		/* Where libcrypto has no AES instructions its generator keeps the last block: let that be nobody's. */
		(void)RAND_priv_bytes(last, sizeof last);
		return OK;
	}
	bytes_wipe(bytes, length);
	return ERROR_RANDOM;
}
