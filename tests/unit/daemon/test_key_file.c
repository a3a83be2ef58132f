/* test_key_file.c: K is the hash of every byte, from whatever kind of file; what is wrong with one is said once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "daemon/key_file.h"
#include "helpers.h"
#include "test.h"

static struct key_file file;

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
	key_file_forget(&file);
	scratch_remove();
	said_stop();
	return 0;
}

static void
assert_key_is_hash_of(const void *bytes, size_t length)
{
	uint8_t hash[HASH_SIZE];

	assert_int_equal(hash_sha256(bytes, length, hash), OK);
	assert_memory_equal(file.key->k, hash, sizeof hash);
}

static void
every_byte_counts_and_none_is_trimmed(void **state)
{
	assert_true(key_file_read(&file, scratch_file("mail", "secret\n \0\n", 10, 0600)));
	assert_key_is_hash_of("secret\n \0\n", 10);
	assert_string_equal(file.key->name, "mail");
	assert_int_equal(file.length, 10);
}

static void
a_file_longer_than_any_buffer_is_read_whole(void **state)
{
	static uint8_t bytes[100001];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 7);
	assert_true(key_file_read(&file, scratch_file("long", bytes, sizeof bytes, 0600)));
	assert_key_is_hash_of(bytes, sizeof bytes);
	key_file_warn(&file);
	assert_string_equal(said(), "");
}

static void
the_null_device_and_an_empty_file_are_keys(void **state)
{
	assert_true(key_file_read(&file, "/dev/null"));
	assert_key_is_hash_of("", 0);
	key_file_warn(&file);
	assert_string_equal(said(), "spiped: warning: key file /dev/null has 0 bytes: use at least 32 (spiped-keygen "
				    "makes a good one)\n");
	key_file_forget(&file);
	assert_true(key_file_read(&file, scratch_file("empty", "", 0, 0600)));
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
	assert_true(key_file_read(&file, scratch_path("fifo")));
	assert_key_is_hash_of("through a fifo", 14);
}

static int
read_standard_input(void)
{
	uint8_t hash[HASH_SIZE];
	int ends[2];

	if (pipe(ends) != 0 || write(ends[1], "from stdin", 10) != 10 || close(ends[1]) != 0 || dup2(ends[0], 0) != 0)
		return 1;
	if (!key_file_read(&file, "-") || hash_sha256((const uint8_t *)"from stdin", 10, hash) != OK)
		return 2;
	if (memcmp(file.key->k, hash, sizeof hash) != 0 || strcmp(file.key->name, "stdin") != 0)
		return 3;
	key_file_warn(&file);
	key_file_forget(&file);
	return strstr(said(), "key file standard input has 10 bytes") != NULL ? 0 : 4;
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
	assert_true(key_file_read(&file, path));
	key_file_warn(&file);
	assert_string_equal(said(), line);
	key_file_forget(&file);
	for (mode_t others = 0040; others > 0; others = others == 0040 ? 0004 : 0) {
		const char *name = others == 0040 ? "group" : "all";

		assert_true(key_file_read(&file, scratch_file(name, bytes, 32, 0600 | others)));
		assert_true(file.readable_by_others);
		key_file_forget(&file);
	}
	assert_true(key_file_read(&file, scratch_file("short", bytes, 31, 0600)));
	key_file_warn(&file);
	assert_non_null(strstr(said(), " has 31 bytes: use at least 32 "));
	key_file_forget(&file);
	assert_true(key_file_read(&file, scratch_file("good", bytes, 32, 0600)));
	key_file_warn(&file);
	assert_string_equal(said(), "");
}

static void
what_cannot_be_read_is_one_line(void **state)
{
	assert_false(key_file_read(&file, "/nonexistent/key"));
	assert_string_equal(said(), "spiped: Cannot open file: /nonexistent/key: No such file or directory\n");
	assert_false(key_file_read(&file, ""));
	assert_string_equal(said(), "spiped: Cannot open file: : No such file or directory\n");
	assert_false(key_file_read(&file, "/"));
	assert_string_equal(said(), "spiped: Error reading file: /: Is a directory\n");
	assert_null(file.key);
}

static void
names_of_keys_are_printable(void **state)
{
	char name[100];

	assert_true(key_file_read(&file, scratch_file("a b\n\xc3\xa4", "x", 1, 0600)));
	assert_string_equal(file.key->name, "a_b___");
	key_file_forget(&file);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_true(key_file_read(&file, scratch_file(name, "x", 1, 0600)));
	assert_int_equal(strlen(file.key->name), KEY_NAME_MAX);
}

static void
a_check_keeps_no_key_and_reads_nothing_that_can_be_read_once_only(void **state)
{
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_true(key_file_check(&file, scratch_path("fifo")));
	assert_false(file.is_read);
	assert_true(key_file_check(&file, "-"));
	key_file_warn(&file);
	assert_true(key_file_check(&file, "/dev/zero"));
	assert_string_equal(said(), "");
	assert_true(key_file_check(&file, scratch_file("short", "x", 1, 0644)));
	assert_null(file.key);
	key_file_warn(&file);
	assert_non_null(strstr(said(), "has 1 bytes"));
	assert_false(key_file_check(&file, "/"));
	assert_string_equal(said(), "spiped: Error reading file: /: Is a directory\n");
	assert_false(key_file_check(&file, "/nonexistent/key"));
	assert_string_equal(said(), "spiped: Cannot open file: /nonexistent/key: No such file or directory\n");
}

/* Whether the mapping of this address has this flag, by what the kernel says about our memory. */
static bool
memory_has_flag(const void *address, const char *flag)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	char line[512];
	unsigned long from, to;
	bool is_it = false, has = false;

	assert_non_null(maps);
	while (fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_it = from <= (uintptr_t)address && (uintptr_t)address < to;
		else if (is_it && strncmp(line, "VmFlags:", 8) == 0)
			has = strstr(line, flag) != NULL;
	}
	(void)fclose(maps);
	return has;
}

/*
 * Whether a call does to a page what it should: sanitizers make mlock do nothing, some systems forbid it, and qemu
 * shows a program of another machine no flags.
 */
static bool
call_shows(int (*call)(void *page, size_t length), const char *flag)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool shows;

	assert_ptr_not_equal(page, MAP_FAILED);
	shows = call(page, 4096) == 0 && memory_has_flag(page, flag);
	(void)munmap(page, 4096);
	return shows;
}

static int
lock(void *page, size_t length)
{
	return mlock(page, length);
}

static int
leave_out_of_dumps(void *page, size_t length)
{
	return madvise(page, length, MADV_DONTDUMP);
}

static void
a_key_is_in_memory_that_is_not_dumped(void **state)
{
	if (!call_shows(leave_out_of_dumps, " dd"))
		skip();
	assert_true(key_file_read(&file, scratch_file("key", "x", 1, 0600)));
	assert_true(memory_has_flag(file.key, " dd"));
}

static void
a_key_is_in_memory_that_is_not_swapped(void **state)
{
	if (!call_shows(lock, " lo"))
		skip();
	assert_true(key_file_read(&file, scratch_file("key", "x", 1, 0600)));
	assert_true(memory_has_flag(file.key, " lo"));
}

/* Whether the kernel shows it to those who look into a process from outside. */
static bool
memory_can_be_looked_at(const void *address)
{
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	char byte;
	bool can = pread(memory, &byte, 1, (off_t)(uintptr_t)address) == 1;

	assert_true(memory >= 0);
	(void)close(memory);
	return can;
}

static bool
there_is_secret_memory(void)
{
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
#else
	return false;
#endif
}

static int
keep(void)
{
	uint8_t hash[HASH_SIZE];

	if (memory_has_flag(file.key, " lo"))
		return 1;
	key_file_keep(&file);
	if (!memory_has_flag(file.key, " lo") || !memory_has_flag(file.key, " dd"))
		return 2;
	if (there_is_secret_memory() && memory_can_be_looked_at(file.key))
		return 3;
	if (hash_sha256((const uint8_t *)"x", 1, hash) != OK || memcmp(file.key->k, hash, sizeof hash) != 0 ||
	    strcmp(file.key->name, "key") != 0)
		return 4;
	key_file_forget(&file);
	return 0;
}

static void
a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own(void **state)
{
	if (!call_shows(lock, " lo") || !call_shows(leave_out_of_dumps, " dd"))
		skip();
	assert_true(key_file_read(&file, scratch_file("key", "x", 1, 0600)));
	assert_true(memory_can_be_looked_at(file.key));
	assert_int_equal(status_of_child(keep), 0);
	assert_key_is_hash_of("x", 1);
}

static void
to_keep_no_key_is_fine(void **state)
{
	key_file_keep(&file);
	assert_null(file.key);
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
	    cmocka_unit_test_setup_teardown(names_of_keys_are_printable, start, stop),
	    cmocka_unit_test_setup_teardown(
		a_check_keeps_no_key_and_reads_nothing_that_can_be_read_once_only, start, stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_dumped, start, stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_swapped, start, stop),
	    cmocka_unit_test_setup_teardown(
		a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own, start, stop),
	    cmocka_unit_test_setup_teardown(to_keep_no_key_is_fine, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
