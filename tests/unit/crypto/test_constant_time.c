/*
 * test_constant_time.c: run under valgrind, which is told that secrets are undefined and then complains of each branch
 * and each index that depends on one. What libcrypto does inside is left out (constant_time.supp).
 */
#include <stdio.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/bytes.h"
#include "crypto/engine.h"
#include "crypto/group14.h"
#include "crypto/hash.h"

static void
say(const char *what, bool ok)
{
	/* How it ended is public, whatever it was made from. */
	(void)VALGRIND_MAKE_MEM_DEFINED(&ok, sizeof ok);
	printf("%s: %s\n", what, ok ? "ok" : "failed");
}

int
main(void)
{
	static uint8_t packets[20 * ENGINE_PACKET];
	uint8_t secret[32], other[32] = {0}, y[GROUP14_SIZE], shared[GROUP14_SIZE], derived[128];
	struct engine *engine = engine_new(ENGINE_LIBCRYPTO);
	struct engine_keys keys;

	if (!RUNNING_ON_VALGRIND || group14_start() != OK || engine == NULL)
		return 2;
	for (size_t i = 0; i < sizeof secret; i++)
		secret[i] = (uint8_t)(11 * i + 5);
	(void)VALGRIND_MAKE_MEM_UNDEFINED(secret, sizeof secret);
	say("2^x", group14_public(secret, y) == OK);
	(void)VALGRIND_MAKE_MEM_DEFINED(y, sizeof y);
	say("y^x", group14_shared(y, secret, shared) == OK);
	say("comparison", !bytes_equal(secret, other, sizeof secret));
	say("HMAC", hash_hmac(secret, sizeof secret, y, sizeof y, other) == OK);
	say("PBKDF2", hash_pbkdf2(secret, shared, sizeof shared, derived, sizeof derived) == OK);
	say("keys", engine_prepare(engine, &keys, derived, derived + 32) == OK);
	memcpy(packets, derived, sizeof derived);
	say("seal", engine_seal(engine, &keys, 0, packets, 20) == OK);
	engine_forget(engine, &keys);
	engine_free(engine);
	group14_stop();
	return 0;
}
