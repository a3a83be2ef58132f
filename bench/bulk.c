/* bulk.c: bytes one way as fast as they go, counted where they arrive. */
#include "load.h"
#include "net.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define MIB (1024.0 * 1024.0)

static char message[MESSAGE_MAX];

/* Returns the bytes sent until the clock shows end. */
static uint64_t
send_until(int epoll, uint64_t end, size_t size)
{
	struct epoll_event events[EVENTS];
	uint64_t sent = 0;

	while (clock_ns() < end) {
		int ready = epoll_wait(epoll, events, EVENTS, 10);

		for (int i = 0; i < ready; i++) {
			ssize_t taken = send(*(int *)events[i].data.ptr, message, size, MSG_DONTWAIT);

			if (taken < 0 && errno != EAGAIN)
				die("a connection broke while it carried data: %s", strerror(errno));
			if (taken > 0)
				sent += (uint64_t)taken;
		}
	}
	return sent;
}

/* Everything that was sent must arrive, and each connection end: what loses bytes must not look fast. */
static void
drain(const struct options *options, const int *connections, struct server *server, uint64_t sent)
{
	uint64_t patience = clock_ns() + 60 * (uint64_t)1000000000;

	for (unsigned i = 0; i < options->connections; i++)
		shutdown(connections[i], SHUT_WR);
	while (server->ended < options->connections && clock_ns() < patience)
		usleep(1000);
	if (server->ended < options->connections || server->received != sent)
		die("sent %" PRIu64 " bytes and %" PRIu64 " arrived; %u of %u connections ended", sent,
		    server->received, server->ended, options->connections);
}

void
bulk_run(const struct options *options)
{
	static struct server server; /* its thread outlives this call */
	int *connections, epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t start, end, before, sent = options->connections;

	server_start(&server, options, false);
	connections = connections_open(options);
	for (unsigned i = 0; i < options->connections; i++)
		watch_add(epoll, connections[i], EPOLLOUT, &connections[i]);

	sent += send_until(epoll, clock_ns() + (uint64_t)(options->warm_up * 1e9), options->size);
	start = clock_ns();
	before = server.received;
	sent += send_until(epoll, start + (uint64_t)(options->seconds * 1e9), options->size);
	end = clock_ns();
	before = server.received - before;
	drain(options, connections, &server, sent);

	printf("{\"mode\": \"bulk\", \"connections\": %u, \"seconds\": %.3f, \"mib_per_second\": %.1f, \"total_mib\": "
	       "%.2f}\n",
	    options->connections, (double)(end - start) / 1e9, (double)before / MIB * 1e9 / (double)(end - start),
	    (double)sent / MIB);
	free(connections);
}
