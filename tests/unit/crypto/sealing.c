/* sealing.c: see sealing.h. */
#include "sealing.h"

#ifdef HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/reference.h"

enum engine_backend backend_under_test;

uint8_t *
body_of(uint8_t *packets, size_t i)
{
	return packets + i * ENGINE_PACKET;
}

void
make_e_and_h(uint8_t e[32], uint8_t h[32], unsigned which)
{
	for (unsigned i = 0; i < 32; i++) {
		e[i] = (uint8_t)(i * 7 + which * 31 + 3);
		h[i] = (uint8_t)(i * 13 + which * 57 + 91);
	}
}

int
sealing_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);

	f->engine = engine_new(backend_under_test);
	make_e_and_h(f->e, f->h, 0);
	memset(&f->keys, 0xa5, sizeof f->keys); /* keys are made in any memory */
	if (f->engine == NULL || engine_prepare(f->engine, &f->keys, f->e, f->h) != OK)
		return -1;
	for (size_t i = 0; i < sizeof f->plain; i++)
		f->plain[i] = (uint8_t)(i * i % 251 + i / 1060);
	*state = f;
	return 0;
}

int
sealing_teardown(void **state)
{
	struct fixture *f = *state;

	engine_forget(f->engine, &f->keys);
	engine_free(f->engine);
	free(f);
	return 0;
}

void
seal(struct fixture *f, uint64_t number, size_t count)
{
	memcpy(f->packets, f->plain, count * ENGINE_PACKET);
	assert_int_equal(engine_seal(f->engine, &f->keys, number, f->packets, count), OK);
	memcpy(f->sealed, f->packets, count * ENGINE_PACKET);
}

void
assert_sealed_as_the_reference(struct fixture *f, uint64_t number, size_t count)
{
	uint8_t expected[ENGINE_PACKET];

	for (size_t i = 0; i < count; i++) {
		memcpy(expected, body_of(f->plain, i), ENGINE_PACKET);
		reference_seal(f->e, f->h, number + i, expected);
		assert_memory_equal(body_of(f->packets, i), expected, ENGINE_PACKET);
	}
}

/* By the processor alone, so that a backend which fails its own test is not passed over as one that is not there. */
static bool
should_be_there(enum engine_backend backend)
{
	if (backend != ENGINE_IPSEC_MB)
		return true;
#ifdef HAVE_IPSEC_MB
	uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_SHANI | IMB_FEATURE_SAFE_DATA;

	return (imb_get_feature_flags() & needed) == needed;
#else
	return false;
#endif
}

int
sealing_run_all(const struct CMUnitTest *tests, size_t count)
{
	static const char *const names[] = {"libcrypto", "ipsec-mb", "best"};
	int failed = 0;

	for (int i = 0; i < 3; i++) {
		backend_under_test = (enum engine_backend)i;
		if (should_be_there(backend_under_test))
			failed += _cmocka_run_group_tests(names[i], tests, count, NULL, NULL);
		else
			print_message("%s: this build or this processor does not have it\n", names[i]);
	}
	return failed;
}
