/*
 * failing.h: the calls of libcrypto's, and for memory, that src/crypto checks the result of; and a comparison, which
 * fails by saying the opposite of what is true.
 */
#ifndef CRYPTO_FAILING_H
#define CRYPTO_FAILING_H

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

/* What it returns, and when it fails; its name, and its arguments. */
#define FUNCTIONS(X)                                                                                                  \
	X(void *, NULL, malloc, (size_t size), (size))                                                                \
	X(void *, NULL, calloc, (size_t count, size_t size), (count, size))                                           \
	X(void *, NULL, aligned_alloc, (size_t alignment, size_t size), (alignment, size))                            \
	X(EVP_MD *, NULL, EVP_MD_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))                  \
	X(EVP_CIPHER *, NULL, EVP_CIPHER_fetch, (OSSL_LIB_CTX * c, const char *n, const char *p), (c, n, p))          \
	X(EVP_MD_CTX *, NULL, EVP_MD_CTX_new, (void), ())                                                             \
	X(EVP_CIPHER_CTX *, NULL, EVP_CIPHER_CTX_new, (void), ())                                                     \
	X(int, 0, EVP_DigestInit_ex2, (EVP_MD_CTX * c, const EVP_MD *t, const OSSL_PARAM *p), (c, t, p))              \
	X(int, 0, EVP_DigestUpdate, (EVP_MD_CTX * c, const void *d, size_t n), (c, d, n))                             \
	X(int, 0, EVP_DigestFinal_ex, (EVP_MD_CTX * c, unsigned char *m, unsigned *n), (c, m, n))                     \
	X(int, 0, EVP_MD_CTX_copy_ex, (EVP_MD_CTX * o, const EVP_MD_CTX *i), (o, i))                                  \
	X(int, 0, EVP_EncryptInit_ex2,                                                                                \
	    (EVP_CIPHER_CTX * c, const EVP_CIPHER *t, const unsigned char *k, const unsigned char *i,                 \
		const OSSL_PARAM *p),                                                                                 \
	    (c, t, k, i, p))                                                                                          \
	X(int, 0, EVP_EncryptUpdate, (EVP_CIPHER_CTX * c, unsigned char *o, int *l, const unsigned char *i, int n),   \
	    (c, o, l, i, n))                                                                                          \
	X(BN_CTX *, NULL, BN_CTX_new, (void), ())                                                                     \
	X(BIGNUM *, NULL, BN_new, (void), ())                                                                         \
	X(BIGNUM *, NULL, BN_bin2bn, (const unsigned char *s, int n, BIGNUM *b), (s, n, b))                           \
	X(int, -1, BN_bn2binpad, (const BIGNUM *b, unsigned char *o, int n), (b, o, n))                               \
	X(int, -1, BN_bn2lebinpad, (const BIGNUM *b, unsigned char *o, int n), (b, o, n))                             \
	X(BIGNUM *, NULL, BN_lebin2bn, (const unsigned char *s, int n, BIGNUM *b), (s, n, b))                         \
	X(int, 0, BN_num_bits, (const BIGNUM *b), (b))                                                                \
	X(int, 0, BN_set_word, (BIGNUM * b, BN_ULONG w), (b, w))                                                      \
	X(BN_MONT_CTX *, NULL, BN_MONT_CTX_new, (void), ())                                                           \
	X(int, 0, BN_MONT_CTX_set, (BN_MONT_CTX * m, const BIGNUM *b, BN_CTX *c), (m, b, c))                          \
	X(int, 0, BN_to_montgomery, (BIGNUM * r, const BIGNUM *a, BN_MONT_CTX *m, BN_CTX *c), (r, a, m, c))           \
	X(int, 0, BN_mod_mul_montgomery, (BIGNUM * r, const BIGNUM *a, const BIGNUM *b, BN_MONT_CTX *m, BN_CTX *c),   \
	    (r, a, b, m, c))                                                                                          \
	X(int, 0, BN_mod_exp_mont,                                                                                    \
	    (BIGNUM * r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *n, BN_CTX *c, BN_MONT_CTX *m),               \
	    (r, a, p, n, c, m))                                                                                       \
	X(int, 0, BN_mod_exp_mont_consttime,                                                                          \
	    (BIGNUM * r, const BIGNUM *a, const BIGNUM *p, const BIGNUM *n, BN_CTX *c, BN_MONT_CTX *m),               \
	    (r, a, p, n, c, m))                                                                                       \
	X(BIGNUM *, NULL, BN_mod_inverse, (BIGNUM * r, const BIGNUM *a, const BIGNUM *n, BN_CTX *c), (r, a, n, c))    \
	X(bool, !__real_bytes_equal(a, b, n), bytes_equal, (const uint8_t *a, const uint8_t *b, size_t n), (a, b, n)) \
	X(int, 0, RAND_priv_bytes, (unsigned char *b, int n), (b, n))

#endif
