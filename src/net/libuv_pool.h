/* libuv_pool.h: libuv's threads, which look names up and read keys. */
#ifndef NET_LIBUV_POOL_H
#define NET_LIBUV_POOL_H

#include <uv.h>

/*
 * Starts them: once, before any other use of them, so that a system which refuses them does so at the start and not
 * later, where libuv would abort. 0, or a libuv error.
 */
int libuv_pool_start(uv_loop_t *loop, unsigned threads);

#endif
