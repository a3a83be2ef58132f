/* backend_ipsec_mb.c: packets many at once on intel-ipsec-mb, for x86-64 with AES and SHA instructions. */
#include <intel-ipsec-mb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "crypto/backend.h"

/*
 * A batch goes through in pieces that stay in the nearest caches, each in two passes: all ciphers, then all hashes. A
 * library's "manager" is the code for one kind of processor and its lanes. AES is fastest with AVX-512 where there is
 * that; SHA-256 on the SHA instructions, two packets at once (narrow), or on sixteen lanes of AVX-512 (wide) where
 * these turn out to be faster and are filled.
 *
 * What the library promises, and how far that goes: AES and SHA run on instructions whose time depends on no data, so
 * nothing is used that would emulate them by table; SAFE_DATA clears registers and stack after each call; its
 * validation refuses a burst as a whole before a job has entered a lane, so a refused one leaves no state behind. A
 * test looks for keys in all memory after engine_forget.
 */
enum {
	PIECE = 64,
	LANES = 16,
	NUMBER = 8,
	HASHED = ENGINE_BODY + NUMBER,
	KEY_ROUNDS = 0, /* AES-256's 15 round keys */
	KEY_INNER = 240,
	KEY_OUTER = KEY_INNER + 32, /* SHA-256 after the first block of HMAC, the padded key */
	KEY_SET = KEY_OUTER + 32,   /* true until the keys are forgotten */
};
_Static_assert(KEY_SET < (int)ENGINE_KEYS_SIZE, "keys fit");
_Static_assert(HASHED <= PIECE * (int)ENGINE_MAC, "the time of a hash may be taken over the MACs");

struct ipsec_mb {
	IMB_MGR *cipher, *narrow, *wide; /* cipher is one of the two others; wide may be NULL */
	size_t wide_from;                /* how many packets make it worth filling the wide lanes */
	IMB_JOB jobs[PIECE];
	uint8_t counters[PIECE][16];
	uint8_t macs[PIECE][ENGINE_MAC];
};

static void
manager_free(IMB_MGR *manager)
{
	if (manager != NULL)
		bytes_wipe(manager, imb_get_mb_mgr_size());
	free(manager);
}

/* In memory of our own, so that we can wipe it. NULL too when the library failed its self test. */
static IMB_MGR *
manager_new(void (*start)(IMB_MGR *))
{
	size_t size = (imb_get_mb_mgr_size() + 63) / 64 * 64;
	void *memory = aligned_alloc(64, size);
	IMB_MGR *manager;

	if (memory == NULL)
		return NULL;
	manager = imb_set_pointers_mb_mgr(memory, 0, 1);
	start(manager);
	if (imb_get_errno(manager) == 0 && (manager->features & IMB_FEATURE_SELF_TEST_PASS) != 0)
		return manager;
	manager_free(manager);
	return NULL;
}

static bool
has(uint64_t features)
{
	return (imb_get_feature_flags() & features) == features;
}

static const char *
ipsec_mb_problem(void)
{
	if (!has(IMB_FEATURE_AESNI))
		return "this processor has no AES instructions";
	if (!has(IMB_FEATURE_SHANI))
		return "this processor has no SHA instructions";
	return has(IMB_FEATURE_SAFE_DATA) ? NULL
					  : "the library was built without SAFE_DATA, so it would leave keys behind";
}

static bool
run_ciphers(struct ipsec_mb *state, size_t count)
{
	return IMB_SUBMIT_CIPHER_BURST(state->cipher, state->jobs, (uint32_t)count, IMB_CIPHER_CNTR, IMB_DIR_ENCRYPT,
		   IMB_KEY_256_BYTES) == count;
}

static bool
run_hashes_on(IMB_MGR *manager, IMB_JOB *jobs, size_t count)
{
	return count == 0 || IMB_SUBMIT_HASH_BURST(manager, jobs, (uint32_t)count, IMB_AUTH_HMAC_SHA_256) == count;
}

static bool
run_hashes(struct ipsec_mb *state, size_t count)
{
	size_t rest = count % LANES, wide = 0;

	if (count >= state->wide_from)
		wide = rest >= state->wide_from ? count : count - rest;
	return run_hashes_on(state->wide, state->jobs, wide) &&
	       run_hashes_on(state->narrow, state->jobs + wide, count - wide);
}

/* Makes job i of the piece the one for the packet of that number. */
static void
load(struct ipsec_mb *state, size_t i, const struct engine_keys *keys, uint64_t number, uint8_t *packet)
{
	IMB_JOB *job = &state->jobs[i];

	job->src = packet;
	job->dst = packet;
	job->enc_keys = keys->bytes + KEY_ROUNDS;
	job->dec_keys = job->enc_keys;
	job->u.HMAC._hashed_auth_key_xor_ipad = keys->bytes + KEY_INNER;
	job->u.HMAC._hashed_auth_key_xor_opad = keys->bytes + KEY_OUTER;
	bytes_put_be64(state->counters[i], number);
}

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The least of a few rounds of LANES packets, which are all the same bytes: nobody reads what comes out. */
static double
time_hashes(struct ipsec_mb *state, IMB_MGR *manager)
{
	static const struct engine_keys keys;
	double least = 1e9;

	for (size_t i = 0; i < LANES; i++)
		load(state, i, &keys, 0, (uint8_t *)state->macs);
	for (int round = 0; round < 8; round++) {
		double start = now(), took;

		(void)run_hashes_on(manager, state->jobs, LANES);
		took = now() - start;
		least = took < least ? took : least;
	}
	return least;
}

/*
 * Whether sixteen lanes beat two depends on the processor (on a Sapphire Rapids they take 0.6 of the time, on a Zen 4
 * more than all of it), so it is tried. Lanes that are not filled cost as much as the others.
 */
static size_t
find_wide_from(struct ipsec_mb *state)
{
	double wide, narrow;

	if (state->wide == NULL)
		return SIZE_MAX;
	wide = time_hashes(state, state->wide);
	narrow = time_hashes(state, state->narrow);
	return wide < 0.9 * narrow ? (size_t)(LANES * wide / narrow) + 1 : SIZE_MAX;
}

static void
ipsec_mb_free(void *opaque)
{
	struct ipsec_mb *state = opaque;

	manager_free(state->narrow);
	manager_free(state->wide);
	bytes_wipe(state, sizeof *state);
	free(state);
}

static void *
ipsec_mb_new(void)
{
	struct ipsec_mb *state = calloc(1, sizeof *state);

	if (state == NULL)
		return NULL;
	state->narrow = manager_new(init_mb_mgr_sse);
	if (state->narrow == NULL) {
		ipsec_mb_free(state);
		return NULL;
	}
	if (has(IMB_CPUFLAGS_AVX512_T2))
		state->wide = manager_new(init_mb_mgr_avx512);
	state->cipher = state->wide == NULL ? state->narrow : state->wide;
	for (size_t i = 0; i < PIECE; i++) {
		state->jobs[i] = (IMB_JOB){
		    .cipher_mode = IMB_CIPHER_CNTR,
		    .cipher_direction = IMB_DIR_ENCRYPT,
		    .key_len_in_bytes = IMB_KEY_256_BYTES,
		    .iv = state->counters[i],
		    .iv_len_in_bytes = sizeof state->counters[i],
		    .msg_len_to_cipher_in_bytes = ENGINE_BODY,
		    .hash_alg = IMB_AUTH_HMAC_SHA_256,
		    .chain_order = IMB_ORDER_CIPHER_HASH,
		    .msg_len_to_hash_in_bytes = HASHED,
		    .auth_tag_output = state->macs[i],
		    .auth_tag_output_len_in_bytes = ENGINE_MAC,
		};
	}
	state->wide_from = find_wide_from(state);
	return state;
}

static void
hash_padded_key(const struct ipsec_mb *state, const uint8_t h[32], uint8_t pad, uint8_t *out)
{
	uint8_t block[64];

	memset(block, pad, sizeof block);
	for (size_t i = 0; i < 32; i++)
		block[i] ^= h[i];
	IMB_SHA256_ONE_BLOCK(state->narrow, block, out);
	bytes_wipe(block, sizeof block);
}

static enum error
ipsec_mb_prepare(void *opaque, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32])
{
	struct ipsec_mb *state = opaque;
	_Alignas(16) uint8_t decrypting[KEY_INNER]; /* that counter mode has no use for */

	IMB_AES_KEYEXP_256(state->narrow, e, keys->bytes + KEY_ROUNDS, decrypting);
	hash_padded_key(state, h, 0x36, keys->bytes + KEY_INNER);
	hash_padded_key(state, h, 0x5c, keys->bytes + KEY_OUTER);
	keys->bytes[KEY_SET] = true;
	bytes_wipe(decrypting, sizeof decrypting);
	return OK;
}

/* The keys themselves are all that was made from them, and engine.c wipes those. */
static void
ipsec_mb_forget(void *opaque, struct engine_keys *keys)
{
	(void)opaque;
	(void)keys;
}

/* P2, then P3 over what that gave; the number stands where the MAC will be, so that both are in one piece. */
static bool
seal_piece(struct ipsec_mb *state, const struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		load(state, i, keys, number + i, packets + i * ENGINE_PACKET);
		memcpy(packets + i * ENGINE_PACKET + ENGINE_BODY, state->counters[i], NUMBER);
	}
	if (!run_ciphers(state, count) || !run_hashes(state, count)) {
		bytes_wipe(state->macs, count * ENGINE_MAC);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		memcpy(packets + i * ENGINE_PACKET + ENGINE_BODY, state->macs[i], ENGINE_MAC);
	return true;
}

static enum error
ipsec_mb_seal(void *opaque, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count)
{
	if (keys->bytes[KEY_SET] == 0)
		return ERROR_CRYPTO;
	for (size_t at = 0; at < count; at += PIECE) {
		size_t piece = count - at < PIECE ? count - at : PIECE;

		if (!seal_piece(opaque, keys, number + at, packets + at * ENGINE_PACKET, piece))
			return ERROR_CRYPTO;
	}
	return OK;
}

/* P4: all MACs of the piece, then the ciphers of those before the first wrong one. */
static enum error
open_piece(struct ipsec_mb *state, const struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count,
    size_t *good)
{
	uint8_t starts[PIECE][NUMBER]; /* of the MACs, while the number is in their place */

	*good = 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t *mac = packets + i * ENGINE_PACKET + ENGINE_BODY;

		load(state, i, keys, number + i, packets + i * ENGINE_PACKET);
		memcpy(starts[i], mac, NUMBER);
		memcpy(mac, state->counters[i], NUMBER);
	}
	if (!run_hashes(state, count)) {
		bytes_wipe(state->macs, count * ENGINE_MAC); /* as below */
		return ERROR_CRYPTO;
	}
	for (size_t i = 0; i < count; i++)
		memcpy(packets + i * ENGINE_PACKET + ENGINE_BODY, starts[i], NUMBER);
	for (; *good < count; ++*good) {
		if (!bytes_equal(state->macs[*good], packets + *good * ENGINE_PACKET + ENGINE_BODY, ENGINE_MAC))
			break;
	}
	bytes_wipe(state->macs, count * ENGINE_MAC); /* of forgeries: whoever knew them could send them */
	if (*good > 0 && !run_ciphers(state, *good))
		return ERROR_CRYPTO;
	return *good == count ? OK : ERROR_BAD_MAC;
}

static enum error
ipsec_mb_open(void *opaque, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good)
{
	enum error error = keys->bytes[KEY_SET] == 0 ? ERROR_CRYPTO : OK;

	*good = 0;
	for (size_t at = 0; error == OK && at < count; at += PIECE) {
		size_t piece = count - at < PIECE ? count - at : PIECE, opened;

		error = open_piece(opaque, keys, number + at, packets + at * ENGINE_PACKET, piece, &opened);
		*good += opened;
	}
	return error;
}

const struct backend backend_ipsec_mb = {
    .name = "ipsec-mb",
    .problem = ipsec_mb_problem,
    .new = ipsec_mb_new,
    .free = ipsec_mb_free,
    .prepare = ipsec_mb_prepare,
    .forget = ipsec_mb_forget,
    .seal = ipsec_mb_seal,
    .open = ipsec_mb_open,
};
