/* crypto_ways.h: ways to seal a packet with libcrypto that src/ does not take, to measure ours beside. */
#ifndef CRYPTO_WAYS_H
#define CRYPTO_WAYS_H

#include <stddef.h>
#include <stdint.h>

/* Each works on one packet of ENGINE_PACKET bytes in place. */
struct way {
	const char *name;
	void (*run)(uint8_t *packet, uint64_t number);
};

extern const struct way ways[];
extern const size_t ways_count;

void ways_start(void); /* before any of them */

/* What all is measured against: low-level SHA-256, which libcrypto has deprecated, and a counter mode kept ready. */
void ways_raw(uint8_t *packet, uint64_t number);

#endif
