/* test_log_queue.c: no line is lost without being counted, and strangers cannot fill the log. */
#include <stdio.h>
#include <string.h>

#include "daemon/log_queue.h"
#include "test.h"

static struct log_queue queue;

static int
start(void **state)
{
	(void)state;
	memset(&queue, 0, sizeof queue);
	return 0;
}

static void
put(uint64_t now, const char *line)
{
	log_queue_put(&queue, now, LOG_LEVEL_INFO, false, line);
}

static void
put_stranger(uint64_t now)
{
	log_queue_put(&queue, now, LOG_LEVEL_INFO, true, "refused");
}

static void
assert_takes(uint64_t now, const char *text)
{
	struct log_entry entry;

	assert_true(log_queue_take(&queue, now, false, &entry));
	assert_string_equal(entry.text, text);
}

static void
assert_empty(uint64_t now)
{
	struct log_entry entry;

	assert_false(log_queue_take(&queue, now, false, &entry));
}

static void
lines_come_out_in_order_with_their_time_and_level(void **state)
{
	struct log_entry entry;

	log_queue_put(&queue, 1000, LOG_LEVEL_WARNING, false, "one");
	log_queue_put(&queue, 1001, LOG_LEVEL_ERROR, false, "two");
	assert_true(log_queue_take(&queue, 5000, false, &entry));
	assert_string_equal(entry.text, "one");
	assert_int_equal(entry.time, 1000);
	assert_int_equal(entry.level, LOG_LEVEL_WARNING);
	assert_true(log_queue_take(&queue, 5000, false, &entry));
	assert_string_equal(entry.text, "two");
	assert_int_equal(entry.time, 1001);
	assert_int_equal(entry.level, LOG_LEVEL_ERROR);
	assert_empty(5000);
}

static void
lines_survive_the_end_of_the_ring(void **state)
{
	char line[LINE_MAX_LENGTH + 1];

	for (size_t i = 0; i < 5 * LOG_QUEUE_BYTES / 200; i++) {
		(void)snprintf(line, sizeof line, "%zu %0*d", i, (int)(i % 397), 0);
		put(i, line);
		assert_takes(i, line);
	}
}

static void
what_finds_no_room_is_counted_in_the_next_line_that_does(void **state)
{
	char line[LINE_MAX_LENGTH + 1];
	struct log_entry entry;
	size_t room = 0;

	memset(line, 'x', LINE_MAX_LENGTH);
	line[LINE_MAX_LENGTH] = '\0';
	while (queue.dropped == 0) {
		put(1, line);
		room++;
	}
	put(1, line);
	put(1, line);
	assert_true(room > 100 && room <= LOG_QUEUE_BYTES / LINE_MAX_LENGTH);
	for (size_t i = 0; i < room - 1; i++) {
		assert_true(log_queue_take(&queue, 1, false, &entry));
		assert_string_equal(entry.text, line);
	}
	assert_empty(1);
	put(2, "after");
	assert_takes(2, "after dropped=3");
	put(3, "later");
	assert_takes(3, "later");
}

/* Of some length or other, the last one that fits leaves any small number of bytes free. */
static void
no_line_of_any_length_overwrites_another(void **state)
{
	char line[LINE_MAX_LENGTH + 1];
	struct log_entry entry;

	for (size_t length = 1; length <= 64; length++) {
		memset(line, (int)('0' + length), length);
		line[length] = '\0';
		while (queue.dropped == 0)
			put(length, line);
		queue.dropped = 0;
		for (size_t taken = 0; log_queue_take(&queue, length, false, &entry); taken++) {
			assert_string_equal(entry.text, line);
			assert_int_equal(entry.time, length);
		}
	}
}

static void
a_line_that_could_not_be_written_counts_as_dropped(void **state)
{
	put(1, "one");
	assert_takes(1, "one");
	log_queue_lost(&queue);
	put(2, "two");
	assert_takes(2, "two dropped=1");
}

static void
strangers_get_ten_lines_a_second_and_the_next_one_counts_the_rest(void **state)
{
	for (unsigned i = 0; i < 25; i++)
		put_stranger(1000 + i);
	for (unsigned i = 0; i < 10; i++)
		assert_takes(1100, "refused");
	assert_empty(1100);
	put_stranger(2000);
	assert_takes(2000, "refused left_out=15");
	for (unsigned i = 0; i < 9; i++)
		put_stranger(2001);
	for (unsigned i = 0; i < 9; i++)
		assert_takes(2001, "refused");
	put_stranger(2002);
	assert_empty(2002);
}

static void
others_are_not_held_up_by_strangers(void **state)
{
	for (unsigned i = 0; i < 25; i++)
		put_stranger(1000);
	put(1000, "open");
	for (unsigned i = 0; i < 10; i++)
		assert_takes(1000, "refused");
	assert_takes(1000, "open");
}

static void
a_second_later_the_count_comes_by_itself(void **state)
{
	struct log_entry entry;

	for (unsigned i = 0; i < 11; i++)
		log_queue_put(&queue, 1000, LOG_LEVEL_WARNING, true, "refused");
	assert_int_equal(log_queue_wait(&queue, 1000), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_takes(1000, "refused");
	assert_int_equal(log_queue_wait(&queue, 1400), 600);
	assert_empty(1999);
	assert_true(log_queue_take(&queue, 2000, false, &entry));
	assert_string_equal(entry.text, "log left_out=1");
	assert_int_equal(entry.level, LOG_LEVEL_WARNING);
	assert_int_equal(entry.time, 2000);
	assert_int_equal(log_queue_wait(&queue, 2000), UINT64_MAX);
	put_stranger(2000);
	assert_takes(2000, "refused");
}

static void
a_clock_that_is_set_back_does_not_silence_strangers(void **state)
{
	for (unsigned i = 0; i < 11; i++)
		put_stranger(1000000);
	for (unsigned i = 0; i < 10; i++)
		assert_takes(1000000, "refused");
	put_stranger(5);
	assert_takes(5, "refused left_out=1");
}

static void
the_last_line_tells_what_nobody_has(void **state)
{
	struct log_entry entry;

	for (unsigned i = 0; i < 12; i++)
		put_stranger(1000);
	for (unsigned i = 0; i < 10; i++)
		assert_takes(1000, "refused");
	log_queue_lost(&queue);
	assert_empty(1000);
	assert_true(log_queue_take(&queue, 1000, true, &entry));
	assert_string_equal(entry.text, "log left_out=2 dropped=1");
	assert_false(log_queue_take(&queue, 1000, true, &entry));
	log_queue_lost(&queue);
	assert_true(log_queue_take(&queue, 1000, true, &entry));
	assert_string_equal(entry.text, "log dropped=1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(lines_come_out_in_order_with_their_time_and_level, start),
	    cmocka_unit_test_setup(lines_survive_the_end_of_the_ring, start),
	    cmocka_unit_test_setup(what_finds_no_room_is_counted_in_the_next_line_that_does, start),
	    cmocka_unit_test_setup(no_line_of_any_length_overwrites_another, start),
	    cmocka_unit_test_setup(a_line_that_could_not_be_written_counts_as_dropped, start),
	    cmocka_unit_test_setup(strangers_get_ten_lines_a_second_and_the_next_one_counts_the_rest, start),
	    cmocka_unit_test_setup(others_are_not_held_up_by_strangers, start),
	    cmocka_unit_test_setup(a_second_later_the_count_comes_by_itself, start),
	    cmocka_unit_test_setup(a_clock_that_is_set_back_does_not_silence_strangers, start),
	    cmocka_unit_test_setup(the_last_line_tells_what_nobody_has, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
