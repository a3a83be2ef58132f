/* server.c: the far end of what is measured: a thread that echoes what arrives, or counts it and drops it. */
#include "load.h"
#include "net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BUFFER ((size_t)256 * 1024)

struct guest {
	int fd;
	bool greeted;
};

static void
guests_accept(struct server *server, int epoll)
{
	int fd, on = 1;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct guest *guest = calloc(1, sizeof(*guest));

		if (guest == NULL)
			die("no memory");
		guest->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		watch_add(epoll, fd, EPOLLIN, guest);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept: %s", strerror(errno));
}

static void
guest_serve(struct server *server, struct guest *guest, char *buffer)
{
	ssize_t got = recv(guest->fd, buffer, BUFFER, MSG_DONTWAIT);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		close(guest->fd);
		free(guest);
		server->ended++;
		return;
	}
	server->received += (uint64_t)got;
	/* Blocks where the peer doesn't read; the generators always do. A peer that has gone shows itself at the next
	 * recv. */
	if (server->echoes || !guest->greeted)
		send(guest->fd, buffer, server->echoes ? (size_t)got : 1, 0);
	guest->greeted = true;
}

static void *
server_thread(void *argument)
{
	struct server *server = argument;
	struct epoll_event events[EVENTS];
	char *buffer = malloc(BUFFER);
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (buffer == NULL || epoll < 0)
		die("cannot start the server");
	watch_add(epoll, server->listener, EPOLLIN, NULL);
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr == NULL)
				guests_accept(server, epoll);
			else
				guest_serve(server, events[i].data.ptr, buffer);
		}
	}
	return NULL;
}

void
server_start(struct server *server, const struct options *options, bool echoes)
{
	pthread_t thread;

	*server = (struct server){.listener = net_listen(&options->listen, options->netns), .echoes = echoes};
	if (pthread_create(&thread, NULL, server_thread, server) != 0)
		die("cannot start a thread");
	pthread_detach(thread);
}
