/* buffer_pool.c: see buffer_pool.h. Large buffers are mapped, so that giving one back really gives it back. */
#include "net/buffer_pool.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/bytes.h"

enum { SIZE_LARGE = PIPE_READ_LARGE * PIPE_OUT_PER_PACKET, SIZE_SMALL = PIPE_READ_SMALL * PIPE_OUT_PER_PACKET };

static uint8_t *
map(size_t size)
{
	void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return bytes == MAP_FAILED ? NULL : bytes;
}

bool
pool_start(struct buffer_pool *pool)
{
	*pool = (struct buffer_pool){.in = map(PIPE_IN_SIZE)};
	return pool->in != NULL;
}

static struct pool_buffer *
buffer_new(size_t size)
{
	struct pool_buffer *buffer = calloc(1, sizeof(*buffer));

	if (buffer == NULL)
		return NULL;
	buffer->buffer.size = size;
	buffer->buffer.bytes = size == SIZE_LARGE ? map(size) : malloc(size);
	if (buffer->buffer.bytes == NULL) {
		free(buffer);
		return NULL;
	}
	return buffer;
}

static void
buffer_free(struct pool_buffer *buffer)
{
	bytes_wipe(buffer->buffer.bytes, buffer->dirty);
	if (buffer->buffer.size == SIZE_LARGE)
		munmap(buffer->buffer.bytes, buffer->buffer.size);
	else
		free(buffer->buffer.bytes);
	free(buffer);
}

struct pipe_buffer *
pool_get(struct buffer_pool *pool, size_t packets)
{
	bool is_large = packets > PIPE_READ_SMALL;
	struct pool_idle *idle = is_large ? &pool->large : &pool->small;
	struct pool_buffer *buffer = idle->first;

	if (buffer != NULL) {
		idle->first = buffer->next;
		idle->count--;
	} else {
		buffer = buffer_new(is_large ? SIZE_LARGE : SIZE_SMALL);
		if (buffer == NULL)
			return NULL;
	}
	pool->held += buffer->buffer.size;
	return &buffer->buffer;
}

void
pool_put(struct buffer_pool *pool, struct pipe_buffer *pipe_buffer)
{
	struct pool_buffer *buffer = (struct pool_buffer *)pipe_buffer;
	bool is_large = buffer->buffer.size == SIZE_LARGE;
	struct pool_idle *idle = is_large ? &pool->large : &pool->small;

	pool->held -= buffer->buffer.size;
	if (idle->count >= (is_large ? POOL_KEEP_LARGE : POOL_KEEP_SMALL)) {
		buffer_free(buffer);
		return;
	}
	buffer->next = idle->first;
	idle->first = buffer;
	idle->count++;
}

void
pool_soil(struct buffer_pool *pool, struct pipe_buffer *pipe_buffer, size_t bytes)
{
	struct pool_buffer *buffer = (struct pool_buffer *)pipe_buffer;

	if (bytes > pool->in_dirty)
		pool->in_dirty = bytes;
	if (buffer != NULL && bytes > buffer->dirty)
		buffer->dirty = bytes;
}

void
pool_trim(struct pipe_buffer *pipe_buffer, size_t used)
{
	struct pool_buffer *buffer = (struct pool_buffer *)pipe_buffer;

	if (buffer->dirty <= used)
		return;
	bytes_wipe(buffer->buffer.bytes + used, buffer->dirty - used);
	buffer->dirty = used;
}

static void
wipe_list(struct pool_buffer *buffer)
{
	for (; buffer != NULL; buffer = buffer->next) {
		bytes_wipe(buffer->buffer.bytes, buffer->dirty);
		buffer->dirty = 0;
	}
}

void
pool_wipe(struct buffer_pool *pool)
{
	wipe_list(pool->large.first);
	wipe_list(pool->small.first);
	bytes_wipe(pool->in, pool->in_dirty);
	pool->in_dirty = 0;
}

static void
free_list(struct pool_buffer *buffer)
{
	while (buffer != NULL) {
		struct pool_buffer *next = buffer->next;

		buffer_free(buffer);
		buffer = next;
	}
}

void
pool_free(struct buffer_pool *pool)
{
	if (pool->in == NULL)
		return;
	free_list(pool->large.first);
	free_list(pool->small.first);
	bytes_wipe(pool->in, pool->in_dirty);
	munmap(pool->in, PIPE_IN_SIZE);
	*pool = (struct buffer_pool){0};
}
