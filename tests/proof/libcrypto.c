/*
 * libcrypto.c: does no more than the contracts of include/openssl/evp.h allow: a call fails at any time, and has then
 * written nothing, or anything.
 */
#include "unknown.h"

#include <openssl/evp.h>

enum { CONTEXTS = 256 };

static EVP_MD sha256;
static EVP_CIPHER aes;
static EVP_MD_CTX digests[CONTEXTS];
static EVP_CIPHER_CTX ciphers[CONTEXTS];

EVP_MD *
EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
	return unknown_bool() ? &sha256 : NULL;
}

void
EVP_MD_free(EVP_MD *md)
{
}

EVP_MD_CTX *
EVP_MD_CTX_new(void)
{
	//@ loop unroll 256;
	for (int i = 0; i < CONTEXTS; i++) {
		if (digests[i].there)
			continue;
		if (unknown_bool())
			return NULL;
		digests[i].there = 1;
		digests[i].set_up = 0;
		return &digests[i];
	}
	return NULL;
}

void
EVP_MD_CTX_free(EVP_MD_CTX *context)
{
	if (context != NULL)
		context->there = 0;
}

int
EVP_MD_CTX_copy_ex(EVP_MD_CTX *out, const EVP_MD_CTX *in)
{
	out->set_up = 0;
	if (unknown_bool())
		return 0;
	out->set_up = 1;
	return 1;
}

int
EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *md, const OSSL_PARAM parameters[])
{
	context->set_up = 0;
	if (unknown_bool())
		return 0;
	context->set_up = 1;
	return 1;
}

int
EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t length)
{
	return unknown_bool();
}

/* It cannot be added to after this, only set up again. */
int
EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned int *length)
{
	context->set_up = 0;
	if (unknown_bool())
		return 0;
	unknown_bytes(hash, 32);
	return 1;
}

EVP_CIPHER *
EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties)
{
	return unknown_bool() ? &aes : NULL;
}

void
EVP_CIPHER_free(EVP_CIPHER *cipher)
{
}

EVP_CIPHER_CTX *
EVP_CIPHER_CTX_new(void)
{
	//@ loop unroll 256;
	for (int i = 0; i < CONTEXTS; i++) {
		if (ciphers[i].there)
			continue;
		if (unknown_bool())
			return NULL;
		ciphers[i].there = 1;
		ciphers[i].set_up = 0;
		return &ciphers[i];
	}
	return NULL;
}

void
EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context)
{
	if (context != NULL)
		context->there = 0;
}

/* A cipher that was set once stays, whatever becomes of its key. */
int
EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM parameters[])
{
	if (unknown_bool())
		return 0;
	context->set_up = 1;
	return 1;
}

int
EVP_EncryptUpdate(EVP_CIPHER_CTX *context, unsigned char *out, int *out_length, const unsigned char *in, int in_length)
{
	if (unknown_bool())
		return 0;
	unknown_bytes(out, (size_t)in_length);
	*out_length = in_length;
	return 1;
}
