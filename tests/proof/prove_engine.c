/*
 * prove_engine.c: src/crypto/engine.c with any keys, number and bytes of packets: every count of packets, ending where
 * their memory ends. In a build with one backend; which of two is called is a row of a table.
 */
#include "crypto/engine.h"

#include "unknown.h"

static uint8_t packets[ENGINE_BATCH_MAX * ENGINE_PACKET];

static void
of_count(struct engine *engine, struct engine_keys *keys, size_t count)
{
	uint8_t *first = packets + sizeof packets - count * ENGINE_PACKET;
	uint64_t number = Frama_C_unsigned_long_interval(0, UINT64_MAX);
	size_t good;

	(void)engine_open(engine, keys, number, first, count, &good);
	//@ assert good: good <= count;
	(void)engine_seal(engine, keys, number, first, count);
	//@ slevel merge;
}

static void
with_keys(struct engine *engine)
{
	struct engine_keys keys;
	uint8_t e[32], h[32];

	unknown_bytes(e, sizeof e);
	unknown_bytes(h, sizeof h);
	(void)engine_prepare(engine, &keys, e, h);
	//@ loop unroll 256;
	for (size_t count = 1; count <= ENGINE_BATCH_MAX; count++)
		of_count(engine, &keys, count);
	engine_forget(engine, &keys);
}

int
main(void)
{
	struct engine *engine = engine_new(ENGINE_LIBCRYPTO);

	unknown_bytes(packets, sizeof packets);
	if (engine != NULL)
		with_keys(engine);
	engine_free(engine);
	(void)engine_problem(ENGINE_IPSEC_MB);
	(void)engine_choose(ENGINE_BEST);
	return 0;
}
