/*
 * net.c: stands in for what src/net/connection.c calls of src/pipe, of src/net and of the kernel, as their headers
 * promise it. prove_pipe.c proves that the real pipe gives what pipe_read_into gives here, and asks no more of an
 * event.
 */
#include <errno.h>
#include <sys/socket.h>

#include "crypto/random.h"
#include "net/connection_parts.h"
#include "stand_in.h"
#include "unknown.h"

static uint8_t bytes[PIPE_READ_LARGE * PIPE_OUT_PER_PACKET];
static struct pool_buffer the_buffer = {.buffer = {.bytes = bytes, .size = sizeof bytes}};

struct asked asked;

/* The kernel writes as many bytes as it says, at most as many as there is room for. */
/*@ requires room: \valid((char *)where + (0 .. length - 1));
    requires some: length >= 1; */
ssize_t
recv(int fd, void *where, size_t length, int flags)
{
	size_t got;

	if (unknown_bool()) {
		errno = (int)unknown_size(1, 133);
		return -1;
	}
	got = unknown_size(0, length);
	unknown_bytes(where, got);
	return (ssize_t)got;
}

/*@ requires bytes: \valid_read((const char *)from + (0 .. length - 1));
    requires set: \initialized((const char *)from + (0 .. length - 1)); */
ssize_t
send(int fd, const void *from, size_t length, int flags)
{
	if (unknown_bool()) {
		errno = (int)unknown_size(1, 133);
		return -1;
	}
	return (ssize_t)unknown_size(0, length);
}

/*@ requires in: \valid(in + (0 .. PIPE_IN_SIZE - 1));
    requires out: \valid(offset) && \valid(packets); */
size_t
pipe_read_into(const struct pipe *pipe, enum pipe_leg leg, bool pressure, uint8_t *in, size_t *offset, size_t *packets)
{
	*offset = asked.offset;
	*packets = asked.packets;
	unknown_bytes(in, asked.offset);
	return asked.length;
}

/*@ requires pipe: \valid(pipe);
    requires leg: event->leg == PIPE_PLAIN || event->leg == PIPE_CIPHER;
    requires length: event->kind == PIPE_READ ==> event->length <= asked.length;
    requires in: event->kind == PIPE_READ ==> \valid(event->in + (0 .. PIPE_IN_SIZE - 1));
    requires out: (event->kind == PIPE_READ && asked.packets > 0) ==>
	\valid(event->out) && event->out->size >= asked.packets * PIPE_OUT_PER_PACKET;
    requires job: event->kind == PIPE_JOB_DONE ==> \valid_read(event->job); */
void
pipe_event(struct pipe *pipe, const struct pipe_event *event, uint64_t now)
{
}

bool
pipe_next(struct pipe *pipe, struct pipe_action *action)
{
	return false;
}

unsigned
pipe_wants(const struct pipe *pipe, enum pipe_leg which)
{
	return (unsigned)unknown_size(0, PIPE_WANT_READ | PIPE_WANT_WRITE);
}

uint64_t
pipe_deadline(const struct pipe *pipe)
{
	return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

void
pipe_start(struct pipe *pipe, const struct pipe_settings *settings, struct keyring *keyring, struct engine *engine,
    const uint8_t random[SESSION_RANDOM], uint64_t now)
{
}

void
pipe_job(struct pipe *pipe, struct job *job)
{
	unknown_bytes(job, sizeof *job);
}

struct pipe_buffer *
pool_get(struct buffer_pool *pool, size_t packets)
{
	return unknown_bool() ? &the_buffer.buffer : NULL;
}

/*@ requires buffer: \valid(buffer); */
void
pool_put(struct buffer_pool *pool, struct pipe_buffer *buffer)
{
}

/*@ requires in: soiled <= PIPE_IN_SIZE;
    requires out: buffer == \null || \valid(buffer); */
void
pool_soil(struct buffer_pool *pool, struct pipe_buffer *buffer, size_t soiled)
{
}

enum error
random_bytes(uint8_t *random, size_t length)
{
	unknown_bytes(random, length);
	return unknown_bool() ? OK : ERROR_RANDOM;
}
