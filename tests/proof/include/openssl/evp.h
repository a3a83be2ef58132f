/*
 * evp.h: what src/ uses of libcrypto's EVP, for the proof only. A contract says what a call may read, write and leave
 * unset; tests/proof/libcrypto.c does the most that a contract allows.
 *
 * Each is what OpenSSL 3.0's manual says: EVP_DigestInit(3), EVP_EncryptInit(3). All may fail at any call; a call that
 * failed has written nothing that may be relied on. Contexts are opaque, so that nobody but libcrypto looks into one.
 */
#ifndef PROOF_EVP_H
#define PROOF_EVP_H

#include <stddef.h>

typedef struct evp_md_st EVP_MD;
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct ossl_lib_ctx_st OSSL_LIB_CTX;
typedef struct engine_st ENGINE;
typedef struct ossl_param_st OSSL_PARAM;

/* EVP_MD_fetch(3): NULL, or an algorithm that is freed by EVP_MD_free, which takes NULL too. */
EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);
void EVP_MD_free(EVP_MD *md);

/* EVP_MD_CTX_new, EVP_MD_CTX_free: allocates, frees; NULL is taken by the latter. */
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *context);

/* EVP_DigestInit_ex2: the algorithm may have failed to be fetched (NULL): then the call fails. */
/*@ requires valid_context: \valid(context); */
int EVP_DigestInit_ex2(EVP_MD_CTX *context, const EVP_MD *md, const OSSL_PARAM *parameters);

/* EVP_DigestUpdate hashes count bytes at bytes; with a count of 0 it looks at none. */
/*@ requires valid_context: \valid(context);
    requires valid_bytes: count == 0 || \valid_read((const unsigned char *)bytes + (0 .. count - 1));
    requires set_bytes: count == 0 || \initialized((const unsigned char *)bytes + (0 .. count - 1)); */
int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t count);

/* EVP_DigestFinal_ex writes EVP_MD_get_size bytes, 32 for SHA-256, and *length unless that is NULL. */
/*@ requires valid_context: \valid(context);
    requires room_for_hash: \valid(hash + (0 .. 31));
    requires room_for_length: length == \null || \valid(length); */
int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *hash, unsigned int *length);

/*@ requires valid_contexts: \valid(to) && \valid_read(from); */
int EVP_MD_CTX_copy_ex(EVP_MD_CTX *to, const EVP_MD_CTX *from);

EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *library, const char *name, const char *properties);
void EVP_CIPHER_free(EVP_CIPHER *cipher);
EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *context);

/* EVP_EncryptInit_ex2: of AES-256-CTR a key is 32 bytes and an IV 16; either may be NULL, to be set later. */
/*@ requires valid_context: \valid(context);
    requires valid_key: key == \null || \valid_read(key + (0 .. 31)) && \initialized(key + (0 .. 31));
    requires valid_iv: iv == \null || \valid_read(iv + (0 .. 15)) && \initialized(iv + (0 .. 15)); */
int EVP_EncryptInit_ex2(EVP_CIPHER_CTX *context, const EVP_CIPHER *cipher, const unsigned char *key,
    const unsigned char *iv, const OSSL_PARAM *parameters);

/* EVP_EncryptUpdate: of a stream cipher as many bytes come out as go in; in place is fine. */
/*@ requires valid_context: \valid(context);
    requires length_is_some: 0 < in_length;
    requires valid_in: \valid_read(in + (0 .. in_length - 1)) && \initialized(in + (0 .. in_length - 1));
    requires room_for_out: \valid(out + (0 .. in_length - 1)) && \valid(out_length); */
int EVP_EncryptUpdate(
    EVP_CIPHER_CTX *context, unsigned char *out, int *out_length, const unsigned char *in, int in_length);

#endif
