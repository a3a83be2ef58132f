/*
 * prove_ipsec_mb.c: src/crypto/backend_ipsec_mb.c with any keys, number and bytes of packets: counts of packets
 * around what the lanes and a piece hold, ending where their memory ends; with and without the wide lanes, from
 * whatever count they are worth it.
 */
#include "crypto/backend_ipsec_mb.c"
#include "unknown.h"

static uint8_t packets[ENGINE_BATCH_MAX * ENGINE_PACKET];
static struct ipsec_mb *state;

static void
open(struct engine_keys *keys, uint8_t *first, size_t count)
{
	size_t good;

	(void)backend_ipsec_mb.open(state, keys, Frama_C_unsigned_long_interval(0, UINT64_MAX), first, count, &good);
	//@ assert good: good <= count;
	//@ slevel merge;
}

static void
seal(struct engine_keys *keys, uint8_t *first, size_t count)
{
	(void)backend_ipsec_mb.seal(state, keys, Frama_C_unsigned_long_interval(0, UINT64_MAX), first, count);
	//@ slevel merge;
}

static void
of_count(struct engine_keys *keys, size_t count)
{
	uint8_t *first = packets + sizeof packets - count * ENGINE_PACKET;

	/* Narrow lanes alone, or wide ones from any count that find_wide_from can give. */
	state->wide_from = state->wide == NULL ? SIZE_MAX : unknown_size(1, SIZE_MAX);
	unknown_bytes(packets, sizeof packets);
	open(keys, first, count);
	seal(keys, first, count);
	//@ slevel merge;
}

static void
any_count(void)
{
	struct engine_keys keys;
	uint8_t e[32], h[32];

	unknown_bytes(e, sizeof e);
	unknown_bytes(h, sizeof h);
	(void)backend_ipsec_mb.prepare(state, &keys, e, h);
	of_count(&keys, 1);
	of_count(&keys, 2);
	of_count(&keys, 3);
	of_count(&keys, LANES + 1);
	of_count(&keys, PIECE);
	of_count(&keys, PIECE + 1);
	of_count(&keys, ENGINE_BATCH_MAX);
	backend_ipsec_mb.forget(state, &keys);
	bytes_wipe(&keys, sizeof keys);
	of_count(&keys, 3);
}

/* What ipsec_mb_new leaves, with the wide lanes or without. */
static void
made(bool has_wide)
{
	static IMB_MGR narrow, wide;
	static struct ipsec_mb the_state;

	state = &the_state;
	init_mb_mgr_sse(&narrow);
	init_mb_mgr_avx512(&wide);
	the_state.narrow = &narrow;
	the_state.wide = has_wide ? &wide : NULL;
	the_state.cipher = has_wide ? &wide : &narrow;
	//@ loop unroll 64;
	for (size_t i = 0; i < PIECE; i++) {
		the_state.jobs[i] = (IMB_JOB){
		    .cipher_mode = IMB_CIPHER_CNTR,
		    .cipher_direction = IMB_DIR_ENCRYPT,
		    .key_len_in_bytes = IMB_KEY_256_BYTES,
		    .iv = the_state.counters[i],
		    .iv_len_in_bytes = sizeof the_state.counters[i],
		    .msg_len_to_cipher_in_bytes = ENGINE_BODY,
		    .hash_alg = IMB_AUTH_HMAC_SHA_256,
		    .chain_order = IMB_ORDER_CIPHER_HASH,
		    .msg_len_to_hash_in_bytes = HASHED,
		    .auth_tag_output = the_state.macs[i],
		    .auth_tag_output_len_in_bytes = ENGINE_MAC,
		};
	}
}

int
main(void)
{
	made(false);
	any_count();
	made(true);
	any_count();
	return 0;
}
