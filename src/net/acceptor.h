/* acceptor.h: the thread that accepts, owns admission, hands connections out and drains. It is the main thread. */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/worker.h"
#include "pipe/admission.h"

struct acceptor_listener {
	uv_poll_t poll;
	struct acceptor *acceptor;
	int fd;
	bool is_loopback; /* so are its peers */
	bool is_open;
};

struct acceptor {
	const struct server_config *config;
	uv_loop_t *loop;
	struct mailbox mailbox;
	struct admission admission;
	uint32_t strangers_most; /* may be more than its cap; the server sets it */
	void *admission_memory;
	struct accepted **by_slot; /* strangers and those who wait, by their slot */
	struct worker *workers;
	unsigned worker_count;
	struct acceptor_listener listeners[LISTEN_MAX];
	size_t listener_count;
	uv_timer_t retry; /* accepting again after a shortage, at the latest */
	uint32_t count;   /* connections that are not over */
	uint32_t waiting; /* those of them that have proved their key, for room under -n */
	uint32_t evicted; /* those of them that were told to go */
	bool is_paused, is_draining, is_killed;
	uint64_t warned_at[3];                      /* when a limit was last named; by enum in acceptor.c */
	void (*drained)(struct acceptor *acceptor); /* draining, and none is left: once */
};

/* 0, or a libuv error with everything undone but config's listeners. Starts to accept at once. */
int acceptor_start(struct acceptor *acceptor, uv_loop_t *loop, const struct server_config *config,
    struct worker *workers, unsigned worker_count, void (*drained)(struct acceptor *));

/* First call: takes who already waits, closes the listeners, and lets what is open end. Second: ends it at once. */
void acceptor_drain(struct acceptor *acceptor);

/* After drained(): closes its handles; run the loop, then acceptor_free. */
void acceptor_stop(struct acceptor *acceptor);
void acceptor_free(struct acceptor *acceptor);

#endif
