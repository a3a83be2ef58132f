/* resolve.h: from an endpoint to addresses: at once for the start, or off the loop and again every so often. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <uv.h>

#include "base/error.h"
#include "base/log.h"
#include "net/address.h"

enum { ADDRESS_LIST_MAX = 32 };

struct address_list {
	size_t count;
	struct address addresses[ADDRESS_LIST_MAX]; /* in the system's order of preference, no two the same */
};

/*
 * Blocks. false: problem holds "Error looking up HOST: Name or service not known" or the like, one line; *temporary
 * says whether trying again later can help (-D does).
 */
bool resolve_now(
    const struct endpoint *endpoint, struct address_list *list, char problem[ADDRESS_PROBLEM], bool *temporary);

/* The endpoint's port as a number, a service by name looked up; 0: a UNIX socket, any port, or no service like that. */
uint16_t resolve_port(const struct endpoint *endpoint);

/*
 * Looks a name up every `interval` ms on libuv's thread pool, keeps the last good answer, and says so in one log line
 * when a look-up fails and in another when it works again. Lives on one loop's thread; changed() is called there.
 * An endpoint that needs no look-up is never looked up again.
 */
struct resolver {
	uv_timer_t timer;
	uv_getaddrinfo_t request;
	const struct endpoint *endpoint;
	const struct log_sink *log;
	uint64_t interval; /* 0: never again (-R), except while there is no answer at all: then every second */
	struct address_list list;
	bool busy, failing, stopping;
	void (*changed)(struct resolver *resolver); /* list holds a different answer now */
	void *context;                              /* the owner's */
};

/* initial: what resolve_now found, or NULL (list is empty then). Returns 0 or a libuv error. Owner's memory. */
int resolver_start(struct resolver *resolver, uv_loop_t *loop, const struct endpoint *endpoint,
    const struct address_list *initial, uint64_t interval, const struct log_sink *log,
    void (*changed)(struct resolver *), void *context);

/* Closes its handles; run the loop until they are closed before freeing it. A look-up under way is cancelled or
 * awaited. */
void resolver_stop(struct resolver *resolver);

#endif
