/* backend.h: what a packet backend is to engine.c. One file a backend; nobody else includes this. */
#ifndef CRYPTO_BACKEND_H
#define CRYPTO_BACKEND_H

#include "crypto/engine.h"

/* As the functions of engine.h that carry the same names; a backend's state is its own. */
struct backend {
	const char *name;
	const char *(*problem)(void); /* NULL where this processor and this library will do */
	void *(*new)(void);
	void (*free)(void *state);
	enum error (*prepare)(void *state, struct engine_keys *keys, const uint8_t e[32], const uint8_t h[32]);
	void (*forget)(void *state, struct engine_keys *keys);
	enum error (*seal)(void *state, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count);
	enum error (*open)(
	    void *state, struct engine_keys *keys, uint64_t number, uint8_t *packets, size_t count, size_t *good);
};

extern const struct backend backend_libcrypto;
extern const struct backend backend_ipsec_mb; /* in builds that define HAVE_IPSEC_MB */

#endif
