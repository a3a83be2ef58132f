/* test_key_file.c: K is the hash of every byte, from whatever kind of file; what is wrong with one is said once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "daemon/key_file.h"
#include "daemon/message.h"
#include "helpers.h"
#include "test.h"

static struct key_file file;

static uint8_t k[WIRE_KEY];

static bool
read_key(const char *path)
{
	const char *what;
	int error = key_file_read(&file, path, k, &what);

	if (error != 0)
		message_error("%s: %s: %s", what, key_file_title(path), strerror(error));
	return error == 0;
}

static void
warn(void)
{
	char text[KEY_FILE_TEXT];

	for (int i = 0; key_file_warning(&file, i, text) != NULL; i++)
		message_warning("%s", text);
}

static int
start(void **state)
{
	(void)state;
	said_start();
	scratch_create();
	memset(&file, 0, sizeof file);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	scratch_remove();
	said_stop();
	return 0;
}

static void
assert_key_is_hash_of(const void *bytes, size_t length)
{
	uint8_t hash[HASH_SIZE];

	assert_int_equal(hash_sha256(bytes, length, hash), OK);
	assert_memory_equal(k, hash, sizeof hash);
}

static void
every_byte_counts_and_none_is_trimmed(void **state)
{
	assert_true(read_key(scratch_file("mail", "secret\n \0\n", 10, 0600)));
	assert_key_is_hash_of("secret\n \0\n", 10);
	assert_int_equal(file.length, 10);
}

static void
a_file_longer_than_any_buffer_is_read_whole(void **state)
{
	static uint8_t bytes[100001];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_true(read_key(scratch_file("long", bytes, sizeof bytes, 0600)));
	assert_key_is_hash_of(bytes, sizeof bytes);
	warn();
	assert_string_equal(said(), "");
}

static void
the_null_device_and_an_empty_file_are_keys(void **state)
{
	assert_true(read_key("/dev/null"));
	assert_key_is_hash_of("", 0);
	warn();
	assert_string_equal(said(), "spiped: warning: key file /dev/null has 0 bytes: use at least 32 (spiped-keygen "
				    "makes a good one)\n");
	assert_true(read_key(scratch_file("empty", "", 0, 0600)));
	assert_key_is_hash_of("", 0);
}

static int
write_to_fifo(void)
{
	int fd = open(scratch_path("fifo"), O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, "through ", 8) == 8 && write(fd, "a fifo", 6) == 6 ? 0 : 1;
}

static void
a_fifo_is_read_to_its_end(void **state)
{
	pid_t writer;

	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	writer = fork();
	if (writer == 0)
		_exit(write_to_fifo());
	assert_true(read_key(scratch_path("fifo")));
	assert_key_is_hash_of("through a fifo", 14);
}

static int
read_standard_input(void)
{
	uint8_t hash[HASH_SIZE];
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], "from stdin", 10) != 10 || close(ends[1]) != 0 || dup2(ends[0], 0) != 0)
		return 1;
	if (!read_key("-") || hash_sha256((const uint8_t *)"from stdin", 10, hash) != OK)
		return 2;
	if (memcmp(k, hash, sizeof hash) != 0)
		return 3;
	warn();
	if (strstr(said(), "key file standard input has 10 bytes") == NULL)
		return 4;
	return fcntl(STDIN_FILENO, F_GETFD) >= 0 ? 0 : 5; /* else what is opened next would be standard input */
}

static void
a_dash_is_standard_input(void **state)
{
	assert_int_equal(status_of_child(read_standard_input), 0);
}

static void
mode_and_length_are_warnings_once(void **state)
{
	char line[512], bytes[32] = {0};
	const char *path = scratch_file("open", bytes, 32, 0644);

	(void)snprintf(line, sizeof line,
	    "spiped: warning: key file %s can be read by others: chmod 600 makes it private\n", path);
	assert_true(read_key(path));
	warn();
	assert_string_equal(said(), line);
	for (mode_t others = 0040; others > 0; others = others == 0040 ? 0004 : 0) {
		const char *name = others == 0040 ? "group" : "all";

		assert_true(read_key(scratch_file(name, bytes, 32, 0600 | others)));
		assert_true(file.readable_by_others);
	}
	assert_true(read_key(scratch_file("short", bytes, 31, 0600)));
	warn();
	assert_non_null(strstr(said(), " has 31 bytes: use at least 32 "));
	assert_true(read_key(scratch_file("good", bytes, 32, 0600)));
	warn();
	assert_string_equal(said(), "");
}

static void
what_cannot_be_read_is_one_line(void **state)
{
	assert_false(read_key("/nonexistent/key"));
	assert_string_equal(said(), "spiped: Cannot open file: /nonexistent/key: No such file or directory\n");
	assert_false(read_key(""));
	assert_string_equal(said(), "spiped: Cannot open file: : No such file or directory\n");
	assert_false(read_key("/"));
	assert_string_equal(said(), "spiped: Error reading file: /: Is a directory\n");
}

static void
a_check_keeps_no_key_and_reads_nothing_that_can_be_read_once_only(void **state)
{
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_true(key_file_check(&file, scratch_path("fifo")));
	assert_false(file.is_read);
	assert_true(key_file_check(&file, "-"));
	warn();
	assert_true(key_file_check(&file, "/dev/zero"));
	assert_string_equal(said(), "");
	assert_true(key_file_check(&file, scratch_file("short", "x", 1, 0644)));
	warn();
	assert_non_null(strstr(said(), "has 1 bytes"));
	assert_false(key_file_check(&file, "/"));
	assert_string_equal(said(), "spiped: Error reading file: /: Is a directory\n");
	assert_false(key_file_check(&file, "/nonexistent/key"));
	assert_string_equal(said(), "spiped: Cannot open file: /nonexistent/key: No such file or directory\n");
}

/* The lowest descriptor that is free. */
static int
next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	(void)close(fd);
	return fd;
}

static void
whatever_is_read_is_closed(void **state)
{
	const char *path = scratch_file("key", "x", 1, 0600);
	int next = next_descriptor();
	char text[16];

	assert_true(read_key(path));
	assert_int_equal(key_file_read_member(&file, path, k), 0);
	assert_int_equal(key_file_read_member(&file, "/", k), EISDIR);
	assert_int_equal(next_descriptor(), next);
	assert_int_equal(open(path, O_RDONLY | O_CLOEXEC), next);
	(void)snprintf(text, sizeof text, "fd:%d", next);
	assert_true(read_key(text));
	assert_key_is_hash_of("x", 1);
	assert_int_equal(next_descriptor(), next);
}

static void
what_looks_like_a_descriptor_and_is_none_is_a_path(void **state)
{
	static const char *const none[] = {
	    "fd:", "fd:x", "fd:3x", "fd: 3", "fd:+3", "fd:-1", "fd:4294967296", "fd:99999999999999999999", "fd3", "--"};

	assert_true(key_file_is_once("fd:3") && key_file_is_once("fd:10") && key_file_is_once("-"));
	for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
		assert_false(key_file_is_once(none[i]));
}

static void
one_among_others_is_a_file_of_a_mebibyte_at_most(void **state)
{
	static uint8_t bytes[KEY_FILE_MOST + 1], nothing[WIRE_KEY];

	assert_int_equal(key_file_read_member(&file, scratch_file("most", bytes, KEY_FILE_MOST, 0600), k), 0);
	assert_key_is_hash_of(bytes, KEY_FILE_MOST);
	assert_int_equal(key_file_read_member(&file, scratch_file("more", bytes, sizeof bytes, 0600), k), EFBIG);
	assert_memory_equal(k, nothing, sizeof k);
	assert_int_equal(key_file_read_member(&file, "/dev/null", k), EINVAL);
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	alarm(10);
	assert_int_equal(key_file_read_member(&file, scratch_path("fifo"), k), EINVAL);
	alarm(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_byte_counts_and_none_is_trimmed, start, stop),
	    cmocka_unit_test_setup_teardown(a_file_longer_than_any_buffer_is_read_whole, start, stop),
	    cmocka_unit_test_setup_teardown(the_null_device_and_an_empty_file_are_keys, start, stop),
	    cmocka_unit_test_setup_teardown(a_fifo_is_read_to_its_end, start, stop),
	    cmocka_unit_test_setup_teardown(a_dash_is_standard_input, start, stop),
	    cmocka_unit_test_setup_teardown(mode_and_length_are_warnings_once, start, stop),
	    cmocka_unit_test_setup_teardown(what_cannot_be_read_is_one_line, start, stop),
	    cmocka_unit_test_setup_teardown(
		a_check_keeps_no_key_and_reads_nothing_that_can_be_read_once_only, start, stop),
	    cmocka_unit_test_setup_teardown(whatever_is_read_is_closed, start, stop),
	    cmocka_unit_test_setup_teardown(what_looks_like_a_descriptor_and_is_none_is_a_path, start, stop),
	    cmocka_unit_test_setup_teardown(one_among_others_is_a_file_of_a_mebibyte_at_most, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
