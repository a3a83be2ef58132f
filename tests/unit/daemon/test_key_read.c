/* test_key_read.c: what each file and folder gives, and what a reading that goes wrong leaves in force. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/key_file.h"
#include "helpers.h"
#include "keys.h"
#include "test.h"

static void
a_folder_gives_a_key_for_each_file_that_is_called_one(void **state)
{
	const char *mistakes;

	keys_give("laptop.key", 1);
	keys_give("a.b_c-9.key", 2);
	keys_give(".hidden.key", 3);
	keys_give("laptop.key~", 4);
	keys_give("no-suffix", 5);
	keys_give("a b.key", 6);
	keys_open_folder();
	assert_int_equal(keys.ring->count, 2);
	assert_true(keys_has("laptop", 1) && keys_has("a.b_c-9", 2));
	mistakes = said();
	assert_non_null(strstr(mistakes, "no-suffix is passed over"));
	assert_null(strstr(mistakes, "laptop"));
	assert_null(strstr(mistakes, "hidden"));
}

static void
a_removal_counts_whatever_else_is_wrong(void **state)
{
	keys_give("laptop.key", 1);
	keys_give("phone.key", 2);
	keys_open_folder();
	assert_int_equal(unlink(scratch_path("laptop.key")), 0);
	(void)scratch_file("phone.key", "", 0, 0600);
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, 1);
	assert_true(keys_has("phone", 2));
	assert_non_null(strstr(keys_logged, "Shorter than 32 bytes: its key stays as it was"));
	assert_int_equal(unlink(scratch_path("phone.key")), 0);
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, 0);
	assert_non_null(strstr(keys_logged, "everyone is refused"));
}

/*
 * As a kernel lists a large folder in which files are replaced meanwhile: the first is told twice, the last one not.
 * That is what scandir is called where files may be large.
 */
static bool lists_wrongly;

typedef int (*scan_filter)(const struct dirent *);
typedef int (*scan_order)(const struct dirent **, const struct dirent **);
int __real_scandir64(const char *folder, struct dirent ***files, scan_filter filter, scan_order order);
int __wrap_scandir64(const char *folder, struct dirent ***files, scan_filter filter, scan_order order);

int
__wrap_scandir64(const char *folder, struct dirent ***files, scan_filter filter, scan_order order)
{
	int count = __real_scandir64(folder, files, filter, order);

	if (!lists_wrongly || count < 2)
		return count;
	memcpy((*files)[count - 1], (*files)[0], (*files)[0]->d_reclen);
	qsort(*files, (size_t)count, sizeof **files, (int (*)(const void *, const void *))order);
	return count;
}

static void
a_folder_that_is_listed_wrongly_gives_what_is_in_it(void **state)
{
	keys_give("a.key", 1);
	keys_give("b.key", 2);
	keys_give("c.key", 3);
	keys_open_folder();
	lists_wrongly = true;
	assert_false(keys_change(true));
	assert_int_equal(keys.ring->count, 3);
	keys_give("c.key", 4);
	assert_true(keys_change(true));
	assert_true(keys_has("a", 1) && keys_has("b", 2) && keys_has("c", 4));
	assert_int_equal(unlink(scratch_path("c.key")), 0);
	lists_wrongly = false;
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, 2);
}

static void
a_folder_that_cannot_be_read_changes_nothing(void **state)
{
	keys_give("laptop.key", 1);
	keys_open_folder();
	(void)snprintf(keys_folder, sizeof keys_folder, "/nonexistent/keys");
	assert_false(keys_change(true));
	assert_true(keys_has("laptop", 1));
	assert_non_null(strstr(keys_logged, "No such file or directory: its keys stay as they were"));
}

static void
a_file_is_read_again_and_keeps_its_key_when_that_fails(void **state)
{
	static char path[256];
	const char *paths[] = {path};

	keys_give("key", 1);
	(void)snprintf(path, sizeof path, "%s", scratch_path("key"));
	keys_open(paths, 1);
	keys_give("key", 2);
	assert_true(keys_change(true));
	assert_true(keys_has("key", 2));
	(void)scratch_file("key", "half", 4, 0600);
	assert_false(keys_change(true));
	assert_int_equal(unlink(path), 0);
	assert_false(keys_change(true));
	assert_true(keys_has("key", 2));
}

static void
a_link_that_leads_nowhere_is_no_key_any_more(void **state)
{
	keys_give("laptop.key", 1);
	keys_give("phone.key", 2);
	keys_open_folder();
	for (int new = 0; new <= 1; new ++) {
		(void)unlink(scratch_path("phone.key"));
		assert_int_equal(symlink("nothing", scratch_path("phone.key")), 0);
		assert_int_equal(keys_change(true), !new);
		assert_int_equal(keys.ring->count, 1);
		/* One that was a key is gone; one that never was is a mistake. */
		assert_int_equal(strstr(keys_logged, "No such file or directory: it is passed over") != NULL, new);
	}
}

static int gone; /* how many times more a file is not there when it is opened */

/* The linker puts the second in place of key_file_read_member, and calls that the first. */
int __real_key_file_read_member(struct key_file *file, const char *path, uint8_t k[WIRE_KEY]);
int __wrap_key_file_read_member(struct key_file *file, const char *path, uint8_t k[WIRE_KEY]);

int
__wrap_key_file_read_member(struct key_file *file, const char *path, uint8_t k[WIRE_KEY])
{
	if (gone == 0)
		return __real_key_file_read_member(file, path, k);
	gone--;
	*file = (struct key_file){.path = path};
	return ENOENT;
}

/* What it led to was there when the folder was listed, and went before it was opened; something else is there now. */
static void
a_link_that_changes_on_the_way_is_no_removal(void **state)
{
	keys_give("laptop.key", 1);
	keys_open_folder();
	gone = 1;
	assert_false(keys_change(true));
	assert_true(keys_has("laptop", 1));
	keys_give("laptop.key", 2);
	gone = 1;
	assert_true(keys_change(true));
	assert_true(keys_has("laptop", 2));
	gone = 2;
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, 0);
}

static void
a_name_has_63_letters_at_most(void **state)
{
	char name[KEY_NAME_MAX + 6];

	for (int length = KEY_NAME_MAX; length <= KEY_NAME_MAX + 1; length++) {
		memset(name, 'n', sizeof name);
		(void)snprintf(name + length, sizeof name - (size_t)length, ".key");
		keys_give(name, 1);
	}
	keys_open_folder();
	assert_int_equal(keys.ring->count, 1);
	assert_int_equal(strlen(keys.ring->keys[0].name->text), KEY_NAME_MAX);
	assert_non_null(strstr(said(), "n.key is passed over"));
}

/* One more than there is room for, when those that are known and stand behind it are counted. */
static void
fill_folder(void)
{
	char name[32];

	for (int i = 0; i < KEY_SET_MAX - 1; i++) {
		(void)snprintf(name, sizeof name, "a-%04d.key", i);
		(void)scratch_file(name, name, sizeof name, 0600);
	}
}

static void
a_folder_that_is_too_full_locks_nobody_out(void **state)
{
	keys_give("m.key", 1);
	keys_give("z.key", 2);
	keys_open_folder();
	fill_folder();
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, KEY_SET_MAX);
	assert_true(keys_has("m", 1) && keys_has("z", 2));
	assert_non_null(strstr(keys_logged, "has more than 4096 keys: 1 are passed over"));
}

static void
a_full_folder_leaves_room_for_what_stands_beside_it(void **state)
{
	static char first[256], last[256];
	const char *paths[] = {first, keys_folder, last};

	keys_give(".first", 1);
	keys_give(".last", 2);
	(void)snprintf(first, sizeof first, "%s", scratch_path(".first"));
	(void)snprintf(last, sizeof last, "%s", scratch_path(".last"));
	keys_give("z.key", 3);
	fill_folder();
	keys_open(paths, 3);
	assert_int_equal(keys.ring->count, KEY_SET_MAX + 2);
	assert_true(keys_has(".first", 1) && keys_has("z", 3) && keys_has(".last", 2));
	assert_string_equal(said(), "");
}

static void
each_source_has_its_own_keys_whatever_becomes_of_the_others(void **state)
{
	static char first[256], last[256];
	const char *paths[] = {first, keys_folder, last};

	keys_give(".first", 1);
	keys_give("laptop.key", 2);
	keys_give(".last", 3);
	(void)snprintf(first, sizeof first, "%s", scratch_path(".first"));
	(void)snprintf(last, sizeof last, "%s", scratch_path(".last"));
	keys_open(paths, 3);
	keys_give("phone.key", 4);
	keys_give(".first", 5);
	assert_true(keys_change(false)); /* of folders alone */
	assert_int_equal(keys.ring->count, 4);
	assert_true(keys_has(".first", 1) && keys_has("laptop", 2) && keys_has("phone", 4) && keys_has(".last", 3));
	(void)snprintf(keys_folder, sizeof keys_folder, "/nonexistent/keys");
	assert_true(keys_change(true));
	assert_int_equal(keys.ring->count, 4);
	assert_true(keys_has(".first", 5) && keys_has("laptop", 2) && keys_has("phone", 4) && keys_has(".last", 3));
	assert_int_equal(unlink(last), 0);
	assert_false(keys_change(true));
}

/* What the first reading has taken out of it is gone. */
static void
a_descriptor_is_read_once(void **state)
{
	static const char *const path[] = {"-"};
	int ends[2], before = dup(STDIN_FILENO);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "thirty-two bytes and a few others", 33), 33);
	assert_int_equal(close(ends[1]), 0);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(ends[0]), 0);
	keys_open(path, 1);
	assert_false(keys_change(true));
	assert_string_equal(keys.ring->keys[0].name->text, "stdin");
	assert_string_equal(keys_logged, "");
	assert_int_equal(dup2(before, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(before), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		a_folder_gives_a_key_for_each_file_that_is_called_one, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_name_has_63_letters_at_most, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_removal_counts_whatever_else_is_wrong, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_link_that_leads_nowhere_is_no_key_any_more, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_listed_wrongly_gives_what_is_in_it, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_link_that_changes_on_the_way_is_no_removal, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_read_changes_nothing, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_too_full_locks_nobody_out, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_full_folder_leaves_room_for_what_stands_beside_it, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(
		each_source_has_its_own_keys_whatever_becomes_of_the_others, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(
		a_file_is_read_again_and_keeps_its_key_when_that_fails, keys_start, keys_stop),
	    cmocka_unit_test_setup_teardown(a_descriptor_is_read_once, keys_start, keys_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
