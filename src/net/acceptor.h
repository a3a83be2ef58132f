/* acceptor.h: the thread that accepts, hands connections out and drains. It is the main thread. */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/gate.h"

struct acceptor_listener {
	struct watcher watcher;
	struct acceptor *acceptor;
	int fd;
	bool is_loopback; /* so are its peers */
	bool is_open;
};

struct acceptor {
	const struct server_config *config;
	uv_loop_t *loop;
	struct mailbox mailbox;
	struct gate gate;
	struct worker *workers;
	unsigned worker_count;
	struct acceptor_listener listeners[LISTEN_MAX];
	size_t listener_count;
	uv_timer_t retry; /* accepting again after a shortage, at the latest */
	bool is_paused, is_draining, is_killed;
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
