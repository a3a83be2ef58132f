/* buffer_pool.h: where batches stand while they wait to be written. One pool a worker, on its thread only. */
#ifndef NET_BUFFER_POOL_H
#define NET_BUFFER_POOL_H

#include "pipe/pipe.h"

enum {
	POOL_KEEP_LARGE = 2, /* idle buffers that stay; more go back to the system */
	POOL_KEEP_SMALL = 16,
	POOL_PRESSURE = 4 * 1024 * 1024, /* with more than this handed out, reads are to be small */
};

struct pool_buffer {
	struct pipe_buffer buffer; /* first: a pipe_buffer of ours is a pool_buffer */
	struct pool_buffer *next;
	size_t dirty; /* its first bytes that may hold plain text */
};

struct buffer_pool {
	struct pool_idle {
		struct pool_buffer *first;
		size_t count;
	} large, small; /* idle */
	size_t held;    /* bytes handed out */
	uint8_t *in;    /* PIPE_IN_SIZE bytes: every read goes here */
	size_t in_dirty;
};

/* false: no memory. pool_free wipes; everything handed out must be back. */
bool pool_start(struct buffer_pool *pool);
void pool_free(struct buffer_pool *pool);

/* A buffer for a batch of so many packets; NULL: no memory now. */
struct pipe_buffer *pool_get(struct buffer_pool *pool, size_t packets);
void pool_put(struct buffer_pool *pool, struct pipe_buffer *buffer);

/* The first `bytes` of pool->in, and of a buffer (or NULL), may hold plain text from now on. */
void pool_soil(struct buffer_pool *pool, struct pipe_buffer *buffer, size_t bytes);

static inline bool
pool_is_under_pressure(const struct buffer_pool *pool)
{
	return pool->held > POOL_PRESSURE;
}

/* This buffer stays with its connection for a while: what another has left behind its first `used` bytes is wiped. */
void pool_trim(struct pipe_buffer *buffer, size_t used);

/* Wipes what idle buffers hold. When a connection has closed nothing of it is to be found any more. */
void pool_wipe(struct buffer_pool *pool);

#endif
