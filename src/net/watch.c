/* watch.c: see watch.h. */
#include "net/watch.h"

#include <string.h>

static void
on_still(uv_timer_t *timer)
{
	struct watch *watch = timer->data;

	watch->since = 0;
	watch_again(watch);
	watch->changed(watch);
}

static void
on_event(uv_fs_event_t *event, const char *name, int kinds, int status)
{
	struct watch *watch = event->data;
	const struct watched *what = &watch->what[event - watch->events];
	const char *slash = strrchr(what->folder, '/'), *own = slash == NULL ? what->folder : slash + 1;
	uint64_t now = uv_now(event->loop), wait = WATCH_STILL_MS;

	(void)kinds;
	/* A folder that is moved itself is told by its own name. */
	if (status == 0 && name != NULL && what->name != NULL && strcmp(name, what->name) != 0 &&
	    strcmp(name, own) != 0)
		return;
	if (watch->since == 0)
		watch->since = now;
	if (now + wait > watch->since + WATCH_MOST_MS)
		wait = now < watch->since + WATCH_MOST_MS ? watch->since + WATCH_MOST_MS - now : 0;
	(void)uv_timer_start(&watch->still, on_still, wait, 0);
}

int
watch_start(struct watch *watch, uv_loop_t *loop, size_t (*find)(void *context, struct watched what[WATCH_MAX]),
    void *context, void (*changed)(struct watch *watch))
{
	int status = uv_timer_init(loop, &watch->still);

	watch->still.data = watch;
	watch->find = find;
	watch->context = context;
	watch->changed = changed;
	for (watch->count = 0; status == 0 && watch->count < WATCH_MAX; watch->count++) {
		watch->events[watch->count].data = watch;
		status = uv_fs_event_init(loop, &watch->events[watch->count]);
	}
	return status;
}

void
watch_again(struct watch *watch)
{
	size_t count = watch->find(watch->context, watch->what);

	watch->failed = 0;
	for (size_t i = 0; i < watch->count; i++)
		(void)uv_fs_event_stop(&watch->events[i]);
	for (size_t i = 0; i < count; i++) {
		int status = uv_fs_event_start(&watch->events[i], on_event, watch->what[i].folder, 0);

		watch->failed += status != 0 && status != UV_ENOENT && status != UV_ENOTDIR &&
				 !(status == UV_EACCES && watch->what[i].may_be_closed);
	}
}

void
watch_stop(struct watch *watch)
{
	for (size_t i = 0; i < watch->count; i++)
		uv_close((uv_handle_t *)&watch->events[i], NULL);
	uv_close((uv_handle_t *)&watch->still, NULL);
}
