/* opened.c: new connections, as many as can be or at a rate; and what a storm of them does to a stream that is open. */
#include "load.h"
#include "net.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define STORM_SLOTS 2048u /* connections under way at once where they come at a rate */

struct slot {
	int fd; /* -1 where none is under way */
	uint64_t started;
	size_t received;
};

struct opener {
	struct opened *out;
	const struct options *options;
	struct slot *slots;
	unsigned slot_count, busy, started;
	int epoll;
	uint64_t measure_from;
};

static char message[MESSAGE_MAX];

static void
slot_start(struct opener *opener, struct slot *slot)
{
	opener->started++;
	*slot = (struct slot){.started = clock_ns(), .fd = net_connect_start(&opener->options->connect)};
	if (slot->fd < 0) {
		opener->out->failed++;
		return;
	}
	opener->busy++;
	watch_add(opener->epoll, slot->fd, EPOLLOUT, slot);
}

static void
slot_end(struct opener *opener, struct slot *slot, bool good)
{
	uint64_t now = clock_ns();

	close(slot->fd);
	slot->fd = -1;
	opener->busy--;
	if (!good)
		opener->out->failed++;
	else if (now >= opener->measure_from)
		samples_add(&opener->out->latency, now - slot->started);
}

static void
slot_event(struct opener *opener, struct slot *slot, uint32_t events)
{
	static char back[MESSAGE_MAX];
	size_t size = opener->options->size;
	ssize_t got;

	if ((events & EPOLLOUT) != 0) {
		watch_change(opener->epoll, slot->fd, EPOLLIN, slot);
		if (send(slot->fd, message, size, MSG_DONTWAIT) != (ssize_t)size)
			slot_end(opener, slot, false);
		return;
	}
	got = recv(slot->fd, back, size - slot->received, MSG_DONTWAIT);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || memcmp(back, message + slot->received, (size_t)got) != 0) {
		slot_end(opener, slot, false);
		return;
	}
	slot->received += (size_t)got;
	if (slot->received == size)
		slot_end(opener, slot, true);
}

/* Start what is due now: the free slots, or as many as the rate has brought about since the beginning. */
static void
opener_fill(struct opener *opener, uint64_t elapsed_ns)
{
	const struct options *options = opener->options;
	double due = options->rate == 0 ? 1e18 : (double)options->rate * (double)elapsed_ns / 1e9;

	for (unsigned i = 0; i < opener->slot_count && opener->busy < opener->slot_count; i++) {
		if (opener->started >= due || (options->count != 0 && opener->started >= options->count))
			return;
		if (opener->slots[i].fd < 0)
			slot_start(opener, &opener->slots[i]);
	}
}

void
opened_measure(struct opened *opened, const struct options *options, const atomic_bool *stop)
{
	uint64_t begin = clock_ns(), measure_from = begin + (uint64_t)(options->warm_up * 1e9), now = begin;
	uint64_t end = measure_from + (uint64_t)(options->seconds * 1e9);
	unsigned slots = options->rate == 0 ? options->connections : STORM_SLOTS;
	struct opener opener = {.out = opened, .options = options, .slot_count = slots, .measure_from = measure_from};
	struct epoll_event events[EVENTS];

	opener.slots = calloc(slots, sizeof(*opener.slots));
	opener.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (opener.slots == NULL || opener.epoll < 0)
		die("cannot start the generator");
	for (unsigned i = 0; i < slots; i++)
		opener.slots[i].fd = -1;
	while (now < end && !*stop && (options->count == 0 || opener.started < options->count || opener.busy > 0)) {
		int ready;

		opener_fill(&opener, now - begin);
		ready = epoll_wait(opener.epoll, events, EVENTS, 1);
		for (int i = 0; i < ready; i++)
			slot_event(&opener, events[i].data.ptr, events[i].events);
		if (opened->failed > 1000)
			die("over a thousand connections failed");
		now = clock_ns();
	}
	opened->seconds = (double)(now - measure_from) / 1e9;
	free(opener.slots);
	close(opener.epoll);
}

void
opened_run(const struct options *options)
{
	static struct server server; /* its thread outlives this call */
	struct opened opened = {0};
	atomic_bool never = false;
	double median, slow;

	server_start(&server, options, true);
	opened_measure(&opened, options, &never);
	median = samples_percentile_us(&opened.latency, 50);
	slow = samples_percentile_us(&opened.latency, 99);
	printf(
	    "{\"mode\": \"connect\", \"connections\": %u, \"per_second\": %.1f, \"median_us\": %.1f, \"p99_us\": %.1f, "
	    "\"total\": %.0f, \"failed\": %u}\n",
	    options->connections, (double)opened.latency.count / opened.seconds, median, slow,
	    (double)server.received / options->size, opened.failed);
}

struct storm {
	struct options options;
	struct opened opened;
	atomic_bool stop;
};

static void *
storm_thread(void *argument)
{
	struct storm *storm = argument;

	opened_measure(&storm->opened, &storm->options, &storm->stop);
	return NULL;
}

/* The same stream and the same program, first alone and then under the storm: only the storm differs. */
void
storm_run(const struct options *options)
{
	static struct server server; /* its thread outlives this call */
	struct rounds quiet = {0}, loud = {0};
	struct storm storm = {.options = *options};
	struct options probe = *options;
	pthread_t thread;
	int *connection;
	double before, during;

	probe.connections = 1;
	probe.interval_us = options->interval_us == 0 ? 1000 : options->interval_us;
	storm.options.seconds = options->seconds + 60;
	if (options->rate == 0)
		die("a storm needs its --rate");
	server_start(&server, options, true);
	connection = connections_open(&probe);
	rounds_measure(&quiet, &probe, connection);
	if (pthread_create(&thread, NULL, storm_thread, &storm) != 0)
		die("cannot start a thread");
	rounds_measure(&loud, &probe, connection);
	storm.stop = true;
	pthread_join(thread, NULL);
	before = samples_percentile_us(&quiet.latency, 99);
	during = samples_percentile_us(&loud.latency, 99);
	printf("{\"mode\": \"storm\", \"rate\": %u, \"per_second\": %.1f, \"quiet_median_us\": %.1f, \"quiet_p99_us\": "
	       "%.1f, "
	       "\"storm_median_us\": %.1f, \"storm_p99_us\": %.1f, \"failed\": %u}\n",
	    options->rate, (double)storm.opened.latency.count / storm.opened.seconds,
	    samples_percentile_us(&quiet.latency, 50), before, samples_percentile_us(&loud.latency, 50), during,
	    storm.opened.failed);
	free(connection);
}
