/* test_watch.c: when a change is told, by a clock and a watch of our own: it takes no time. */
#include <string.h>
#include <uv.h>

#include "net/watch.h"
#include "test.h"

static uint64_t now, due; /* 0: the timer does not run */
static uv_timer_cb told;
static unsigned watched[2], changes;
static uv_fs_event_cb heard;
static struct watch watch;

uint64_t __wrap_uv_now(const uv_loop_t *loop);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout, uint64_t repeat);
int __wrap_uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb call, const char *path, unsigned flags);

uint64_t
__wrap_uv_now(const uv_loop_t *loop)
{
	(void)loop;
	return now;
}

int
__wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb call, uint64_t timeout, uint64_t repeat)
{
	assert_ptr_equal(timer, &watch.still);
	assert_int_equal(repeat, 0);
	told = call;
	due = timeout < UINT64_MAX - now ? now + timeout : UINT64_MAX; /* as libuv does */
	return 0;
}

int
__wrap_uv_fs_event_start(uv_fs_event_t *event, uv_fs_event_cb call, const char *path, unsigned flags)
{
	(void)flags;
	heard = call;
	watched[event == &watch.events[1]]++;
	if (strcmp(path, "/closed") == 0)
		return UV_EACCES;
	return strcmp(path, "/gone") == 0 ? UV_ENOENT : strcmp(path, "/full") == 0 ? UV_ENOSPC : 0;
}

static void
changed(struct watch *which)
{
	assert_ptr_equal(which, &watch);
	changes++;
}

static struct watched what[2]; /* what there is to watch */

static size_t
find(void *context, struct watched found[WATCH_MAX])
{
	assert_ptr_equal(context, what);
	memcpy(found, what, sizeof what);
	return 2;
}

static int
start(void **state)
{
	(void)state;
	now = 12345;
	due = 0;
	changes = 0;
	memset(watched, 0, sizeof watched);
	memset(&watch, 0, sizeof watch);
	what[0] = (struct watched){"/keys", NULL, true};
	what[1] = (struct watched){"/", "keys", false};
	if (watch_start(&watch, uv_default_loop(), find, what, changed) != 0)
		return -1;
	watch_again(&watch);
	return (int)watch.failed;
}

static int
stop(void **state)
{
	(void)state;
	watch_stop(&watch);
	return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}

static void
hear(size_t which, const char *name)
{
	heard(&watch.events[which], name, UV_CHANGE, 0);
}

static void
pass(uint64_t milliseconds)
{
	now += milliseconds;
	if (due == 0 || now < due)
		return;
	due = 0;
	told(&watch.still);
}

static void
a_change_is_told_once_it_has_stood_still(void **state)
{
	(void)state;
	pass(100000);
	hear(0, "a.key");
	pass(WATCH_STILL_MS - 1);
	hear(0, "b.key");
	pass(WATCH_STILL_MS - 1);
	assert_int_equal(changes, 0);
	pass(1);
	assert_int_equal(changes, 1);
	pass(100000);
	assert_int_equal(changes, 1);
}

static void
where_it_never_stands_still_it_is_told_some_time_and_from_then_on_anew(void **state)
{
	uint64_t began = now;

	(void)state;
	for (unsigned round = 1; round <= 3; round++) {
		while (changes < round) {
			hear(0, "restless");
			pass(WATCH_STILL_MS / 3);
			assert_true(now - began <= round * (WATCH_MOST_MS + WATCH_STILL_MS / 3));
		}
		assert_true(now - began >= round * WATCH_MOST_MS);
	}
}

/* The loop was held up for longer than it may wait at all. */
static void
what_is_overdue_is_told_at_once(void **state)
{
	(void)state;
	hear(0, "a.key");
	now += WATCH_MOST_MS + 5000;
	hear(0, "b.key");
	pass(0);
	assert_int_equal(changes, 1);
}

static void
beside_a_folder_only_its_name_counts(void **state)
{
	(void)state;
	hear(1, "others");
	pass(100000);
	assert_int_equal(changes, 0);
	hear(1, "keys");
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 1);
	hear(1, NULL); /* of the watched folder itself, or more than could be told */
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 2);
	heard(&watch.events[1], "others", 0, UV_EIO);
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 3);
}

static void
what_has_come_in_a_folders_place_is_watched(void **state)
{
	(void)state;
	hear(1, "keys");
	assert_int_equal(watched[0] + watched[1], 2);
	pass(WATCH_STILL_MS);
	assert_true(watched[0] == 2 && watched[1] == 2);
	what[0].folder = "/gone"; /* whoever reads it says so, and it comes into what is watched */
	watch_again(&watch);
	assert_int_equal(watch.failed, 0);
	what[1].folder = "/gone"; /* and so does that in what it stands in */
	watch_again(&watch);
	assert_int_equal(watch.failed, 0);
	what[1].folder = "/closed";
	watch_again(&watch);
	assert_int_equal(watch.failed, 1);
	what[1].may_be_closed = true;
	watch_again(&watch);
	assert_int_equal(watch.failed, 0);
	what[1].name = "others";
	watch_again(&watch);
	hear(1, "keys");
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 1);
	hear(1, "others");
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 2);
	what[1].folder = "/a/closed/folder";
	watch_again(&watch);
	hear(1, "folder"); /* it was moved itself */
	pass(WATCH_STILL_MS);
	assert_int_equal(changes, 3);
	hear(1, "closed");
	pass(100000);
	assert_int_equal(changes, 3);
}

static void
what_could_not_be_watched_is_known_until_it_can_be(void **state)
{
	(void)state;
	what[0].folder = "/full"; /* there is no watch left in the system */
	watch_again(&watch);
	assert_int_equal(watch.failed, 1);
	what[1].folder = "/full";
	watch_again(&watch);
	assert_int_equal(watch.failed, 2);
	what[0].folder = "/keys";
	what[1].folder = "/";
	watch_again(&watch);
	assert_int_equal(watch.failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_change_is_told_once_it_has_stood_still, start, stop),
	    cmocka_unit_test_setup_teardown(
		where_it_never_stands_still_it_is_told_some_time_and_from_then_on_anew, start, stop),
	    cmocka_unit_test_setup_teardown(what_is_overdue_is_told_at_once, start, stop),
	    cmocka_unit_test_setup_teardown(beside_a_folder_only_its_name_counts, start, stop),
	    cmocka_unit_test_setup_teardown(what_has_come_in_a_folders_place_is_watched, start, stop),
	    cmocka_unit_test_setup_teardown(what_could_not_be_watched_is_known_until_it_can_be, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
