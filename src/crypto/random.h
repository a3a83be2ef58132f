/* random.h: random bytes from the kernel, through libcrypto. */
#ifndef CRYPTO_RANDOM_H
#define CRYPTO_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* OK, or ERROR_RANDOM with bytes wiped: never use them then. Any thread. */
enum error random_bytes(uint8_t *bytes, size_t length);

#endif
