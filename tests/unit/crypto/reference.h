/* reference.h: P2 and P3 for one packet, the plain way, on libcrypto's one-shot calls; and what keys turn into. */
#ifndef CRYPTO_REFERENCE_H
#define CRYPTO_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

void reference_ctr(const uint8_t e[32], const uint8_t counter[16], uint8_t *bytes, size_t length);
void reference_seal(const uint8_t e[32], const uint8_t h[32], uint64_t number, uint8_t *packet);

/* AES-256's 15 round keys as they stand in memory, and SHA-256's state after h padded with pad. */
void reference_round_keys(const uint8_t e[32], uint8_t keys[240]);
void reference_padded_state(const uint8_t h[32], uint8_t pad, uint8_t state[32]);

#endif
