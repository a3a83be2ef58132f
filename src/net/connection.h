/*
 * connection.h: drives one pipe: does its actions with sockets, timers and jobs, and feeds it what happens. It decides
 * nothing. Everything here is on its driver's loop's thread.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "base/log.h"
#include "net/buffer_pool.h"
#include "net/dial.h"
#include "net/job_queue.h"
#include "net/leg.h"

struct connection;

/* What all connections of one loop share. Its owner fills in the first part before driver_start. */
struct driver {
	uv_loop_t *loop;
	const struct pipe_settings *settings;
	const struct log_sink *log;
	const char *target; /* as the user typed it */
	struct dial_options dial;
	enum engine_backend backend;
	struct mailbox *mailbox;                                           /* the loop's */
	bool close_revoked;                                                /* --close-revoked */
	void *context;                                                     /* its owner's */
	void (*targets)(struct driver *driver, struct address_list *list); /* a copy of the latest */
	struct keyring *(*keyring)(struct driver *driver);                 /* the latest, with one holder more */
	bool (*admit)(struct connection *connection); /* PIPE_ADMIT; false: connection_admitted or _stop follows */
	void (*over)(struct connection *connection);  /* all closed and logged: its memory is the owner's again */

	struct engine *engine;
	struct buffer_pool pool;
	struct connection *first; /* all that are not over */
};

enum { PEER_TEXT = 64 };

struct connection {
	struct pipe pipe; /* first: the largest */
	struct driver *driver;
	struct connection *previous, *next;
	struct leg legs[PIPE_LEGS];
	struct job_request *job; /* under way */
	union {                  /* held: until it has opened, and from then on */
		struct keyring *keyring;
		struct key_name *name;
	};
	struct dial *dial;
	uv_timer_t timer;
	uint64_t timer_at; /* when it fires; UINT64_MAX: it doesn't */
	uint64_t started;  /* ms, the loop's clock */
	uint64_t retry_at; /* no memory for a read: not before this */
	int system_error;  /* errno behind a failed dial or write; 0 */
	uint8_t open_handles;
	bool opened, awaiting[PIPE_LEGS], told_hang_up[PIPE_LEGS], told_revoked;
	char peer[PEER_TEXT];
};

/* 0, or a negative libuv error, with everything undone. driver_stop: when no connection is left; run the loop after. */
int driver_start(struct driver *driver);
void driver_stop(struct driver *driver);

/*
 * Starts one whose accepted leg has been opened by the owner: leg_open_socket(&c->legs[which], ..., connection_legs, c)
 * or another kind of leg. connection is zeroed but for that. false: it could not be started (no random bytes, no
 * timer); *error says why, and the leg is still open.
 */
bool connection_start(struct connection *connection, struct driver *driver, enum error *error);
extern const struct leg_owner connection_legs;

/* The acceptor's answers. Both are ignored when they come too late. */
void connection_admitted(struct connection *connection);
void connection_stop(struct connection *connection, enum error error); /* at once: evicted, killed */

/* Some keys are not in force any more: if it is on one of them it is listed, or ended (--close-revoked). */
void connection_check_key(struct connection *connection);

/* The one leg that is there from the start. */
enum pipe_leg connection_accepted_leg(const struct pipe_settings *settings);

#endif
