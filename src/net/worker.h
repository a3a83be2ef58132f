/* worker.h: a thread with a loop that owns the connections that the acceptor hands to it, from accept to close. */
#ifndef NET_WORKER_H
#define NET_WORKER_H

#include "net/connection.h"
#include "net/mailbox.h"
#include "net/server.h"

struct worker;
struct gate;

/* A connection of the daemon. Made by the acceptor, then the worker's, and freed when gate_gone says so. */
struct accepted {
	struct connection connection; /* first */
	struct worker *worker;
	int fd; /* until the worker has made a leg of it */
	/* The gate's: */
	bool is_over, is_verdict_out;
	enum { ACCEPTED_STRANGER, ACCEPTED_WAITING, ACCEPTED_ADMITTED, ACCEPTED_EVICTED } standing;
	uint32_t slot;
	struct mail arrival, verdict;
};

struct worker {
	uv_thread_t thread;
	uv_loop_t loop;
	struct poller poller;
	struct mailbox mailbox;
	struct driver driver;
	struct gate *gate;
	struct mail order; /* kill */
	struct mail stop;
	struct mail revoked;
	_Atomic bool is_revoked_out; /* that one is in the mailbox */
	uint32_t count;              /* connections, as the gate counts them */
	bool is_running;
};

/*
 * Starts the thread; when this returns all that it needs has been allocated. targets and keyring are called on the
 * worker's thread. 0, or a libuv error with everything undone.
 */
int worker_start(struct worker *worker, const struct server_config *config, const struct pipe_settings *settings,
    struct gate *gate, void (*targets)(struct driver *, struct address_list *),
    struct keyring *(*keyring)(struct driver *), void *context);

/* Some keys' names have become is_revoked: it looks at its connections soon. On the main thread. */
void worker_check_keys(struct worker *worker);

/* Posts MAIL_STOP and waits for the thread. No connection may be left. */
void worker_stop(struct worker *worker);

#endif
