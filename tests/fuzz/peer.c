/* peer.c: the protocol once more, the plain way (docs/PROTOCOL.md), for tests to compare with. */
#include "peer.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "fuzz.h"

enum { CACHED = 64 };

static void
put_be(uint8_t *out, size_t size, uint64_t value)
{
	for (size_t i = size; i-- > 0; value >>= 8)
		out[i] = (uint8_t)value;
}

void
peer_hmac(const uint8_t key[32], const uint8_t *bytes, size_t length, uint8_t mac[PEER_MAC])
{
	check(HMAC(EVP_sha256(), key, 32, bytes, length, mac, NULL) != NULL);
}

static void
pbkdf2(const uint8_t k[32], const uint8_t *salt, size_t salt_length, uint8_t *out, size_t n)
{
	check(PKCS5_PBKDF2_HMAC((const char *)k, 32, salt, (int)salt_length, 1, EVP_sha256(), (int)n, out) == 1);
}

void
peer_dk_1(const uint8_t k[32], const uint8_t nonces[2 * PEER_NONCE], uint8_t dk_1[64])
{
	pbkdf2(k, nonces, 2 * PEER_NONCE, dk_1, 64);
}

static BIGNUM *
prime(void)
{
	static BIGNUM *p;

	if (p == NULL)
		p = BN_get_rfc3526_prime_2048(NULL);
	check(p != NULL);
	return p;
}

static void
compute_power(const uint8_t *base, const uint8_t x[32], uint8_t power[PEER_Y])
{
	BN_CTX *scratch = BN_CTX_new();
	BIGNUM *b = BN_bin2bn(base, PEER_Y, NULL), *exponent = BN_bin2bn(x, 32, NULL), *result = BN_new();

	check(scratch != NULL && b != NULL && exponent != NULL && result != NULL);
	check(BN_mod_exp(result, b, exponent, prime(), scratch) == 1);
	check(BN_bn2binpad(result, power, PEER_Y) == PEER_Y);
	BN_free(result);
	BN_free(exponent);
	BN_free(b);
	BN_CTX_free(scratch);
}

void
peer_power(const uint8_t *base, const uint8_t x[32], uint8_t power[PEER_Y])
{
	static struct {
		bool is_set;
		uint8_t base[PEER_Y], x[32], power[PEER_Y];
	} cache[CACHED];
	static const uint8_t two[PEER_Y] = {[PEER_Y - 1] = 2};
	uint32_t hash = 0;
	size_t at;

	if (base == NULL)
		base = two;
	for (size_t i = 0; i < PEER_Y; i++)
		hash = 31 * hash + base[i];
	for (size_t i = 0; i < 32; i++)
		hash = 31 * hash + x[i];
	at = hash % CACHED;
	if (!cache[at].is_set || memcmp(cache[at].base, base, PEER_Y) != 0 || memcmp(cache[at].x, x, 32) != 0) {
		compute_power(base, x, cache[at].power);
		memcpy(cache[at].base, base, PEER_Y);
		memcpy(cache[at].x, x, 32);
		cache[at].is_set = true;
	}
	memcpy(power, cache[at].power, PEER_Y);
}

void
peer_near_prime(int offset, uint8_t y[PEER_Y])
{
	BIGNUM *near = BN_dup(prime());

	check(near != NULL);
	check((offset < 0 ? BN_sub_word(near, (BN_ULONG)-offset) : BN_add_word(near, (BN_ULONG)offset)) == 1);
	check(BN_bn2binpad(near, y, PEER_Y) == PEER_Y);
	BN_free(near);
}

bool
peer_valid(const uint8_t y[PEER_Y])
{
	uint8_t last[PEER_Y];

	peer_near_prime(-1, last);
	return !fuzz_is_wiped(y, PEER_Y) && memcmp(y, last, PEER_Y) < 0;
}

bool
peer_is_one(const uint8_t y[PEER_Y])
{
	return fuzz_is_wiped(y, PEER_Y - 1) && y[PEER_Y - 1] == 1;
}

void
peer_dk_2(const uint8_t k[32], const uint8_t nonces[2 * PEER_NONCE], const uint8_t shared[PEER_Y],
    struct peer_keys *client, struct peer_keys *server)
{
	uint8_t salt[2 * PEER_NONCE + PEER_Y], dk_2[128];

	memcpy(salt, nonces, 2 * PEER_NONCE);
	memcpy(salt + 2 * PEER_NONCE, shared, PEER_Y);
	pbkdf2(k, salt, sizeof salt, dk_2, sizeof dk_2);
	memcpy(client->e, dk_2, 32);
	memcpy(client->h, dk_2 + 32, 32);
	memcpy(server->e, dk_2 + 64, 32);
	memcpy(server->h, dk_2 + 96, 32);
}

void
peer_crypt(const struct peer_keys *keys, uint64_t number, uint8_t body[PEER_BODY])
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	uint8_t counter[16] = {0};
	int length;

	put_be(counter, 8, number);
	check(context != NULL && EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, keys->e, counter) == 1);
	check(EVP_EncryptUpdate(context, body, &length, body, PEER_BODY) == 1);
	EVP_CIPHER_CTX_free(context);
}

void
peer_packet_mac(const struct peer_keys *keys, uint64_t number, const uint8_t body[PEER_BODY], uint8_t mac[PEER_MAC])
{
	uint8_t hashed[PEER_BODY + 8];

	memcpy(hashed, body, PEER_BODY);
	put_be(hashed + PEER_BODY, 8, number);
	peer_hmac(keys->h, hashed, sizeof hashed, mac);
}

void
peer_seal(const struct peer_keys *keys, uint64_t number, const uint8_t *plain, size_t have, uint32_t length,
    uint8_t packet[PEER_PACKET])
{
	memset(packet, 0, PEER_BODY);
	memcpy(packet, plain, have);
	put_be(packet + PEER_PLAIN, 4, length);
	peer_crypt(keys, number, packet);
	peer_packet_mac(keys, number, packet, packet + PEER_BODY);
}

enum peer_verdict
peer_open(const struct peer_keys *keys, uint64_t number, const uint8_t packet[PEER_PACKET], uint8_t plain[PEER_PLAIN],
    size_t *length)
{
	uint8_t body[PEER_BODY], mac[PEER_MAC];

	*length = 0;
	peer_packet_mac(keys, number, packet, mac);
	if (memcmp(mac, packet + PEER_BODY, PEER_MAC) != 0)
		return PEER_BAD_MAC;
	memcpy(body, packet, PEER_BODY);
	peer_crypt(keys, number, body);
	for (size_t i = PEER_PLAIN; i < PEER_BODY; i++)
		*length = *length << 8 | body[i];
	if (*length >= 1 && *length <= PEER_PLAIN) {
		memcpy(plain, body, *length);
		return PEER_GOOD;
	}
	*length = 0;
	return PEER_BAD_LENGTH;
}
