/* relay.c: a relay that copies and encrypts nothing: the floor that the system sets for every pair. */
#include "net.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BUFFER ((size_t)256 * 1024)

struct leg {
	int fd;
	struct leg *other;
	bool ended;       /* nothing more comes from here */
	char *rest;       /* what this leg's socket did not take */
	size_t rest_size; /* of it, after rest_start */
	size_t rest_start;
	struct leg *next_dead;
};

static int epoll;
static struct leg *dead; /* freed after the turn: events of the same turn may still name them */

/* A leg is read only while the other has nothing left to write. */
static void
leg_watch(struct leg *leg)
{
	bool reads = !leg->ended && leg->other->rest == NULL;

	watch_change(epoll, leg->fd, (reads ? EPOLLIN : 0u) | (leg->rest != NULL ? EPOLLOUT : 0u), leg);
}

static void
pair_close(struct leg *leg)
{
	struct leg *both[2] = {leg, leg->other};

	if (leg->fd < 0)
		return;
	for (int i = 0; i < 2; i++) {
		close(both[i]->fd);
		both[i]->fd = -1;
		free(both[i]->rest);
		both[i]->rest = NULL;
		both[i]->next_dead = dead;
		dead = both[i];
	}
}

static void
leg_read(struct leg *leg)
{
	static char buffer[BUFFER];
	struct leg *to = leg->other;
	ssize_t got = recv(leg->fd, buffer, sizeof(buffer), 0), taken;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got < 0 || (got == 0 && to->ended)) {
		pair_close(leg);
		return;
	}
	if (got == 0) {
		leg->ended = true;
		shutdown(to->fd, SHUT_WR);
		leg_watch(leg);
		return;
	}
	taken = send(to->fd, buffer, (size_t)got, 0);
	if (taken == got)
		return;
	if (taken < 0 && errno != EAGAIN) {
		pair_close(leg);
		return;
	}
	taken = taken < 0 ? 0 : taken;
	to->rest_start = 0;
	to->rest_size = (size_t)(got - taken);
	to->rest = malloc(to->rest_size);
	if (to->rest == NULL)
		die("no memory");
	memcpy(to->rest, buffer + taken, to->rest_size);
	leg_watch(leg);
	leg_watch(to);
}

static void
leg_write(struct leg *leg)
{
	ssize_t taken = send(leg->fd, leg->rest + leg->rest_start, leg->rest_size, 0);

	if (taken < 0 && errno == EAGAIN)
		return;
	if (taken < 0) {
		pair_close(leg);
		return;
	}
	leg->rest_start += (size_t)taken;
	leg->rest_size -= (size_t)taken;
	if (leg->rest_size > 0)
		return;
	free(leg->rest);
	leg->rest = NULL;
	leg_watch(leg);
	leg_watch(leg->other);
}

static void
pairs_accept(int listener, const struct sockaddr_in *target)
{
	int near, on = 1;

	while ((near = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		int far = net_connect_start(target);
		struct leg *legs = calloc(1, sizeof(*legs)), *other = calloc(1, sizeof(*other));

		if (legs == NULL || other == NULL)
			die("no memory");
		if (far < 0) {
			close(near);
			free(legs);
			free(other);
			continue;
		}
		setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		*legs = (struct leg){.fd = near, .other = other};
		*other = (struct leg){.fd = far, .other = legs};
		watch_add(epoll, near, EPOLLIN, legs);
		watch_add(epoll, far, EPOLLIN, other);
	}
}

static void
leg_event(struct leg *leg, uint32_t events)
{
	if (leg->fd >= 0 && (events & (EPOLLERR | EPOLLHUP)) != 0 && (events & (EPOLLIN | EPOLLOUT)) == 0)
		pair_close(leg);
	if (leg->fd >= 0 && (events & EPOLLOUT) != 0)
		leg_write(leg);
	if (leg->fd >= 0 && (events & EPOLLIN) != 0)
		leg_read(leg);
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct sockaddr_in source, target;
	int listener;

	if (argc != 3)
		die("usage: relay IP:PORT IP:PORT   from the first to the second");
	source = address_parse(argv[1]);
	target = address_parse(argv[2]);
	signal(SIGPIPE, SIG_IGN);
	files_raise_limit();
	listener = net_listen(&source, NULL);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	watch_add(epoll, listener, EPOLLIN, NULL);
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr == NULL)
				pairs_accept(listener, &target);
			else
				leg_event(events[i].data.ptr, events[i].events);
		}
		while (dead != NULL) {
			struct leg *next = dead->next_dead;

			free(dead);
			dead = next;
		}
	}
}
