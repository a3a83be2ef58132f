/*
 * intel-ipsec-mb.h: of ipsec-mb what src/crypto/backend_ipsec_mb.c uses; the names, types and members are those of
 * release 1.3's. The contracts are in ../ipsec_mb.c, since a manager holds what it does as pointers to functions;
 * CONTRACTS.md says where the library says so.
 */
#ifndef PROOF_INTEL_IPSEC_MB_H
#define PROOF_INTEL_IPSEC_MB_H

#include <stddef.h>
#include <stdint.h>

typedef enum { IMB_STATUS_BEING_PROCESSED = 0, IMB_STATUS_COMPLETED = 3 } IMB_STATUS;
typedef enum { IMB_CIPHER_CNTR = 2 } IMB_CIPHER_MODE;
typedef enum { IMB_DIR_ENCRYPT = 1 } IMB_CIPHER_DIRECTION;
typedef enum { IMB_KEY_256_BYTES = 32 } IMB_KEY_SIZE_BYTES;
typedef enum { IMB_AUTH_HMAC_SHA_256 = 3 } IMB_HASH_ALG;
typedef enum { IMB_ORDER_CIPHER_HASH = 1 } IMB_CHAIN_ORDER;

enum { IMB_MAX_BURST_SIZE = 128 };

#define IMB_FEATURE_SHANI (1ULL << 0)
#define IMB_FEATURE_AESNI (1ULL << 1)
#define IMB_FEATURE_SAFE_DATA (1ULL << 16)
#define IMB_FEATURE_SELF_TEST_PASS (1ULL << 22)
#define IMB_CPUFLAGS_AVX512_T2 (1ULL << 23)

typedef struct IMB_JOB {
	const void *enc_keys, *dec_keys;
	uint64_t key_len_in_bytes;
	const uint8_t *src;
	uint8_t *dst;
	uint64_t cipher_start_src_offset_in_bytes, msg_len_to_cipher_in_bytes;
	uint64_t hash_start_src_offset_in_bytes, msg_len_to_hash_in_bytes;
	const uint8_t *iv;
	uint64_t iv_len_in_bytes;
	uint8_t *auth_tag_output;
	uint64_t auth_tag_output_len_in_bytes;
	union {
		struct {
			const uint8_t *_hashed_auth_key_xor_ipad, *_hashed_auth_key_xor_opad;
		} HMAC;
	} u;
	IMB_STATUS status;
	IMB_CIPHER_MODE cipher_mode;
	IMB_CIPHER_DIRECTION cipher_direction;
	IMB_HASH_ALG hash_alg;
	IMB_CHAIN_ORDER chain_order;
} IMB_JOB;

typedef struct IMB_MGR {
	uint64_t features;
	int imb_errno;
	void (*keyexp_256)(const void *key, void *encrypting, void *decrypting);
	void (*sha256_one_block)(const void *block, void *hash);
	uint32_t (*submit_cipher_burst)(struct IMB_MGR *manager, IMB_JOB *jobs, uint32_t count, IMB_CIPHER_MODE mode,
	    IMB_CIPHER_DIRECTION direction, IMB_KEY_SIZE_BYTES key_size);
	uint32_t (*submit_hash_burst)(struct IMB_MGR *manager, IMB_JOB *jobs, uint32_t count, IMB_HASH_ALG hash);
} IMB_MGR;

#define IMB_SUBMIT_CIPHER_BURST(manager, jobs, count, mode, direction, key_size) \
	((manager)->submit_cipher_burst((manager), (jobs), (count), (mode), (direction), (key_size)))
#define IMB_SUBMIT_HASH_BURST(manager, jobs, count, hash) \
	((manager)->submit_hash_burst((manager), (jobs), (count), (hash)))
#define IMB_AES_KEYEXP_256(manager, key, encrypting, decrypting) \
	((manager)->keyexp_256((key), (encrypting), (decrypting)))
#define IMB_SHA256_ONE_BLOCK(manager, block, hash) ((manager)->sha256_one_block((block), (hash)))

size_t imb_get_mb_mgr_size(void);
IMB_MGR *imb_set_pointers_mb_mgr(void *memory, uint64_t flags, unsigned reset);
void init_mb_mgr_sse(IMB_MGR *manager);
void init_mb_mgr_avx512(IMB_MGR *manager);
int imb_get_errno(IMB_MGR *manager);
uint64_t imb_get_feature_flags(void);

#endif
