/* uv.c: stands in for libuv and src/net/poller.c where the proof is about a connection: nothing is called from within a
 * call. */
#include "net/poller.h"
#include "unknown.h"

uint64_t
uv_now(const uv_loop_t *loop)
{
	return Frama_C_unsigned_long_interval(0, UINT64_MAX);
}

static int
perhaps(void)
{
	return unknown_bool() ? 0 : UV_ENOMEM;
}

/*@ requires watcher: \valid(watcher); */
int
poller_add(uv_loop_t *loop, struct watcher *watcher, int fd, uint32_t events,
    void (*ready)(struct watcher *watcher, uint32_t events))
{
	*watcher = (struct watcher){.ready = ready, .events = events, .fd = fd};
	return perhaps();
}

/*@ requires watcher: \valid(watcher); */
void
poller_change(uv_loop_t *loop, struct watcher *watcher, uint32_t events)
{
	watcher->events = events;
}

/*@ requires watcher: \valid(watcher); */
void
poller_forget(uv_loop_t *loop, struct watcher *watcher)
{
	watcher->ready = NULL;
}

/*@ requires watcher: \valid(watcher); */
void
poller_remove(uv_loop_t *loop, struct watcher *watcher)
{
	watcher->ready = NULL;
}

/*@ requires handle: \valid(handle); */
int
uv_timer_init(uv_loop_t *loop, uv_timer_t *handle)
{
	return perhaps();
}

/*@ requires handle: \valid(handle); */
int
uv_timer_start(uv_timer_t *handle, void (*called)(uv_timer_t *), uint64_t timeout, uint64_t repeat)
{
	return perhaps();
}

/*@ requires handle: \valid(handle); */
int
uv_timer_stop(uv_timer_t *handle)
{
	return 0;
}

/*@ requires handle: \valid(handle); */
void
uv_close(uv_handle_t *handle, void (*closed)(uv_handle_t *))
{
}
