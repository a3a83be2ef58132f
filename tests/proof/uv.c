/* uv.c: stands in for libuv where the proof is about a connection: nothing is called from within a call. */
#include <uv.h>

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

/*@ requires handle: \valid(handle); */
int
uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd)
{
	return perhaps();
}

/*@ requires handle: \valid(handle);
    requires events: 0 <= events <= 15; */
int
uv_poll_start(uv_poll_t *handle, int events, void (*called)(uv_poll_t *, int, int))
{
	handle->called = called;
	return perhaps();
}

/*@ requires handle: \valid(handle); */
int
uv_poll_stop(uv_poll_t *handle)
{
	return 0;
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
