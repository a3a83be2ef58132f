/* dial.h: connects to one of a target's addresses: race.h's decisions, with sockets. On one loop's thread. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/poller.h"
#include "net/resolve.h"
#include "pipe/race.h"

struct dial;

struct dial_options {
	uint64_t timeout;           /* -o, each address's own, in ms */
	const struct address *bind; /* -b, or NULL; an address of another family is tried without */
	size_t bind_count;          /* bind[0..count): the one of the right family is used */
	bool keepalive;
};

/*
 * fd >= 0: connected, tuned, the callee's now, *peer its address. Else error says why none could be (ERROR_CONNECT,
 * ERROR_CONNECT_TIMEOUT, ERROR_LOOKUP for an empty list, ERROR_DESCRIPTORS, ERROR_MEMORY) and system_error is the
 * last errno. Called once, never from within dial_start; the dial frees itself afterwards.
 */
typedef void dial_done(void *context, int fd, const struct address *peer, enum error error, int system_error);

/* Copies list and options' contents. NULL: no memory, done is not called. */
struct dial *dial_start(uv_loop_t *loop, const struct address_list *list, const struct dial_options *options,
    dial_done *done, void *context);

/* Gives up; done is not called any more. The dial frees itself. */
void dial_cancel(struct dial *dial);

#endif
