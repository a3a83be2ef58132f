/* backend.h: the backend that SPIPED_TEST_CRYPTO forces on a test, or the best. */
#ifndef TEST_BACKEND_H
#define TEST_BACKEND_H

#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"

/* A name that is no backend's ends the test: it would force nothing. */
static inline enum engine_backend
test_backend(void)
{
	const char *name = getenv("SPIPED_TEST_CRYPTO");
	int backend = ENGINE_LIBCRYPTO;

	if (name == NULL)
		return ENGINE_BEST;
	while (backend < ENGINE_BACKENDS && strcmp(name, engine_words[backend]) != 0)
		backend++;
	if (backend == ENGINE_BACKENDS)
		abort();
	return (enum engine_backend)backend;
}

#endif
