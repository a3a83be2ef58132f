/* watch.h: hears of changes in folders, and says so once they have stood still for a while. */
#ifndef NET_WATCH_H
#define NET_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum {
	WATCH_MAX = 528,
	WATCH_STILL_MS = 1000,
	WATCH_MOST_MS = 10000 /* even where they never stand still: a key that was taken away has to go */
};

struct watched {
	const char *folder;
	const char *name;   /* of the one thing in it that counts; NULL: everything does */
	bool may_be_closed; /* that its folder cannot be watched for want of a right is no failure */
};

struct watch {
	uv_fs_event_t events[WATCH_MAX]; /* each of what stands at its place in what */
	uv_timer_t still;
	uint64_t since; /* the first change that changed() has not been called for; 0: none */
	struct watched what[WATCH_MAX];
	size_t count, failed; /* handles; and how many could not be watched */
	size_t (*find)(void *context, struct watched what[WATCH_MAX]);
	void *context;
	void (*changed)(struct watch *watch);
};

/*
 * Calls changed when what find gives has changed and stood still for WATCH_STILL_MS; never before watch_again. What it
 * points to stays until find is called again. 0, or a libuv error; then too watch_stop. On the loop's thread, as is all
 * of this.
 */
int watch_start(struct watch *watch, uv_loop_t *loop, size_t (*find)(void *context, struct watched what[WATCH_MAX]),
    void *context, void (*changed)(struct watch *watch));

/*
 * Finds what there is to watch, and watches what stands there now: what was watched before may have been replaced. It
 * does so itself before it calls changed. failed says then how many of them cannot be watched, but for those that are
 * not there, which are seen in a folder further up when they come.
 */
void watch_again(struct watch *watch);

void watch_stop(struct watch *watch); /* closes its handles */

#endif
