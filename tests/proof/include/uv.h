/*
 * uv.h: of libuv what src/net's connections use. Its calls are in ../uv.c, with their contracts; CONTRACTS.md says
 * where libuv's documentation says so. A handle is its owner's pointer and what it will call.
 */
#ifndef PROOF_UV_H
#define PROOF_UV_H

#include <stddef.h>
#include <stdint.h>

typedef struct uv_loop_s {
	int one;
} uv_loop_t;
typedef struct uv_handle_s {
	void *data;
} uv_handle_t;
typedef struct uv_mutex_s {
	int one;
} uv_mutex_t;
typedef struct uv_timer_s {
	void *data;
	void (*called)(struct uv_timer_s *handle);
} uv_timer_t;
typedef struct uv_getaddrinfo_s {
	void *data;
} uv_getaddrinfo_t;
typedef struct uv_fs_event_s {
	void *data;
} uv_fs_event_t;

enum { UV_ENOMEM = -12 };

uint64_t uv_now(const uv_loop_t *loop);
int uv_timer_init(uv_loop_t *loop, uv_timer_t *handle);
int uv_timer_start(uv_timer_t *handle, void (*called)(uv_timer_t *), uint64_t timeout, uint64_t repeat);
int uv_timer_stop(uv_timer_t *handle);
void uv_close(uv_handle_t *handle, void (*closed)(uv_handle_t *));

#endif
