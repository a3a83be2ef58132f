/* world.c: what is around the two pipes, and what goes on there; see world.h. */
#include "world.h"

#include <stdlib.h>

#include "backend.h"

enum { STEPS_MAX = 3000000 };

void
stream_put(struct stream *stream, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return;
	if (stream->start + stream->length + length > stream->size) {
		if (stream->length > 0)
			memmove(stream->bytes, stream->bytes + stream->start, stream->length);
		stream->start = 0;
		if (stream->length + length > stream->size) {
			stream->size = 2 * (stream->length + length);
			stream->bytes = realloc(stream->bytes, stream->size);
			assert_non_null(stream->bytes);
		}
	}
	memcpy(stream->bytes + stream->start + stream->length, bytes, length);
	stream->length += length;
}

/* A reset arrives: nothing can be written any more, but what had come before can be read. */
void
stream_break(struct stream *read_by_pipe, struct stream *written_by_pipe)
{
	read_by_pipe->broken = true;
	written_by_pipe->is_deaf = true;
}

bool
world_step(struct world *world)
{
	for (size_t i = 0; i < (size_t)ENDS * WORLD_THINGS; i++) {
		size_t number = (world->first + i) % ((size_t)ENDS * WORLD_THINGS);
		struct end *end = &world->ends[number % ENDS];

		if (!world_happen(world, end, number / ENDS))
			continue;
		if (end->started)
			world_settle(world, end);
		return true;
	}
	return false;
}

void
world_run(struct world *world)
{
	size_t steps = 0;

	while (world_step(world))
		assert_true(++steps < STEPS_MAX);
}

void
world_wait(struct world *world, uint64_t milliseconds)
{
	uint64_t until = world->now + milliseconds;

	for (world_run(world); world->now < until; world_run(world)) {
		uint64_t next = until;

		for (int i = 0; i < ENDS; i++)
			if (world->ends[i].started && pipe_deadline(&world->ends[i].pipe) < next)
				next = pipe_deadline(&world->ends[i].pipe);
		assert_true(next > world->now);
		world->now = next;
	}
}

void
world_say(struct world *world, int end, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = world_byte(end, world->said[end]++);

		stream_put(&world->from_app[end], &byte, 1);
	}
}

void
world_end(struct world *world, int end)
{
	world->from_app[end].ended = true;
}

void
world_break(struct world *world, int end)
{
	stream_break(&world->from_app[end], &world->to_app[end]);
}

static void
start_end(struct world *world, int i, enum pipe_leg accepted)
{
	struct end *end = &world->ends[i];
	uint8_t random[SESSION_RANDOM];

	memset(random, 0x11 + i, sizeof(random));
	memset(&end->pipe, 0xa5, sizeof(end->pipe));
	end->started = true;
	end->legs[accepted].connected = true;
	pipe_start(&end->pipe, &end->settings, &world->rings[i], world->engine, random, world->now);
	world_settle(world, end);
}

void
world_start(struct world *world)
{
	world_reset(world);
	start_end(world, ENCRYPTER, PIPE_PLAIN);
}

void
world_accept(struct world *world)
{
	start_end(world, DECRYPTER, PIPE_CIPHER);
}

void
world_open(struct world *world)
{
	world_start(world);
	world_run(world);
	assert_true(world->ends[ENCRYPTER].opened && world->ends[DECRYPTER].opened);
}

static void
reset_stream(struct stream *stream)
{
	*stream = (struct stream){.bytes = stream->bytes, .size = stream->size, .capacity = ROOMY};
}

/* Ends what an end may still be at, and what it holds with it. */
static void
stop_end(struct world *world, struct end *end)
{
	if (end->started && !end->over)
		world_tell(world, end == &world->ends[ENCRYPTER] ? ENCRYPTER : DECRYPTER,
		    (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_KILLED});
	assert_true(!end->started || end->over);
}

void
world_reset(struct world *world)
{
	stop_end(world, &world->ends[ENCRYPTER]);
	stop_end(world, &world->ends[DECRYPTER]);
	for (int i = 0; i < ENDS; i++) {
		struct end *end = &world->ends[i];
		struct pipe_settings settings = end->settings;

		memset(end, 0, sizeof(*end));
		end->settings = settings;
		end->broken_at = UINT64_MAX;
		reset_stream(&world->wire[i]);
		reset_stream(&world->from_app[i]);
		reset_stream(&world->to_app[i]);
		world->said[i] = 0;
		world->is_stalled[i] = false;
		for (int which = 0; which < PIPE_LEGS; which++) {
			end->legs[which].read_most = end->legs[which].write_most = SIZE_MAX;
			end->legs[which].write_until = UINT64_MAX;
		}
		end->legs[PIPE_PLAIN].in = &world->from_app[i];
		end->legs[PIPE_PLAIN].out = &world->to_app[i];
		end->legs[PIPE_CIPHER].in = &world->wire[i == ENCRYPTER ? DECRYPTER : ENCRYPTER];
		end->legs[PIPE_CIPHER].out = &world->wire[i];
	}
	world->is_tampered = world->is_pressing = false;
	world->first = 0;
	world->now = 1000;
}

int
world_setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	if (world == NULL || group14_start() != OK)
		return -1;
	world->in = malloc(PIPE_IN_SIZE);
	world->engine = engine_new(test_backend());
	if (world->in == NULL || world->engine == NULL)
		return -1;
	strcpy(world->name.text, "key");
	for (int i = 0; i < ENDS; i++) {
		world->keys[i].name = &world->name;
		memset(world->keys[i].k, 7, WIRE_KEY);
		world->rings[i] = (struct keyring){.count = 1, .keys = &world->keys[i]};
		world->ends[i].settings = (struct pipe_settings){.kind = i == ENCRYPTER ? PIPE_ENCRYPT : PIPE_DECRYPT,
		    .forward_secrecy = FORWARD_SECRECY_OFF,
		    .timeout = TIMEOUT};
	}
	world_reset(world);
	*state = world;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *world = *state;

	world_reset(world);
	for (int i = 0; i < ENDS; i++) {
		free(world->wire[i].bytes);
		free(world->from_app[i].bytes);
		free(world->to_app[i].bytes);
	}
	engine_free(world->engine);
	group14_stop();
	free(world->in);
	free(world);
	return 0;
}
