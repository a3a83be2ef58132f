/* bytes.h: big-endian numbers, wiping, and comparing and choosing without telling what. No I/O, no allocation. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void bytes_put_be32(uint8_t out[4], uint32_t value);
void bytes_put_be64(uint8_t out[8], uint64_t value);
uint32_t bytes_get_be32(const uint8_t in[4]);

/* Overwrite with zeros in a way that no optimiser removes. length may be 0. Any thread. */
void bytes_wipe(void *bytes, size_t length);

/* Whether length bytes are the same, in time that depends on length only. Any thread. */
bool bytes_equal(const uint8_t *a, const uint8_t *b, size_t length);

/* Copy if wanted, in time that depends on length only; to must hold something before. Any thread. */
void bytes_copy_if(bool wanted, void *to, const void *from, size_t length);

#endif
