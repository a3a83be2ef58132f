/* sealing.h: an engine on each backend in turn, with keys and a batch, for the tests of crypto/engine.h. */
#ifndef CRYPTO_SEALING_H
#define CRYPTO_SEALING_H

#include "crypto/engine.h"
#include "test.h"

enum { MAX = ENGINE_BATCH_MAX };

/* Which backend sealing_run is at. */
extern enum engine_backend backend_under_test;

/* An engine, keys, a plain batch, and what becomes of it. */
struct fixture {
	struct engine *engine;
	struct engine_keys keys;
	uint8_t e[32], h[32];
	unsigned which; /* secret keys, of those that are looked for in memory */
	uint8_t plain[MAX * ENGINE_PACKET], packets[MAX * ENGINE_PACKET], sealed[MAX * ENGINE_PACKET];
};

/* A test whose state is a struct fixture. */
#define SEALING(name) cmocka_unit_test_setup_teardown(name, sealing_setup, sealing_teardown)

int sealing_setup(void **state);
int sealing_teardown(void **state);

/* Runs the tests on each backend that this build and this processor have; returns how many failed. */
#define sealing_run(tests) sealing_run_all(tests, sizeof(tests) / sizeof(tests)[0])
int sealing_run_all(const struct CMUnitTest *tests, size_t count);

uint8_t *body_of(uint8_t *packets, size_t i);
void make_e_and_h(uint8_t e[32], uint8_t h[32], unsigned which);

/* Seals count plain packets from number on, into packets, and keeps a copy in sealed. */
void seal(struct fixture *f, uint64_t number, size_t count);
void assert_sealed_as_the_reference(struct fixture *f, uint64_t number, size_t count);

#endif
