/*
 * evp.h: of libcrypto what src/crypto calls, as contracts: what each reads, writes and initialises. CONTRACTS.md says
 * where its manual says so. What a context holds is two numbers: whether it is there, between new and free, and whether
 * it has been set up, and can be used.
 */
#ifndef PROOF_OPENSSL_EVP_H
#define PROOF_OPENSSL_EVP_H

#include <stddef.h>

typedef struct evp_md_st {
	int one;
} EVP_MD;
typedef struct evp_cipher_st {
	int one;
} EVP_CIPHER;
typedef struct evp_md_ctx_st {
	int there, set_up;
} EVP_MD_CTX;
typedef struct evp_cipher_ctx_st {
	int there, set_up;
} EVP_CIPHER_CTX;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
typedef struct ossl_param_st {
	int one;
} OSSL_PARAM;

/*@ ensures one: \result == \null || \valid(\result); */
EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);

/*@ requires one: md == \null || \valid(md); */
void EVP_MD_free(EVP_MD *md);

/*@ ensures one: \result == \null || (\valid(\result) && \result->there == 1); */
EVP_MD_CTX *EVP_MD_CTX_new(void);

/*@ requires one: context == \null || (\valid(context) && context->there == 1); */
void EVP_MD_CTX_free(EVP_MD_CTX *context);

/*@ requires both: \valid(out) && out->there == 1 && \valid_read(in) && in->there == 1;
    requires set_up: in->set_up == 1;
    assigns \result, *out \from *in;
    ensures done: \result == 0 || \result == 1; */
int EVP_MD_CTX_copy_ex(EVP_MD_CTX *out, const EVP_MD_CTX *in);

/*@ requires context: \valid(context) && context->there == 1;
    requires md: md == \null || \valid_read(md);
    assigns \result, *context \from *md;
    ensures done: \result == 0 || \result == 1; */
int EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *md, const OSSL_PARAM parameters[]);

/*@ requires context: \valid(context) && context->there == 1;
    requires set_up: context->set_up == 1;
    requires bytes: \valid_read((const unsigned char *)bytes + (0 .. length - 1));
    requires initialised: \initialized((const unsigned char *)bytes + (0 .. length - 1));
    assigns \result, *context \from *context, ((const unsigned char *)bytes)[0 .. length - 1];
    ensures done: \result == 0 || \result == 1; */
int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t length);

/*@ requires context: \valid(context) && context->there == 1;
    requires set_up: context->set_up == 1;
    requires room: \valid(hash + (0 .. 31));
    requires no_length: length == \null;
    assigns \result, *context, hash[0 .. 31] \from *context;
    ensures done: \result == 0 || \result == 1;
    ensures initialised: \result == 1 ==> \initialized(hash + (0 .. 31)); */
int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned int *length);

/*@ ensures one: \result == \null || \valid(\result); */
EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);

/*@ requires one: cipher == \null || \valid(cipher); */
void EVP_CIPHER_free(EVP_CIPHER *cipher);

/*@ ensures one: \result == \null || (\valid(\result) && \result->there == 1); */
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);

/*@ requires one: context == \null || (\valid(context) && context->there == 1); */
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context);

/*@ requires context: \valid(context) && context->there == 1;
    requires cipher: \valid_read(cipher) || (cipher == \null && context->set_up == 1);
    requires key: key == \null || (\valid_read(key + (0 .. 31)) && \initialized(key + (0 .. 31)));
    requires iv: iv == \null || (\valid_read(iv + (0 .. 15)) && \initialized(iv + (0 .. 15)));
    assigns \result, *context \from *context, *cipher, key[0 .. 31], iv[0 .. 15];
    ensures done: \result == 0 || \result == 1; */
int EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM parameters[]);

/*@ requires context: \valid(context) && context->there == 1;
    requires set_up: context->set_up == 1;
    requires length: 0 <= in_length;
    requires bytes: \valid_read(in + (0 .. in_length - 1)) && \initialized(in + (0 .. in_length - 1));
    requires room: \valid(out + (0 .. in_length - 1));
    requires overlap: out == in || \separated(out + (0 .. in_length - 1), in + (0 .. in_length - 1));
    requires number: \valid(out_length);
    assigns \result, *context, out[0 .. in_length - 1], *out_length \from *context, in[0 .. in_length - 1];
    ensures done: \result == 0 || \result == 1; */
int EVP_EncryptUpdate(
    EVP_CIPHER_CTX *context, unsigned char *out, int *out_length, const unsigned char *in, int in_length);

#endif
