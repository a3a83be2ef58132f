/* traces.h: looks through all writable memory of this process for secrets that should be gone. */
#ifndef CRYPTO_TRACES_H
#define CRYPTO_TRACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sanitizers map terabytes of shadow that this cannot walk: tests skip() then. */
bool traces_can_be_looked_for(void);

void traces_start(void);
/* Remembers a secret of at least 16 bytes by its complement, so that this is no trace itself; the caller wipes it. */
void traces_remember(const uint8_t *secret, size_t length);
/* The same, as the words of a big number or of a hash state stand in memory on a little-endian machine. */
void traces_remember_reversed(const uint8_t *secret, size_t length);
/* Runs something far down the stack, where what it leaves is not overwritten by what comes next, the search included.
 */
void traces_run_deep(void (*run)(void *context), void *context);
/* How many of the 16-byte pieces that were remembered are somewhere. */
size_t traces_found(void);

#endif
