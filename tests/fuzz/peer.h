/*
 * peer.h: the protocol once more, the plain way, on libcrypto's one-shot calls and without a line of src/: what keyed
 * targets make MACs with, and what all of them compare with. Slow and full of secrets; for tests only.
 */
#ifndef TESTS_FUZZ_PEER_H
#define TESTS_FUZZ_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PEER_NONCE = 32, PEER_Y = 256, PEER_MAC = 32, PEER_BODY = 1028, PEER_PACKET = 1060, PEER_PLAIN = 1024 };

/* One direction's keys: E and H. */
struct peer_keys {
	uint8_t e[32], h[32];
};

/* HMAC-SHA256 under a key of 32 bytes. */
void peer_hmac(const uint8_t key[32], const uint8_t *bytes, size_t length, uint8_t mac[PEER_MAC]);

/* C3, S3: dhmac_C and dhmac_S. */
void peer_dk_1(const uint8_t k[32], const uint8_t nonces[2 * PEER_NONCE], uint8_t dk_1[64]);

/* base ^ x mod p; base NULL: 2 ^ x. The last few are kept, since fuzzers ask the same again and again. */
void peer_power(const uint8_t *base, const uint8_t x[32], uint8_t power[PEER_Y]);

/* p plus a small number, as y. */
void peer_near_prime(int offset, uint8_t y[PEER_Y]);

/* Whether an honest end can have sent y: 1 <= y < p - 1. */
bool peer_valid(const uint8_t y[PEER_Y]);
bool peer_is_one(const uint8_t y[PEER_Y]);

/* C7, S7: the keys of the client's packets and those of the server's. */
void peer_dk_2(const uint8_t k[32], const uint8_t nonces[2 * PEER_NONCE], const uint8_t shared[PEER_Y],
    struct peer_keys *client, struct peer_keys *server);

/* P2, both ways: it is its own inverse. */
void peer_crypt(const struct peer_keys *keys, uint64_t number, uint8_t body[PEER_BODY]);

/* P3: the MAC of a sealed body. */
void peer_packet_mac(
    const struct peer_keys *keys, uint64_t number, const uint8_t body[PEER_BODY], uint8_t mac[PEER_MAC]);

/* P1 to P3: one packet of length plain bytes; any length goes into it, also a wrong one, plain being at most 1024. */
void peer_seal(const struct peer_keys *keys, uint64_t number, const uint8_t *plain, size_t have, uint32_t length,
    uint8_t packet[PEER_PACKET]);

/* P4: PEER_GOOD with *length bytes in plain, or what is wrong with it. */
enum peer_verdict { PEER_GOOD, PEER_BAD_MAC, PEER_BAD_LENGTH };
enum peer_verdict peer_open(const struct peer_keys *keys, uint64_t number, const uint8_t packet[PEER_PACKET],
    uint8_t plain[PEER_PLAIN], size_t *length);

#endif
