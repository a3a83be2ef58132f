/* group14.h: the 2048-bit MODP group 14 of RFC 3526, generator 2, with 256-bit exponents in constant time. */
#ifndef CRYPTO_GROUP14_H
#define CRYPTO_GROUP14_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { GROUP14_SIZE = 256, GROUP14_EXPONENT = 32 };

/* All numbers are big-endian. Any thread. Intermediates are wiped on every way out. */

/* Once, before the first power and before threads and sandbox: builds what both share. OK, ERROR_CRYPTO, ERROR_MEMORY.
 */
enum error group14_start(void);
void group14_stop(void);

/* Whether an honest end can have sent this y: 1 <= y < p - 1 (S4, C5 and the sentence below the table). y is public. */
bool group14_valid(const uint8_t y[GROUP14_SIZE]);
bool group14_is_one(const uint8_t y[GROUP14_SIZE]);

/* y = 2^x mod p. OK, or ERROR_CRYPTO with y wiped. Time depends on neither x nor y. (C4, S5) */
enum error group14_public(const uint8_t x[GROUP14_EXPONENT], uint8_t y[GROUP14_SIZE]);

/* shared = y^x mod p, for a y that group14_valid. OK, or ERROR_CRYPTO with shared wiped. (C6, S6) */
enum error group14_shared(
    const uint8_t y[GROUP14_SIZE], const uint8_t x[GROUP14_EXPONENT], uint8_t shared[GROUP14_SIZE]);

#endif
