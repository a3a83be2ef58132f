/* test_log.c: lines reach standard error, and whoever writes them waits for nobody. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "test.h"

enum { PATIENCE_MS = 10000 };

struct reader {
	struct log *log;
	int ends[2]; /* a pipe that stands for standard error */
	char text[1 << 20];
	size_t length;
};

static int
start(void **state)
{
	struct reader *reader = calloc(1, sizeof *reader);

	if (reader == NULL || pipe(reader->ends) != 0)
		return -1;
	reader->log = log_new("spiped", reader->ends[1], LOG_LEVEL_INFO);
	*state = reader;
	return reader->log != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	struct reader *reader = *state;

	log_stop(reader->log);
	if (reader->ends[0] >= 0)
		(void)close(reader->ends[0]);
	(void)close(reader->ends[1]);
	free(reader);
	return 0;
}

static void
write_line(const struct reader *reader, enum log_level level, const char *line)
{
	const struct log_sink *sink = log_sink(reader->log);

	sink->write(sink->context, level, false, line);
}

static void
fill_pipe(const struct reader *reader)
{
	char bytes[4096];

	memset(bytes, '-', sizeof bytes);
	assert_int_equal(fcntl(reader->ends[1], F_SETFL, O_NONBLOCK), 0);
	while (write(reader->ends[1], bytes, sizeof bytes) > 0)
		continue;
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(fcntl(reader->ends[1], F_SETFL, 0), 0);
}

/* Reads what is there within `patience` ms; false: nothing was. */
static bool
read_some(struct reader *reader, int patience)
{
	struct pollfd ready = {.fd = reader->ends[0], .events = POLLIN};
	ssize_t length;

	if (poll(&ready, 1, patience) != 1)
		return false;
	length = read(reader->ends[0], reader->text + reader->length, sizeof reader->text - 1 - reader->length);
	assert_true(length > 0);
	reader->length += (size_t)length;
	return true;
}

static void
read_until(struct reader *reader, const char *text)
{
	while (strstr(reader->text, text) == NULL)
		assert_true(read_some(reader, PATIENCE_MS));
}

static uint64_t
milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
a_line_has_the_time_in_utc_with_milliseconds(void **state)
{
	struct reader *reader = *state;
	char rest[64];
	unsigned year, month, day, hour, minute, second, millisecond;
	struct tm utc;
	time_t before = time(NULL), then;

	assert_int_equal(setenv("TZ", "Asia/Kolkata", 1), 0);
	write_line(reader, LOG_LEVEL_INFO, "open peer=x");
	read_until(reader, "\n");
	assert_int_equal(sscanf(reader->text, "%4u-%2u-%2uT%2u:%2u:%2u.%3u%63[^\n]", &year, &month, &day, &hour,
			     &minute, &second, &millisecond, rest),
	    8);
	assert_string_equal(rest, "Z open peer=x");
	assert_int_equal(reader->text[24 + strlen(" open peer=x")], '\n');
	utc = (struct tm){.tm_year = (int)year - 1900,
	    .tm_mon = (int)month - 1,
	    .tm_mday = (int)day,
	    .tm_hour = (int)hour,
	    .tm_min = (int)minute,
	    .tm_sec = (int)second};
	then = timegm(&utc);
	assert_true(then >= before && then <= time(NULL));
}

static void
lines_above_the_level_are_not_written(void **state)
{
	struct reader *reader = *state;

	assert_true(log_wants(log_sink(reader->log), LOG_LEVEL_INFO));
	assert_false(log_wants(log_sink(reader->log), LOG_LEVEL_DEBUG));
	write_line(reader, LOG_LEVEL_DEBUG, "detail");
	write_line(reader, LOG_LEVEL_ERROR, "trouble");
	read_until(reader, "trouble\n");
	assert_null(strstr(reader->text, "detail"));
}

static void
the_thread_writes_what_it_is_given(void **state)
{
	struct reader *reader = *state;

	assert_true(log_start_thread(reader->log));
	write_line(reader, LOG_LEVEL_INFO, "one");
	read_until(reader, "one\n");
	write_line(reader, LOG_LEVEL_INFO, "two");
	read_until(reader, "two\n");
}

static void
nobody_waits_for_a_reader_that_does_not_read(void **state)
{
	struct reader *reader = *state;
	uint64_t begin = milliseconds();

	fill_pipe(reader);
	assert_true(log_start_thread(reader->log));
	for (unsigned i = 0; i < 20000; i++)
		write_line(reader, LOG_LEVEL_INFO, "open peer=192.0.2.7:51234");
	assert_true(milliseconds() - begin < PATIENCE_MS);
	read_until(reader, "open peer=192.0.2.7:51234\n");
	begin = milliseconds();
	while (strstr(reader->text, " dropped=") == NULL) { /* behind some 2,500 lines, which may come one by one */
		assert_true(milliseconds() - begin < PATIENCE_MS);
		write_line(reader, LOG_LEVEL_INFO, "next"); /* dropped as well, until there is room */
		(void)read_some(reader, 10);
	}
}

static void
what_waits_is_written_before_the_end(void **state)
{
	struct reader *reader = *state;

	assert_true(log_start_thread(reader->log));
	for (unsigned i = 0; i < 100; i++)
		write_line(reader, LOG_LEVEL_INFO, "line");
	write_line(reader, LOG_LEVEL_INFO, "last");
	log_stop(reader->log);
	reader->log = NULL;
	read_until(reader, "last\n");
}

static void
the_end_does_not_wait_for_a_stuck_reader_for_ever(void **state)
{
	struct reader *reader = *state;
	uint64_t begin = milliseconds();

	fill_pipe(reader);
	assert_true(log_start_thread(reader->log));
	write_line(reader, LOG_LEVEL_INFO, "stuck");
	log_stop(reader->log);
	reader->log = NULL;
	assert_true(milliseconds() - begin < LOG_STOP_MS + PATIENCE_MS);
	read_until(
	    reader, "stuck\n"); /* the writer that was left behind goes on as soon as it can, and frees nothing */
}

static void
a_reader_that_is_gone_does_no_harm(void **state)
{
	struct reader *reader = *state;

	assert_true(log_start_thread(reader->log));
	(void)close(reader->ends[0]);
	reader->ends[0] = -1;
	for (unsigned i = 0; i < 100; i++)
		write_line(reader, LOG_LEVEL_INFO, "line");
}

static void
a_stranger_is_told_of_a_second_later_without_another_line(void **state)
{
	struct reader *reader = *state;
	const struct log_sink *sink = log_sink(reader->log);

	assert_true(log_start_thread(reader->log));
	for (unsigned i = 0; i < 15; i++)
		sink->write(sink->context, LOG_LEVEL_INFO, true, "refused");
	read_until(reader, "Z log left_out=5\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_line_has_the_time_in_utc_with_milliseconds, start, stop),
	    cmocka_unit_test_setup_teardown(lines_above_the_level_are_not_written, start, stop),
	    cmocka_unit_test_setup_teardown(the_thread_writes_what_it_is_given, start, stop),
	    cmocka_unit_test_setup_teardown(nobody_waits_for_a_reader_that_does_not_read, start, stop),
	    cmocka_unit_test_setup_teardown(what_waits_is_written_before_the_end, start, stop),
	    cmocka_unit_test_setup_teardown(the_end_does_not_wait_for_a_stuck_reader_for_ever, start, stop),
	    cmocka_unit_test_setup_teardown(a_reader_that_is_gone_does_no_harm, start, stop),
	    cmocka_unit_test_setup_teardown(a_stranger_is_told_of_a_second_later_without_another_line, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
