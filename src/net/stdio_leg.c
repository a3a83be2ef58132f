/* stdio_leg.c: see stdio_leg.h. */
#include "net/stdio_leg.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "net/socket.h"

enum { STREAM_SIZE = PIPE_READ_SMALL * 4 * 1024 };

/* IDLE: nothing to do. BUSY: the thread is at it. DONE: result is there. */
enum stream_state { STREAM_IDLE, STREAM_BUSY, STREAM_DONE };

/* One direction and its thread. bytes is the thread's while BUSY, else the loop's. */
struct stream {
	struct stdio_leg *stdio;
	uv_thread_t thread;
	uv_cond_t wake;
	int fd;
	bool is_running;
	enum stream_state state;
	size_t start, length; /* to write, or read and not taken yet */
	ssize_t result;       /* bytes, 0 at the end, or a negative errno */
	uint8_t bytes[STREAM_SIZE];
};

struct stdio_leg {
	struct leg *leg;
	uv_async_t async;
	uv_mutex_t mutex; /* for both streams' state, and quit */
	bool quit;
	unsigned wants;
	struct stream input, output;
};

static struct stdio_leg *
of(const struct leg *leg)
{
	return leg->stdio;
}

static ssize_t
write_all(const struct stream *stream)
{
	size_t sent = 0;

	while (sent < stream->length) {
		ssize_t n = socket_write_any(stream->fd, stream->bytes + sent, stream->length - sent);
		struct pollfd full = {.fd = stream->fd, .events = POLLOUT};

		if (n == -EAGAIN)
			poll(&full, 1, -1); /* somebody else made it non-blocking: this thread may wait */
		else if (n < 0)
			return n;
		else
			sent += (size_t)n;
	}
	return (ssize_t)sent;
}

static ssize_t
read_some(struct stream *stream)
{
	for (;;) {
		ssize_t n = socket_read_any(stream->fd, stream->bytes, STREAM_SIZE);
		struct pollfd empty = {.fd = stream->fd, .events = POLLIN};

		if (n != -EAGAIN)
			return n;
		poll(&empty, 1, -1);
	}
}

static void
run(void *argument)
{
	struct stream *stream = argument;
	struct stdio_leg *stdio = stream->stdio;

	uv_mutex_lock(&stdio->mutex);
	while (!stdio->quit) {
		ssize_t result;

		if (stream->state != STREAM_BUSY) {
			uv_cond_wait(&stream->wake, &stdio->mutex);
			continue;
		}
		uv_mutex_unlock(&stdio->mutex);
		result = stream == &stdio->input ? read_some(stream) : write_all(stream);
		uv_mutex_lock(&stdio->mutex);
		stream->result = result;
		stream->state = STREAM_DONE;
		if (!stdio->quit)
			uv_async_send(&stdio->async);
	}
	stream->is_running = false;
	uv_mutex_unlock(&stdio->mutex);
}

static enum stream_state
state_of(struct stream *stream)
{
	enum stream_state state;

	uv_mutex_lock(&stream->stdio->mutex);
	state = stream->state;
	uv_mutex_unlock(&stream->stdio->mutex);
	return state;
}

static void
set_state(struct stream *stream, enum stream_state state)
{
	uv_mutex_lock(&stream->stdio->mutex);
	stream->state = state;
	if (state == STREAM_BUSY)
		uv_cond_signal(&stream->wake);
	uv_mutex_unlock(&stream->stdio->mutex);
}

static ssize_t
read_stdio(struct leg *leg, uint8_t *bytes, size_t length)
{
	struct stream *input = &of(leg)->input;
	size_t have;

	if (input->fd < 0)
		return 0;
	if (state_of(input) != STREAM_DONE)
		return -EAGAIN;
	if (input->result <= 0)
		return input->result;
	have = (size_t)input->result - input->start;
	if (length > have)
		length = have;
	memcpy(bytes, input->bytes + input->start, length);
	bytes_wipe(input->bytes + input->start, length);
	input->start += length;
	if (length == have) {
		input->start = 0;
		set_state(input, STREAM_IDLE);
	}
	return (ssize_t)length;
}

/* What surely does not block is written here and now: a thread's turn costs an interactive user more than the write. */
static bool
is_quick(int fd, size_t length)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};

	return length <= _POSIX_PIPE_BUF && poll(&poll_fd, 1, 0) == 1 && poll_fd.revents == POLLOUT;
}

/*
 * Says -EAGAIN until the thread has really written the bytes, so that none counts as written that is lost; the same
 * bytes are handed in again then.
 */
static ssize_t
write_stdio(struct leg *leg, const uint8_t *bytes, size_t length)
{
	struct stream *output = &of(leg)->output;
	enum stream_state state = state_of(output);

	if (state == STREAM_DONE) {
		bytes_wipe(output->bytes, output->length);
		set_state(output, STREAM_IDLE);
		return output->result;
	}
	if (state == STREAM_BUSY)
		return -EAGAIN;
	if (is_quick(output->fd, length))
		return socket_write_any(output->fd, bytes, length);
	output->length = length < STREAM_SIZE ? length : STREAM_SIZE;
	memcpy(output->bytes, bytes, output->length);
	set_state(output, STREAM_BUSY);
	return -EAGAIN;
}

static void
watch_stdio(struct leg *leg, unsigned wants)
{
	struct stdio_leg *stdio = of(leg);

	stdio->wants = wants;
	if ((wants & PIPE_WANT_READ) != 0 && stdio->input.fd >= 0 && state_of(&stdio->input) == STREAM_IDLE)
		set_state(&stdio->input, STREAM_BUSY);
	/* What is there already has to be told: no thread will. */
	if (((wants & PIPE_WANT_READ) != 0 && (stdio->input.fd < 0 || state_of(&stdio->input) == STREAM_DONE)) ||
	    ((wants & PIPE_WANT_WRITE) != 0 && state_of(&stdio->output) != STREAM_BUSY))
		uv_async_send(&stdio->async);
}

static void
on_async(uv_async_t *async)
{
	struct stdio_leg *stdio = async->data;
	unsigned can = 0;

	if ((stdio->wants & PIPE_WANT_READ) != 0 && (stdio->input.fd < 0 || state_of(&stdio->input) == STREAM_DONE))
		can |= PIPE_WANT_READ;
	if ((stdio->wants & PIPE_WANT_WRITE) != 0 && state_of(&stdio->output) != STREAM_BUSY)
		can |= PIPE_WANT_WRITE;
	if (can != 0)
		stdio->leg->owner->ready(stdio->leg, can);
}

static size_t
unsent_stdio(struct leg *leg)
{
	return state_of(&of(leg)->output) == STREAM_BUSY ? of(leg)->output.length : 0;
}

/* The reader of our output sees its end; a socket can say so without ending what comes the other way. */
static int
shutdown_stdio(struct leg *leg)
{
	struct stream *output = &of(leg)->output;

	if (socket_shutdown(output->fd) != 0)
		close(output->fd);
	return 0;
}

static void
on_close(uv_handle_t *handle)
{
	struct stdio_leg *stdio = handle->data;

	stdio->leg->owner->closed(stdio->leg);
}

static void
close_stdio(struct leg *leg, bool reset)
{
	struct stdio_leg *stdio = of(leg);

	(void)reset; /* there is no such thing: the exit status tells */
	leg->open = false;
	uv_mutex_lock(&stdio->mutex);
	stdio->quit = true;
	uv_cond_signal(&stdio->input.wake);
	uv_cond_signal(&stdio->output.wake);
	uv_mutex_unlock(&stdio->mutex);
	uv_close((uv_handle_t *)&stdio->async, on_close);
}

static const struct leg_kind stdio_kind = {
    .read = read_stdio,
    .write = write_stdio,
    .watch = watch_stdio,
    .unsent = unsent_stdio,
    .shutdown = shutdown_stdio,
    .close = close_stdio,
};

static int
start_stream(struct stdio_leg *stdio, struct stream *stream, int fd)
{
	int status = uv_cond_init(&stream->wake);

	if (status != 0)
		return status;
	stream->stdio = stdio;
	stream->fd = fd;
	if (fd < 0)
		return 0;
	stream->is_running = true;
	status = uv_thread_create(&stream->thread, run, stream);
	stream->is_running = status == 0;
	return status;
}

int
stdio_leg_open(struct stdio_leg **result, uv_loop_t *loop, int input, int output, const struct leg_owner *owner,
    void *context, struct leg *leg)
{
	struct stdio_leg *stdio = calloc(1, sizeof(*stdio));
	int status = stdio == NULL ? UV_ENOMEM : uv_mutex_init(&stdio->mutex);

	if (status == 0)
		status = uv_async_init(loop, &stdio->async, on_async);
	if (status != 0) {
		free(stdio);
		return status;
	}
	stdio->async.data = stdio;
	stdio->leg = leg;
	leg->kind = &stdio_kind;
	leg->owner = owner;
	leg->context = context;
	leg->fd = -1;
	leg->open = true;
	leg->stdio = stdio;
	*result = stdio;
	status = start_stream(stdio, &stdio->input, input);
	if (status == 0)
		status = start_stream(stdio, &stdio->output, output);
	return status; /* on failure spipe ends, and a thread of ours that has started ends with it */
}

void
stdio_leg_free(struct stdio_leg *stdio)
{
	bool is_running;

	uv_mutex_lock(&stdio->mutex);
	is_running = stdio->input.is_running || stdio->output.is_running;
	uv_mutex_unlock(&stdio->mutex);
	if (is_running)
		return; /* wiped now, a write that is stuck would go on with zeros */
	bytes_wipe(stdio->input.bytes, STREAM_SIZE);
	bytes_wipe(stdio->output.bytes, STREAM_SIZE);
	free(stdio);
}
