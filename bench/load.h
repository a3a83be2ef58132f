/* load.h: what the load generators share: their options, and the server at the far end of what is measured. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "samples.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct options {
	struct sockaddr_in connect; /* where the near end of the pair listens */
	struct sockaddr_in listen;  /* where its far end connects to */
	const char *netns;          /* the network namespace to listen in, or NULL for ours */
	unsigned connections;
	double warm_up, seconds;
	unsigned count;       /* stop after so many round trips or connections as well; 0 for no such end */
	unsigned size;        /* bytes of a message, or of one send call for bulk */
	unsigned rate;        /* new connections a second; 0 for as many as can be */
	unsigned interval_us; /* from one round trip to the next; 0 for at once */
};

#define MESSAGE_MAX (1u << 20)

/* The far end. Its thread runs until the program ends; each connection's first byte comes back, whatever the mode. */
struct server {
	int listener;
	bool echoes; /* everything, or only that first byte */
	_Atomic uint64_t received;
	_Atomic unsigned ended; /* connections that came to their end */
};

void server_start(struct server *server, const struct options *options, bool echoes);

/*
 * Open options->connections of them, and see one byte come back on each before this returns. Prints a line then: what a
 * pair has cost until it and what it costs afterwards are two things.
 */
int *connections_open(const struct options *options);

struct rounds {
	struct samples latency;
	double seconds;
};

struct opened {
	struct samples latency; /* from the call to connect to the last byte of the echo */
	unsigned failed;
	double seconds;
};

/* Round trips on connections that are open, in a closed loop each. */
void rounds_measure(struct rounds *rounds, const struct options *options, const int *connections);

/* New connections; each sends a message, gets it back and closes. Ends early when *stop becomes true. */
void opened_measure(struct opened *opened, const struct options *options, const atomic_bool *stop);

/* The modes; each prints one line of JSON; idle has none but the one of connections_open. */
void bulk_run(const struct options *options);
void rounds_run(const struct options *options);
void opened_run(const struct options *options);
void storm_run(const struct options *options);
void idle_run(const struct options *options);

#endif
