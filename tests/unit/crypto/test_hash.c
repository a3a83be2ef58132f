/* test_hash.c: SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 4231), PBKDF2 (RFC 7914 section 11, and RFC 6070's inputs). */
#include "test.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "crypto/traces.h"
#include "crypto/vectors.h"

static void
sha256_gives_the_published_hashes(void **state)
{
	static const struct {
		const char *text, *hash;
	} cases[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopq"
	     "rstnopqrstu",
		"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};
	uint8_t hash[HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(hash_sha256((const uint8_t *)cases[i].text, strlen(cases[i].text), hash), OK);
		assert_hex(hash, HASH_SIZE, cases[i].hash);
	}
}

static void
a_hash_in_pieces_is_the_hash_of_the_whole(void **state)
{
	struct hash_stream *stream = hash_stream_new();
	uint8_t piece[1000], hash[HASH_SIZE];

	(void)state;
	memset(piece, 'a', sizeof piece);
	for (size_t left = 1000000, step = 1; left > 0; left -= step, step = step % 997 + 1) {
		if (step > left)
			step = left;
		assert_int_equal(hash_stream_add(stream, piece, step), OK);
	}
	assert_int_equal(hash_stream_finish(stream, hash), OK);
	assert_hex(hash, HASH_SIZE, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void
a_stream_can_be_dropped_at_any_time(void **state)
{
	struct hash_stream *stream = hash_stream_new();

	(void)state;
	hash_stream_drop(NULL);
	hash_stream_drop(hash_stream_new());
	assert_int_equal(hash_stream_add(stream, (const uint8_t *)"abc", 3), OK);
	hash_stream_drop(stream);
}

static void
hmac_gives_the_published_macs(void **state)
{
	static const struct {
		size_t key_length, length;
		uint8_t key, byte; /* that both are made of */
		const char *key_text, *text, *mac;
	} cases[] = {
	    {20, 0, 0x0b, 0, NULL, "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	    {0, 0, 0, 0, "Jefe", "what do ya want for nothing?",
		"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	    {20, 50, 0xaa, 0xdd, NULL, NULL, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	    {131, 0, 0xaa, 0, NULL, "Test Using Larger Than Block-Size Key - Hash Key First",
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	    {131, 0, 0xaa, 0, NULL,
		"This is a test using a larger than block-size key and a larger than block-size data. The key needs to "
		"be hashed before being used by the HMAC algorithm.",
		"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
	};
	uint8_t key[131], bytes[50], mac[HASH_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint8_t *k = cases[i].key_text ? (const uint8_t *)cases[i].key_text : key;
		const uint8_t *b = cases[i].text ? (const uint8_t *)cases[i].text : bytes;

		memset(key, cases[i].key, sizeof key);
		memset(bytes, cases[i].byte, sizeof bytes);
		assert_int_equal(hash_hmac(k, cases[i].key_text ? strlen(cases[i].key_text) : cases[i].key_length, b,
				     cases[i].text ? strlen(cases[i].text) : cases[i].length, mac),
		    OK);
		assert_hex(mac, HASH_SIZE, cases[i].mac);
	}
}

/* Their passwords are shorter than our 32 bytes; HMAC pads keys with zeros, so "passwd" and 26 zeros are the same. */
static void
hmac_is_libcryptos_for_each_length_of_a_key(void **state)
{
	uint8_t key[200], mac[HASH_SIZE], expected[HASH_SIZE];
	unsigned length;

	(void)state;
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(11 * i + 5);
	for (size_t n = 0; n <= sizeof key; n++) {
		assert_int_equal(hash_hmac(key, n, key, 3, mac), OK);
		assert_non_null(HMAC(EVP_sha256(), key, (int)n, key, 3, expected, &length));
		assert_memory_equal(mac, expected, sizeof mac);
	}
}

static void
pbkdf2_gives_the_published_bytes(void **state)
{
	static const uint8_t passwd[HASH_SIZE] = "passwd", password[HASH_SIZE] = "password";
	uint8_t out[64];

	(void)state;
	assert_int_equal(hash_pbkdf2(passwd, (const uint8_t *)"salt", 4, out, 64), OK);
	assert_hex(out, 32, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
	assert_hex(out + 32, 32, "49ca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783");
	assert_int_equal(hash_pbkdf2(password, (const uint8_t *)"salt", 4, out, 32), OK);
	assert_hex(out, 32, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
}

static void
pbkdf2_is_libcryptos_for_each_length(void **state)
{
	uint8_t key[HASH_SIZE], salt[320], out[129], expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof salt; i++)
		salt[i] = (uint8_t)(7 * i + 1);
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(255 - 5 * i);
	for (size_t n = 1; n <= 128; n++) {
		size_t salt_length = n % 2 ? 64 : 320;

		out[n] = 0x77;
		assert_int_equal(hash_pbkdf2(key, salt, salt_length, out, n), OK);
		assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)key, sizeof key, salt, (int)salt_length, 1,
				     EVP_sha256(), (int)n, expected),
		    1);
		assert_memory_equal(out, expected, n);
		assert_int_equal(out[n], 0x77);
	}
}

static void
derive(void *remember)
{
	uint8_t key[HASH_SIZE], padded[HASH_SIZE], mac[HASH_SIZE], derived[128];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(0xb7 + 29 * i);
	assert_int_equal(hash_hmac(key, sizeof key, (const uint8_t *)"abc", 3, mac), OK);
	assert_int_equal(hash_pbkdf2(key, (const uint8_t *)"salt", 4, derived, sizeof derived), OK);
	if (remember != NULL) {
		traces_remember(key, sizeof key);
		traces_remember(mac, sizeof mac);
		traces_remember(derived, sizeof derived);
		for (int i = 0; i < 2; i++) {
			for (size_t j = 0; j < sizeof key; j++)
				padded[j] = key[j] ^ (i == 0 ? 0x36 : 0x5c);
			traces_remember(padded, sizeof padded);
		}
		assert_true(traces_found() >= 10);
	}
	bytes_wipe(key, sizeof key);
	bytes_wipe(padded, sizeof padded);
	bytes_wipe(mac, sizeof mac);
	bytes_wipe(derived, sizeof derived);
}

/* Twice: what the first one left may be overwritten by all that remembering takes. */
static void
neither_keys_nor_what_is_derived_from_them_stays_in_memory(void **state)
{
	bool remember = true;

	(void)state;
	if (!traces_can_be_looked_for())
		skip();
	traces_start();
	traces_run_deep(derive, &remember);
	traces_run_deep(derive, NULL);
	assert_int_equal(traces_found(), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sha256_gives_the_published_hashes),
	    cmocka_unit_test(a_hash_in_pieces_is_the_hash_of_the_whole),
	    cmocka_unit_test(a_stream_can_be_dropped_at_any_time),
	    cmocka_unit_test(hmac_gives_the_published_macs),
	    cmocka_unit_test(hmac_is_libcryptos_for_each_length_of_a_key),
	    cmocka_unit_test(pbkdf2_gives_the_published_bytes),
	    cmocka_unit_test(pbkdf2_is_libcryptos_for_each_length),
	    cmocka_unit_test(neither_keys_nor_what_is_derived_from_them_stays_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
