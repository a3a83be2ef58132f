/* listen.h: binds and listens, before privileges are dropped. */
#ifndef NET_LISTEN_H
#define NET_LISTEN_H

#include <sys/types.h>

#include "net/resolve.h"

enum { LISTEN_MAX = ADDRESS_LIST_MAX };

struct listen_options {
	mode_t mode; /* --source-mode, a UNIX socket's; (mode_t)-1: as umask has it */
	uid_t owner; /* --source-owner; (uid_t)-1: unchanged */
	gid_t group;
	bool keepalive, plain; /* not -j; who connects is a plain leg (-e): how sockets are tuned (socket.h) */
	bool every; /* bind each address of the name (-d, and where all are loopback), else the first that can be */
};

struct listeners {
	size_t count;
	/* Non-blocking, close-on-exec, listening with the system's largest backlog; accepted ones inherit their tuning.
	 */
	int fds[LISTEN_MAX];
	struct address addresses[LISTEN_MAX];
};

/*
 * Binds what `every` says. A stale UNIX socket (a connect to it is refused, and it is a socket) is removed first; mode
 * and owner are set before it listens. false: none could be bound; problem is one line ("Error binding to SOURCE:
 * Address already in use", ...). warn is called with a line for each address that could not be bound while another
 * was, and when only the first of several was.
 */
bool listen_open(struct listeners *listeners, const char *source, const struct address_list *list,
    const struct listen_options *options, char problem[ADDRESS_PROBLEM], void (*warn)(const char *line));

/*
 * For --check: whether an address could be bound, leaving nothing behind: 0, or a negative errno (-EADDRINUSE when a
 * running one holds it, -EEXIST when what has a UNIX socket's path is no socket). Such a path is not created: its
 * directory is judged.
 */
int listen_check(const struct address *address);

#endif
