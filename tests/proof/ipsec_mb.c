/*
 * ipsec_mb.c: stands in for ipsec-mb: what a burst reads, writes and initialises of each of its jobs, as contracts; it
 * may complete fewer jobs than it was given, any of them. And two calls of libc's that Frama-C knows nothing of.
 */
#include "unknown.h"

#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*@ requires source: \valid_read(source + (0 .. length - 1)) && \initialized(source + (0 .. length - 1));
    requires room: \valid(destination + (0 .. length - 1));
    requires overlap: destination == source || \separated(destination + (0 .. length - 1), source + (0 .. length - 1));
    requires counter: \valid_read(counter + (0 .. 15)) && \initialized(counter + (0 .. 15));
    requires keys: \valid_read(keys + (0 .. 239)) && \initialized(keys + (0 .. 239));
    assigns destination[0 .. length - 1] \from source[0 .. length - 1], counter[0 .. 15], keys[0 .. 239];
    ensures initialised: \initialized(destination + (0 .. length - 1)); */
static void
cipher_one(uint8_t *destination, const uint8_t *source, uint64_t length, const uint8_t *counter, const uint8_t *keys)
{
	unknown_bytes(destination, length);
}

/*@ requires source: \valid_read(source + (0 .. length - 1)) && \initialized(source + (0 .. length - 1));
    requires room: \valid(tag + (0 .. 31));
    requires inner: \valid_read(inner + (0 .. 31)) && \initialized(inner + (0 .. 31));
    requires outer: \valid_read(outer + (0 .. 31)) && \initialized(outer + (0 .. 31));
    assigns tag[0 .. 31] \from source[0 .. length - 1], inner[0 .. 31], outer[0 .. 31];
    ensures initialised: \initialized(tag + (0 .. 31)); */
static void
hash_one(uint8_t *tag, const uint8_t *source, uint64_t length, const uint8_t *inner, const uint8_t *outer)
{
	unknown_bytes(tag, 32);
}

/*@ requires manager: \valid(manager);
    requires count: 1 <= count <= IMB_MAX_BURST_SIZE;
    requires jobs: \valid(jobs + (0 .. count - 1));
    requires as_set: mode == IMB_CIPHER_CNTR && direction == IMB_DIR_ENCRYPT && key_size == IMB_KEY_256_BYTES;
    ensures completed: \result <= count; */
static uint32_t
cipher_burst(IMB_MGR *manager, IMB_JOB *jobs, uint32_t count, IMB_CIPHER_MODE mode, IMB_CIPHER_DIRECTION direction,
    IMB_KEY_SIZE_BYTES key_size)
{
	for (uint32_t i = 0; i < count; i++) {
		//@ assert cipher: jobs[i].iv_len_in_bytes == 16 && jobs[i].key_len_in_bytes == 32;
		cipher_one(jobs[i].dst, jobs[i].src + jobs[i].cipher_start_src_offset_in_bytes,
		    jobs[i].msg_len_to_cipher_in_bytes, jobs[i].iv, jobs[i].enc_keys);
		jobs[i].status = IMB_STATUS_COMPLETED;
	}
	return unknown_bool() ? count : (uint32_t)unknown_size(0, count - 1);
}

/*@ requires manager: \valid(manager);
    requires count: 1 <= count <= IMB_MAX_BURST_SIZE;
    requires jobs: \valid(jobs + (0 .. count - 1));
    requires as_set: hash == IMB_AUTH_HMAC_SHA_256;
    ensures completed: \result <= count; */
static uint32_t
hash_burst(IMB_MGR *manager, IMB_JOB *jobs, uint32_t count, IMB_HASH_ALG hash)
{
	for (uint32_t i = 0; i < count; i++) {
		//@ assert tag: jobs[i].auth_tag_output_len_in_bytes == 32;
		hash_one(jobs[i].auth_tag_output, jobs[i].src + jobs[i].hash_start_src_offset_in_bytes,
		    jobs[i].msg_len_to_hash_in_bytes, jobs[i].u.HMAC._hashed_auth_key_xor_ipad,
		    jobs[i].u.HMAC._hashed_auth_key_xor_opad);
		jobs[i].status = IMB_STATUS_COMPLETED;
	}
	return unknown_bool() ? count : (uint32_t)unknown_size(0, count - 1);
}

/*@ requires key: \valid_read((const uint8_t *)key + (0 .. 31)) && \initialized((const uint8_t *)key + (0 .. 31));
    requires room: \valid((uint8_t *)encrypting + (0 .. 239)) && \valid((uint8_t *)decrypting + (0 .. 239));
    assigns ((uint8_t *)encrypting)[0 .. 239], ((uint8_t *)decrypting)[0 .. 239] \from ((const uint8_t *)key)[0 .. 31];
    ensures initialised: \initialized((uint8_t *)encrypting + (0 .. 239)); */
static void
expand_key(const void *key, void *encrypting, void *decrypting)
{
	unknown_bytes(encrypting, 240);
	unknown_bytes(decrypting, 240);
}

/*@ requires block: \valid_read((const uint8_t *)block + (0 .. 63)) && \initialized((const uint8_t *)block + (0 .. 63));
    requires room: \valid((uint8_t *)hash + (0 .. 31));
    assigns ((uint8_t *)hash)[0 .. 31] \from ((const uint8_t *)block)[0 .. 63];
    ensures initialised: \initialized((uint8_t *)hash + (0 .. 31)); */
static void
hash_block(const void *block, void *hash)
{
	unknown_bytes(hash, 32);
}

size_t
imb_get_mb_mgr_size(void)
{
	return sizeof(IMB_MGR);
}

/*@ requires room: \valid((char *)memory + (0 .. sizeof(IMB_MGR) - 1)); */
IMB_MGR *
imb_set_pointers_mb_mgr(void *memory, uint64_t flags, unsigned reset)
{
	memset(memory, 0, sizeof(IMB_MGR));
	return memory;
}

/*@ requires manager: \valid(manager); */
static void
start(IMB_MGR *manager)
{
	manager->features = Frama_C_unsigned_long_interval(0, UINT64_MAX);
	manager->imb_errno = unknown_bool();
	manager->keyexp_256 = expand_key;
	manager->sha256_one_block = hash_block;
	manager->submit_cipher_burst = cipher_burst;
	manager->submit_hash_burst = hash_burst;
}

void
init_mb_mgr_sse(IMB_MGR *manager)
{
	start(manager);
}

void
init_mb_mgr_avx512(IMB_MGR *manager)
{
	start(manager);
}

/*@ requires manager: \valid(manager); */
int
imb_get_errno(IMB_MGR *manager)
{
	return manager->imb_errno;
}

uint64_t
imb_get_feature_flags(void)
{
	return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	return malloc(size);
}

/* It stands still: how long a hash takes is not what is proved, and the driver takes any outcome of that. */
int
clock_gettime(clockid_t clock, struct timespec *time)
{
	time->tv_sec = 0;
	time->tv_nsec = 0;
	return 0;
}
