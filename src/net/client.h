/* client.h: spipe's one connection, between two descriptors of any kind and a target. */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "base/log.h"
#include "net/resolve.h"
#include "pipe/pipe.h"

struct client_config {
	struct pipe_settings pipe; /* kind PIPE_ENCRYPT; -f and -g, -o, --exit-on-eof */
	struct keyring *keyring;
	const struct address_list *target_addresses;
	const struct address *bind;
	size_t bind_count;
	bool keepalive;
	enum engine_backend backend;
	int input;  /* -1: none, as if it never had anything to say (-k -) */
	int output; /* whether either blocks is left as it is: others may share them */
	const struct log_sink *log;
};

/* What became of it, for spipe's message and exit status. */
struct client_result {
	enum error reason;     /* OK: both directions ended */
	int system_error;      /* errno behind ERROR_CONNECT, or of a write to output; else 0 */
	bool opened;           /* the handshake was done: the pipe carried bytes */
	const char *hint;      /* what a refused handshake probably means; NULL: nothing to add */
	bool output_is_closed; /* reason ERROR_PLAIN_RESET: nobody reads our output any more */
};

/* Runs until the connection is over. Signals keep their default action. On the main thread, once. */
struct client_result client_run(const struct client_config *config);

#endif
