/* test_key_set.c: keys stand in memory that does not leak, and what a reading that goes wrong leaves in force. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "daemon/key_set.h"
#include "helpers.h"
#include "test.h"

static struct key_set set;
static char logged[8192];

static void
write_logged(void *context, enum log_level level, bool stranger, const char *line)
{
	size_t length = strlen(logged);

	(void)context;
	(void)level;
	(void)stranger;
	(void)snprintf(logged + length, sizeof logged - length, "%s\n", line);
}

static const struct log_sink sink = {.write = write_logged, .level = LOG_LEVEL_DEBUG};

static int
start(void **state)
{
	(void)state;
	said_start();
	scratch_create();
	memset(&set, 0, sizeof set);
	logged[0] = '\0';
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	key_set_forget(&set);
	scratch_remove();
	said_stop();
	return 0;
}

static void
open_one(const char *name, const char *bytes, size_t length)
{
	const char *path = scratch_file(name, bytes, length, 0600);

	assert_true(key_set_open(&set, &path, 1, KEYS_OF_SPIPE));
}

static void
names_of_keys_are_printable(void **state)
{
	char name[100];

	open_one("a b\n\xc3\xa4", "x", 1);
	assert_string_equal(set.ring->keys[0].name->text, "a_b___");
	key_set_forget(&set);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	open_one(name, "x", 1);
	assert_int_equal(strlen(set.ring->keys[0].name->text), KEY_NAME_MAX);
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
	open_one("key", "x", 1);
	assert_true(memory_has_flag(set.ring, " dd"));
}

static void
a_key_is_in_memory_that_is_not_swapped(void **state)
{
	if (!call_shows(lock, " lo"))
		skip();
	open_one("key", "x", 1);
	assert_true(memory_has_flag(set.ring, " lo"));
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

	if (memory_has_flag(set.ring, " lo"))
		return 1;
	key_set_keep(&set);
	if (!memory_has_flag(set.ring, " lo") || !memory_has_flag(set.ring, " dd"))
		return 2;
	if (there_is_secret_memory() && memory_can_be_looked_at(set.ring))
		return 3;
	if (hash_sha256((const uint8_t *)"x", 1, hash) != OK || memcmp(set.ring->keys[0].k, hash, sizeof hash) != 0 ||
	    strcmp(set.ring->keys[0].name->text, "key") != 0)
		return 4;
	return 0;
}

static void
a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own(void **state)
{
	uint8_t hash[HASH_SIZE];

	if (!call_shows(lock, " lo") || !call_shows(leave_out_of_dumps, " dd"))
		skip();
	open_one("key", "x", 1);
	assert_true(memory_can_be_looked_at(set.ring));
	assert_int_equal(status_of_child(keep), 0);
	assert_int_equal(hash_sha256((const uint8_t *)"x", 1, hash), OK);
	assert_memory_equal(set.ring->keys[0].k, hash, sizeof hash);
}

static void
to_keep_no_keys_is_fine(void **state)
{
	key_set_keep(&set);
}

static char folder[256];

/* 32 bytes of one kind. */
static void
give(const char *file, char byte)
{
	char bytes[32];

	memset(bytes, byte, sizeof bytes);
	(void)scratch_file(file, bytes, sizeof bytes, 0600);
}

static void
open_folder(void)
{
	const char *path = folder;

	(void)snprintf(folder, sizeof folder, "%s", scratch_path("."));
	assert_true(key_set_open(&set, &path, 1, KEYS_OF_SERVER));
	set.log = &sink;
}

static bool
has(const char *name, char byte)
{
	uint8_t bytes[32], hash[HASH_SIZE];

	memset(bytes, byte, sizeof bytes);
	assert_int_equal(hash_sha256(bytes, sizeof bytes, hash), OK);
	for (size_t i = 0; i < set.ring->count; i++)
		if (strcmp(set.ring->keys[i].name->text, name) == 0)
			return memcmp(set.ring->keys[i].k, hash, sizeof hash) == 0;
	return false;
}

/* Whether the keys in force are others now. */
static bool
changes(void)
{
	struct keyring *ring = key_set_read_again(&set, true);

	if (ring == NULL)
		return false;
	assert_ptr_equal(ring, set.ring);
	counted_drop(&ring->counted);
	return true;
}

static void
a_folder_gives_a_key_for_each_file_that_is_called_one(void **state)
{
	give("laptop.key", 1);
	give("a.b_c-9.key", 2);
	give(".hidden.key", 3);
	give("laptop.key~", 4);
	give("no-suffix", 5);
	give("a b.key", 6);
	open_folder();
	assert_int_equal(set.ring->count, 2);
	assert_true(has("laptop", 1) && has("a.b_c-9", 2));
	assert_non_null(strstr(said(), "no-suffix is passed over"));
}

static void
what_is_new_gone_or_changed_is_so_in_a_new_ring(void **state)
{
	struct keyring *before;
	struct key_name *laptop, *phone;

	give("laptop.key", 1);
	give("phone.key", 2);
	open_folder();
	before = set.ring;
	counted_take(&before->counted);
	laptop = before->keys[0].name;
	phone = before->keys[1].name;
	assert_false(changes());
	give("phone.key", 3);
	give("tablet.key", 4);
	assert_true(changes());
	assert_true(has("laptop", 1) && has("phone", 3) && has("tablet", 4));
	/* One name for as long as it is one key: whoever is on it stays on it. */
	assert_ptr_equal(set.ring->keys[0].name, laptop);
	assert_false(laptop->is_revoked);
	assert_true(phone->is_revoked);
	assert_string_equal(before->keys[1].name->text, "phone");
	counted_drop(&before->counted);
	assert_non_null(strstr(logged, "keys changed=phone\nkeys added=tablet\n"));
}

static void
a_removal_counts_whatever_else_is_wrong(void **state)
{
	give("laptop.key", 1);
	give("phone.key", 2);
	open_folder();
	assert_int_equal(unlink(scratch_path("laptop.key")), 0);
	(void)scratch_file("phone.key", "", 0, 0600);
	assert_true(changes());
	assert_int_equal(set.ring->count, 1);
	assert_true(has("phone", 2));
	assert_non_null(strstr(logged, "Shorter than 32 bytes: its key stays as it was"));
	assert_int_equal(unlink(scratch_path("phone.key")), 0);
	assert_true(changes());
	assert_int_equal(set.ring->count, 0);
	assert_non_null(strstr(logged, "everyone is refused"));
}

static void
a_folder_that_cannot_be_read_changes_nothing(void **state)
{
	give("laptop.key", 1);
	open_folder();
	(void)snprintf(folder, sizeof folder, "/nonexistent/keys");
	assert_false(changes());
	assert_true(has("laptop", 1));
	assert_non_null(strstr(logged, "No such file or directory: its keys stay as they were"));
}

static void
a_file_is_read_again_and_keeps_its_key_when_that_fails(void **state)
{
	static char path[256];
	const char *paths[] = {path};

	give("key", 1);
	(void)snprintf(path, sizeof path, "%s", scratch_path("key"));
	assert_true(key_set_open(&set, paths, 1, KEYS_OF_SERVER));
	set.log = &sink;
	give("key", 2);
	assert_true(changes());
	assert_true(has("key", 2));
	(void)scratch_file("key", "half", 4, 0600);
	assert_false(changes());
	assert_int_equal(unlink(path), 0);
	assert_false(changes());
	assert_true(has("key", 2));
}

static void
an_end_that_connects_has_no_folder(void **state)
{
	const char *path = scratch_path(".");

	assert_false(key_set_open(&set, &path, 1, KEYS_OF_CLIENT));
	assert_non_null(strstr(said(), "a folder of keys is for -d"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_of_keys_are_printable, start, stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_dumped, start, stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_swapped, start, stop),
	    cmocka_unit_test_setup_teardown(
		a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own, start, stop),
	    cmocka_unit_test_setup_teardown(to_keep_no_keys_is_fine, start, stop),
	    cmocka_unit_test_setup_teardown(a_folder_gives_a_key_for_each_file_that_is_called_one, start, stop),
	    cmocka_unit_test_setup_teardown(what_is_new_gone_or_changed_is_so_in_a_new_ring, start, stop),
	    cmocka_unit_test_setup_teardown(a_removal_counts_whatever_else_is_wrong, start, stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_read_changes_nothing, start, stop),
	    cmocka_unit_test_setup_teardown(a_file_is_read_again_and_keeps_its_key_when_that_fails, start, stop),
	    cmocka_unit_test_setup_teardown(an_end_that_connects_has_no_folder, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
