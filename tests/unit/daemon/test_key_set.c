/* test_key_set.c: keys stand in memory that does not leak; where they come from, and what becomes of who is on them. */
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
#include "helpers.h"
#include "keys.h"
#include "test.h"

static void
write_nothing(void *context, enum log_level level, bool stranger, const char *line)
{
	(void)context;
	(void)level;
	(void)stranger;
	(void)line;
}

static void
open_one(const char *name, const char *bytes, size_t length)
{
	const char *path = scratch_file(name, bytes, length, 0600);

	assert_true(key_set_open(&keys, &path, 1, KEYS_OF_SPIPE));
}

static void
names_of_keys_are_printable(void **state)
{
	char name[100];

	open_one("a b\n\xc3\xa4", "x", 1);
	assert_string_equal(keys.ring->keys[0].name->text, "a_b___");
	key_set_forget(&keys);
	memset(name, 'x', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	open_one(name, "x", 1);
	assert_int_equal(strlen(keys.ring->keys[0].name->text), KEY_NAME_MAX);
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
	assert_true(memory_has_flag(keys.ring, " dd"));
}

static void
a_key_is_in_memory_that_is_not_swapped(void **state)
{
	if (!call_shows(lock, " lo"))
		skip();
	open_one("key", "x", 1);
	assert_true(memory_has_flag(keys.ring, " lo"));
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

	if (memory_has_flag(keys.ring, " lo"))
		return 1;
	key_set_keep(&keys);
	if (!memory_has_flag(keys.ring, " lo") || !memory_has_flag(keys.ring, " dd"))
		return 2;
	if (there_is_secret_memory() && memory_can_be_looked_at(keys.ring))
		return 3;
	if (hash_sha256((const uint8_t *)"x", 1, hash) != OK || memcmp(keys.ring->keys[0].k, hash, sizeof hash) != 0 ||
	    strcmp(keys.ring->keys[0].name->text, "key") != 0)
		return 4;
	return keys.ring->keys[0].name->counted.holders == 1 ? 0 : 5;
}

static void
a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own(void **state)
{
	uint8_t hash[HASH_SIZE];

	if (!call_shows(lock, " lo") || !call_shows(leave_out_of_dumps, " dd"))
		skip();
	open_one("key", "x", 1);
	assert_true(memory_can_be_looked_at(keys.ring));
	assert_int_equal(status_of_child(keep), 0);
	assert_int_equal(hash_sha256((const uint8_t *)"x", 1, hash), OK);
	assert_memory_equal(keys.ring->keys[0].k, hash, sizeof hash);
}

static void
to_keep_no_keys_is_fine(void **state)
{
	key_set_keep(&keys);
}

static void
what_is_new_gone_or_changed_is_so_in_a_new_ring(void **state)
{
	struct keyring *before;
	struct key_name *laptop, *phone;

	keys_give("laptop.key", 1);
	keys_give("phone.key", 2);
	keys_open_folder();
	before = keys.ring;
	counted_take(&before->counted);
	laptop = before->keys[0].name;
	phone = before->keys[1].name;
	assert_false(keys_change(true));
	assert_int_equal(laptop->counted.holders, 1); /* and nothing is left of that reading */
	keys_give("phone.key", 3);
	keys_give("tablet.key", 4);
	assert_true(keys_change(true));
	assert_int_equal(before->counted.holders, 1);
	assert_int_equal(keys.ring->counted.holders, 1);
	assert_true(keys_has("laptop", 1) && keys_has("phone", 3) && keys_has("tablet", 4));
	/* One name for as long as it is one key: whoever is on it stays on it. */
	assert_ptr_equal(keys.ring->keys[0].name, laptop);
	assert_false(laptop->is_revoked);
	assert_true(phone->is_revoked);
	assert_string_equal(before->keys[1].name->text, "phone");
	counted_drop(&before->counted);
	assert_non_null(strstr(keys_logged, "keys changed=phone\nkeys added=tablet\n"));
}

/* It is not the key of others, who would have to go: this end's connections are its own. */
static void
an_end_that_connects_revokes_nothing(void **state)
{
	static const struct log_sink nobody = {.write = write_nothing};
	static char path[256];
	const char *paths[] = {path};
	struct key_name *name;

	keys_give("key", 1);
	(void)snprintf(path, sizeof path, "%s", scratch_path("key"));
	assert_true(key_set_open(&keys, paths, 1, KEYS_OF_CLIENT));
	keys.log = &nobody;
	name = keys.ring->keys[0].name;
	counted_take(&name->counted);
	keys_give("key", 2);
	assert_true(keys_change(true));
	assert_false(name->is_revoked);
	assert_int_equal(name->counted.holders, 1);
	counted_drop(&name->counted);
}

static void
assert_step(const struct key_step *step, const char *folder, const char *name, bool is_link)
{
	assert_string_equal(step->folder, folder);
	assert_string_equal(step->name, name);
	assert_int_equal(step->is_link, is_link);
}

static void
the_way_is_known_however_it_is_written(void **state)
{
	struct key_step way[3];

	assert_int_equal(key_way_find(way, 3, "/dev//shm/"), 2);
	assert_step(&way[0], "/", "dev", false);
	assert_step(&way[1], "/dev", "shm", false);
	assert_int_equal(key_way_find(way, 3, "nothing/./here"), 3);
	assert_step(&way[0], ".", "nothing", false);
	assert_step(&way[2], "./nothing/.", "here", false);
	assert_int_equal(key_way_find(way, 1, "nothing/here"), 1);
	assert_int_equal(key_way_find(way, 3, "/"), 0);
}

/* A link to a folder by way of another link, and one that is not absolute, in a circle at the end. */
static void
each_step_of_the_way_is_known(void **state)
{
	static char path[PATH_MAX + 64], base[PATH_MAX];
	const char *paths[] = {path};
	struct key_step *way = keys.sources[0].way;
	char real[PATH_MAX + 64];
	size_t first;

	assert_non_null(realpath(keys_folder, base));
	(void)snprintf(real, sizeof real, "%s/real", base);
	keys_give("laptop.key", 1);
	(void)snprintf(path, sizeof path, "%s/keys", base);
	assert_int_equal(mkdir(scratch_path("real"), 0700), 0);
	assert_int_equal(symlink("real", scratch_path("data")), 0);
	assert_int_equal(symlink(base, scratch_path("real/up")), 0);
	assert_int_equal(symlink("data/up", scratch_path("keys")), 0);
	keys_open(paths, 1);
	for (first = 0; strcmp(way[first].name, "keys") != 0; first++)
		assert_false(way[first].is_link);
	assert_int_equal(keys.sources[0].step_count, first + 4 + first); /* and the way to base once more */
	assert_step(&way[first], base, "keys", true);
	assert_step(&way[first + 1], base, "data", true);
	assert_step(&way[first + 2], base, "real", false);
	assert_step(&way[first + 3], real, "up", true);
	assert_step(&way[first + 4], way[0].folder, way[0].name, false);
	assert_int_equal(unlink(scratch_path("data")), 0);
	key_set_find_ways(&keys);
	assert_int_equal(keys.sources[0].step_count, first + 3);
	assert_step(&way[first + 1], base, "data", false);
	assert_int_equal(symlink("round", scratch_path("round")), 0);
	(void)snprintf(path, sizeof path, "%s/round/and/round", base);
	assert_int_equal(key_way_find(way, KEY_STEPS_MAX, path), KEY_STEPS_MAX);
	assert_step(&way[KEY_STEPS_MAX - 1], base, "round", true);
	assert_int_equal(unlink(scratch_path("real/up")), 0);
	assert_int_equal(rmdir(scratch_path("real")), 0);
}

static void
a_folder_that_has_changed_since_it_was_read_is_old(void **state)
{
	struct stat status;

	keys_give("laptop.key", 1);
	keys_open_folder();
	assert_false(key_set_is_old(&keys));
	keys_give("phone.key", 2);
	assert_true(key_set_is_old(&keys));
	assert_true(keys_change(false));
	assert_false(key_set_is_old(&keys));
	assert_int_equal(stat(keys_folder, &status), 0);
	assert_int_equal(mkdir(scratch_path("other"), 0700), 0);
	assert_int_equal(
	    utimensat(AT_FDCWD, scratch_path("other"), (struct timespec[]){status.st_mtim, status.st_mtim}, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, keys_folder, (struct timespec[]){status.st_mtim, status.st_mtim}, 0), 0);
	assert_false(key_set_is_old(&keys));
	(void)snprintf(keys_folder, sizeof keys_folder, "%s", scratch_path("other"));
	assert_true(key_set_is_old(&keys)); /* as old as the first one, but another */
	assert_int_equal(rmdir(keys_folder), 0);
	(void)snprintf(keys_folder, sizeof keys_folder, "/nonexistent/keys");
	assert_false(key_set_is_old(&keys));
}

static void
a_credential_is_a_name_in_its_folder_and_no_path(void **state)
{
	static const char *const good[] = {"credential:key"}, *const bad[] = {"credential:../key", "credential:"};

	keys_give("key", 1);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", keys_folder, 1), 0);
	keys_open(good, 1);
	assert_true(keys_has("key", 1));
	for (size_t i = 0; i < 2; i++) {
		key_set_forget(&keys);
		assert_false(key_set_open(&keys, &bad[i], 1, KEYS_OF_SERVER));
		assert_non_null(strstr(said(), "a credential's name is no path"));
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_false(key_set_open(&keys, good, 1, KEYS_OF_SERVER));
	assert_non_null(strstr(said(), "there is no $CREDENTIALS_DIRECTORY"));
}

static const void *watched; /* memory of ours */
static bool was_unmapped, had_a_key;

int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);

int
__wrap_munmap(void *memory, size_t size)
{
	const uint8_t *bytes = memory;
	uint8_t hash[HASH_SIZE];

	if (memory != watched)
		return __real_munmap(memory, size);
	was_unmapped = true;
	had_a_key = hash_sha256((const uint8_t *)"x", 1, hash) != OK;
	for (size_t i = 0; i + sizeof hash <= size && !had_a_key; i++)
		had_a_key = memcmp(bytes + i, hash, sizeof hash) == 0;
	return __real_munmap(memory, size);
}

static void
no_key_is_left_in_memory_that_is_given_back(void **state)
{
	open_one("key", "x", 1);
	watched = keys.ring;
	key_set_forget(&keys);
	watched = NULL;
	assert_true(was_unmapped);
	assert_false(had_a_key);
}

static void
an_end_that_connects_has_no_folder(void **state)
{
	const char *paths[] = {"/dev/null", "/nonexistent/key", scratch_path(".")};

	assert_false(key_set_open(&keys, &paths[2], 1, KEYS_OF_CLIENT));
	assert_non_null(strstr(said(), "a folder of keys is for -d"));
	assert_false(key_set_open(&keys, paths, 3, KEYS_OF_CLIENT));
	assert_true(key_set_open(&keys, paths, 2, KEYS_OF_CLIENT)); /* it uses the first alone */
	assert_int_equal(keys.ring->count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_of_keys_are_printable, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_dumped, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_key_is_in_memory_that_is_not_swapped, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(
		a_child_keeps_the_key_where_nobody_looks_and_leaves_the_parent_its_own, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(to_keep_no_keys_is_fine, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(what_is_new_gone_or_changed_is_so_in_a_new_ring, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(an_end_that_connects_revokes_nothing, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(an_end_that_connects_has_no_folder, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(the_way_is_known_however_it_is_written, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(each_step_of_the_way_is_known, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_has_changed_since_it_was_read_is_old, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_credential_is_a_name_in_its_folder_and_no_path, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(no_key_is_left_in_memory_that_is_given_back, keys_start, keys_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
