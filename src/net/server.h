/* server.h: the running daemon: one thread that accepts, N workers that each own their connections. */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "base/log.h"
#include "net/listen.h"
#include "net/watch.h"
#include "pipe/pipe.h"

enum { SERVER_WORKERS_MAX = 1024 };

/* All of it outlives server_run; nothing in it changes while that runs, but where a comment says so. */
struct server_config {
	struct pipe_settings pipe; /* kind, -f and -g, -o; asks_admission is set by server_run */
	struct keyring *keyring;   /* to begin with; it holds its own besides */
	/* Reads folders, or files too, on a thread of the pool: a keyring with a holder, or NULL: no change. */
	struct keyring *(*read_keys)(void *context, bool files_too);
	void *keys_context;
	bool (*keys_are_old)(void *context); /* whether they changed before they were watched */
	size_t (*find_watched)(void *context, struct watched what[WATCH_MAX]); /* where they stand */
	bool close_revoked;                                                    /* --close-revoked */
	const struct listeners *listeners; /* server_run closes them: at the first SIGTERM or SIGINT */
	const struct endpoint *target;
	const struct address_list *target_addresses; /* what it resolved to at the start; NULL: not yet (-D) */
	uint64_t resolve_interval;                   /* -r in ms; 0: -R */
	const struct address *bind;                  /* -b: bind[0..bind_count) */
	size_t bind_count;
	bool keepalive;           /* not -j */
	uint32_t max_connections; /* -n; 0: no limit */
	uint32_t max_handshakes;  /* -d only; 0: the default, as many as fit */
	unsigned workers;         /* 0: one a core */
	enum engine_backend backend;
	const struct log_sink *log;
	void (*ready)(void *context); /* called once, on the calling thread, when everything that can fail has not */
	void *ready_context;
};

/*
 * How many descriptors this needs at most; UINT64_MAX with no limit on connections. server_fit fills in the defaults
 * of workers and max_handshakes, and lowers workers, max_handshakes and then max_connections until `available`
 * descriptors are enough; it says what became of them by what it leaves in config. Returns false when not even one
 * connection fits. Call it before server_run, always.
 */
uint64_t server_descriptors(const struct server_config *config);
bool server_fit(struct server_config *config, uint64_t available);

/*
 * Serves until it was told to stop and the last connection has ended. SIGTERM and SIGINT drain, a second one ends at
 * once, SIGHUP reads the keys afresh. Privileges are dropped before: threads start here. Returns the exit status: 0, or
 * 1 with problem filled in when it could not start. *look_up_is_left: a name server is still being asked, for which
 * exit(3) would wait, but not _exit(2). On the main thread, once.
 */
int server_run(const struct server_config *config, char problem[ADDRESS_PROBLEM], bool *look_up_is_left);

#endif
