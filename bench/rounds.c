/* rounds.c: messages that go there and come back, in a closed loop on each connection. */
#include "load.h"
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 256

struct lane {
	int fd;
	size_t sent, received;
	uint64_t started;
	uint64_t number; /* of the message, which begins with it */
};

static void
lane_send(struct lane *lane, int epoll, char *message, size_t size)
{
	ssize_t taken;

	if (lane->sent == 0)
		lane->started = clock_ns();
	memcpy(message, &lane->number, size < sizeof(lane->number) ? size : sizeof(lane->number));
	taken = send(lane->fd, message + lane->sent, size - lane->sent, MSG_DONTWAIT);
	if (taken < 0 && errno != EAGAIN)
		die("a connection broke between two round trips: %s", strerror(errno));
	lane->sent += taken > 0 ? (size_t)taken : 0;
	if (lane->sent < size)
		watch_change(epoll, lane->fd, EPOLLIN | EPOLLOUT, lane);
}

/* Returns whether the message is back whole. */
static bool
lane_receive(struct lane *lane, const char *message, size_t size)
{
	static char back[MESSAGE_MAX];
	ssize_t got = recv(lane->fd, back, size - lane->received, MSG_DONTWAIT);
	size_t told = size < sizeof(lane->number) ? size : sizeof(lane->number);

	if (got < 0 && errno == EAGAIN)
		return false;
	if (got <= 0)
		die("a connection broke in a round trip");
	if (lane->received == 0 && (size_t)got >= told && memcmp(back, &lane->number, told) != 0)
		die("something else came back than was sent");
	lane->received += (size_t)got;
	return lane->received == size;
}

/* One that was slow has kept others from starting: count those too, each with the time it would have waited. */
static void
sample_add(struct samples *samples, uint64_t ns, uint64_t interval)
{
	samples_add(samples, ns);
	while (interval != 0 && ns > 2 * interval) {
		ns -= interval;
		samples_add(samples, ns);
	}
}

static void
lane_next(struct lane *lane, int epoll, char *message, const struct options *options)
{
	uint64_t next = lane->started + (uint64_t)options->interval_us * 1000;
	struct timespec until = {.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)};

	if (options->interval_us != 0)
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
	lane->sent = lane->received = 0;
	lane->number++;
	lane_send(lane, epoll, message, options->size);
}

void
rounds_measure(struct rounds *rounds, const struct options *options, const int *connections)
{
	static char message[MESSAGE_MAX];
	struct lane *lanes = calloc(options->connections, sizeof(*lanes));
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t begin = clock_ns() + (uint64_t)(options->warm_up * 1e9), now = clock_ns();
	uint64_t end = begin + (uint64_t)(options->seconds * 1e9);
	unsigned busy =
	    options->connections; /* each message is awaited to the end, so that a later measurement finds none */

	prctl(PR_SET_TIMERSLACK, 1);
	for (unsigned i = 0; i < options->connections; i++) {
		lanes[i] = (struct lane){.fd = connections[i], .number = (uint64_t)i << 40};
		watch_add(epoll, lanes[i].fd, EPOLLIN, &lanes[i]);
		lane_send(&lanes[i], epoll, message, options->size);
	}
	while (busy > 0) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			struct lane *lane = events[i].data.ptr;

			if ((events[i].events & EPOLLOUT) != 0) {
				watch_change(epoll, lane->fd, EPOLLIN, lane);
				lane_send(lane, epoll, message, options->size);
			}
			if ((events[i].events & EPOLLIN) == 0 || !lane_receive(lane, message, options->size))
				continue;
			now = clock_ns();
			if (now >= begin && now < end)
				sample_add(
				    &rounds->latency, now - lane->started, (uint64_t)options->interval_us * 1000);
			if (now < end && (options->count == 0 || rounds->latency.count < options->count))
				lane_next(lane, epoll, message, options);
			else
				busy--;
		}
	}
	rounds->seconds = (double)((now < end ? now : end) - begin) / 1e9;
	close(epoll);
	free(lanes);
}

void
rounds_run(const struct options *options)
{
	static struct server server; /* its thread outlives this call */
	struct rounds rounds = {0};
	double median, slow;

	server_start(&server, options, true);
	rounds_measure(&rounds, options, connections_open(options));
	median = samples_percentile_us(&rounds.latency, 50);
	slow = samples_percentile_us(&rounds.latency, 99);
	printf(
	    "{\"mode\": \"roundtrip\", \"connections\": %u, \"size\": %u, \"per_second\": %.0f, \"median_us\": %.1f, "
	    "\"p99_us\": %.1f, \"total\": %.0f}\n",
	    options->connections, options->size, (double)rounds.latency.count / rounds.seconds, median, slow,
	    (double)(server.received - options->connections) / options->size);
}
