/* libcrypto.c: stands in for libcrypto in the proof: whatever it answers is unknown, and any call may fail. */
#include "unknown.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct evp_md_st {
	char opaque;
};
struct evp_md_ctx_st {
	char opaque;
};
struct evp_cipher_st {
	char opaque;
};
struct evp_cipher_ctx_st {
	char opaque;
};

static EVP_MD an_md;
static EVP_CIPHER a_cipher;

EVP_MD *
EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
	return unknown_bool() ? &an_md : NULL;
}

void
EVP_MD_free(EVP_MD *md)
{
}

EVP_MD_CTX *
EVP_MD_CTX_new(void)
{
	return malloc(sizeof(EVP_MD_CTX));
}

void
EVP_MD_CTX_free(EVP_MD_CTX *context)
{
	free(context);
}

int
EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *md, const OSSL_PARAM *parameters)
{
	return md != NULL && unknown_bool();
}

int
EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t count)
{
	return unknown_bool();
}

int
EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned int *length)
{
	if (unknown_bool())
		return 0;
	unknown_bytes(hash, 32);
	if (length != NULL)
		*length = 32;
	return 1;
}

int
EVP_MD_CTX_copy_ex(EVP_MD_CTX *to, const EVP_MD_CTX *from)
{
	return unknown_bool();
}

EVP_CIPHER *
EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
	return unknown_bool() ? &a_cipher : NULL;
}

void
EVP_CIPHER_free(EVP_CIPHER *cipher)
{
}

EVP_CIPHER_CTX *
EVP_CIPHER_CTX_new(void)
{
	return malloc(sizeof(EVP_CIPHER_CTX));
}

void
EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context)
{
	free(context);
}

int
EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM *parameters)
{
	return unknown_bool();
}

int
EVP_EncryptUpdate(
    EVP_CIPHER_CTX *context, unsigned char *out, int *out_length, const unsigned char *in, int in_length)
{
	if (unknown_bool())
		return 0;
	unknown_bytes(out, (size_t)in_length);
	*out_length = in_length;
	return 1;
}
