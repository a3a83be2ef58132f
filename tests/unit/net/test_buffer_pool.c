/* test_buffer_pool.c: a connection that waits keeps nothing of what others have sent before. */
#include <errno.h>
#include <string.h>

#include "net/connection_parts.h"
#include "test.h"

/* Bytes: what a buffer has held before, and where what is sent from it now begins and ends. */
enum { THEIRS = 5000, BEGINS = 10, OURS = 100 };

static struct buffer_pool pool;
static ssize_t takes; /* what the socket answers */
static struct pipe_event told;

void __wrap_connection_tell(struct connection *c, struct pipe_event event);

void
__wrap_connection_tell(struct connection *c, struct pipe_event event)
{
	(void)c;
	told = event;
}

static ssize_t
write_some(struct leg *leg, const uint8_t *bytes, size_t length)
{
	(void)leg;
	assert_true(bytes[0] == 'o' && bytes[length - 1] == 'o');
	return takes;
}

static int
start(void **state)
{
	(void)state;
	return pool_start(&pool) ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	pool_free(&pool);
	return 0;
}

/* One that has been another connection's, and is sent a part of by a socket that is full. */
static struct pipe_buffer *
sent_in_part(ssize_t answer)
{
	static const struct leg_kind kind = {.write = write_some};
	static struct connection c;
	struct pipe_buffer *buffer = pool_get(&pool, 1), *again;

	assert_non_null(buffer);
	memset(buffer->bytes, 0, buffer->size); /* it is counted in all of it */
	memset(buffer->bytes, 't', THEIRS);
	pool_soil(&pool, buffer, THEIRS);
	pool_put(&pool, buffer);
	again = pool_get(&pool, 1);
	assert_ptr_equal(again, buffer);
	memset(buffer->bytes, 'o', OURS);
	pool_soil(&pool, buffer, OURS);
	c.legs[PIPE_PLAIN].kind = &kind;
	takes = answer;
	connection_do(&c, &(struct pipe_action){.kind = PIPE_SEND,
			      .leg = PIPE_PLAIN,
			      .bytes = buffer->bytes + BEGINS,
			      .length = OURS - BEGINS,
			      .buffer = buffer});
	assert_int_equal(told.kind, PIPE_WRITTEN);
	assert_int_equal(told.length, answer > 0 ? answer : 0);
	return buffer;
}

static size_t
count(const struct pipe_buffer *buffer, int byte)
{
	size_t found = 0;

	for (size_t i = 0; i < buffer->size; i++)
		found += buffer->bytes[i] == byte;
	return found;
}

static void
what_waits_stands_alone_in_its_buffer(void **state)
{
	static const ssize_t answers[] = {-EAGAIN, 1, OURS - BEGINS - 1};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		struct pipe_buffer *buffer = sent_in_part(answers[i]);

		assert_int_equal(count(buffer, 't'), 0);
		for (size_t at = 0; at < OURS; at++)
			assert_int_equal(buffer->bytes[at], 'o');
		pool_put(&pool, buffer);
	}
}

static void
what_has_waited_is_wiped_when_a_connection_closes(void **state)
{
	struct pipe_buffer *buffer = sent_in_part(1);

	(void)state;
	pool_put(&pool, buffer);
	pool_wipe(&pool);
	assert_true(count(buffer, 'o') == 0 && count(buffer, 't') == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_waits_stands_alone_in_its_buffer, start, stop),
	    cmocka_unit_test_setup_teardown(what_has_waited_is_wiped_when_a_connection_closes, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
