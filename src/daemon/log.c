/* log.c: writes lines to standard error or syslog, never in the way of a worker. */
#include "daemon/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log_queue.h"

const char *const log_level_words[] = {"error", "warning", "info", "debug"};

struct log {
	struct log_sink sink;
	int fd;
	pthread_mutex_t lock; /* the queue and the flags; held for a copy of a line, never for a write */
	pthread_cond_t change;
	pthread_t thread;
	bool threaded, stopping, finished;
	bool abandoned; /* nobody waits for the writer any more: it frees all this */
	struct log_queue queue;
};

static uint64_t
milliseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool
write_whole(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0 && errno == EAGAIN) {
			/* Somebody we share it with made it non-blocking. */
			(void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
			continue;
		}
		if (written <= 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

static bool
write_entry(const struct log *log, const struct log_entry *entry)
{
	static const int priorities[LOG_LEVELS] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
	char text[sizeof entry->text + 64];
	time_t seconds = (time_t)(entry->time / 1000);
	struct tm utc;
	size_t length;

	if (log->fd == LOG_TO_SYSLOG) {
		syslog(priorities[entry->level], "%s", entry->text);
		return true;
	}
	length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
	length += (size_t)snprintf(
	    text + length, sizeof text - length, ".%03uZ %s\n", (unsigned)(entry->time % 1000), entry->text);
	return write_whole(log->fd, text, length);
}

/* Called and left with the lock held, and without it for each write. */
static void
write_waiting(struct log *log, bool last)
{
	struct log_entry entry;

	while (log_queue_take(&log->queue, milliseconds(CLOCK_REALTIME), last, &entry)) {
		bool written;

		(void)pthread_mutex_unlock(&log->lock);
		written = write_entry(log, &entry);
		(void)pthread_mutex_lock(&log->lock);
		if (!written) {
			log_queue_lost(&log->queue);
			if (last)
				return; /* nobody is there to be told how many were dropped */
		}
	}
}

static void
wait_for_change(struct log *log)
{
	uint64_t wait = log_queue_wait(&log->queue, milliseconds(CLOCK_REALTIME));
	uint64_t until;

	if (wait == UINT64_MAX) {
		(void)pthread_cond_wait(&log->change, &log->lock);
		return;
	}
	until = milliseconds(CLOCK_MONOTONIC) + wait;
	(void)pthread_cond_timedwait(&log->change, &log->lock,
	    &(struct timespec){.tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000});
}

static void
free_log(struct log *log)
{
	if (log->fd == LOG_TO_SYSLOG)
		closelog();
	(void)pthread_cond_destroy(&log->change);
	(void)pthread_mutex_destroy(&log->lock);
	free(log);
}

static void *
run_writer(void *context)
{
	struct log *log = context;
	bool abandoned;

	(void)pthread_mutex_lock(&log->lock);
	while (!log->stopping) {
		write_waiting(log, false);
		if (!log->stopping)
			wait_for_change(log);
	}
	write_waiting(log, true);
	log->finished = true;
	abandoned = log->abandoned;
	(void)pthread_cond_signal(&log->change);
	(void)pthread_mutex_unlock(&log->lock);
	if (abandoned)
		free_log(log);
	return NULL;
}

static void
write_line(void *context, enum log_level level, bool stranger, const char *line)
{
	struct log *log = context;

	if (!log_wants(&log->sink, level))
		return;
	(void)pthread_mutex_lock(&log->lock);
	log_queue_put(&log->queue, milliseconds(CLOCK_REALTIME), level, stranger, line);
	if (log->threaded)
		(void)pthread_cond_signal(&log->change);
	else
		write_waiting(log, false);
	(void)pthread_mutex_unlock(&log->lock);
}

struct log *
log_new(const char *program, int fd, enum log_level level)
{
	struct log *log = calloc(1, sizeof *log);
	pthread_condattr_t attributes;

	if (log == NULL)
		return NULL;
	log->sink = (struct log_sink){.write = write_line, .context = log, .level = level};
	log->fd = fd;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	if (pthread_mutex_init(&log->lock, NULL) != 0 || pthread_cond_init(&log->change, &attributes) != 0) {
		free(log);
		return NULL;
	}
	(void)pthread_condattr_destroy(&attributes);
	if (fd == LOG_TO_SYSLOG)
		openlog(program, LOG_PID | LOG_NDELAY, LOG_DAEMON); /* at once: a sandbox may forbid it later */
	return log;
}

const struct log_sink *
log_sink(const struct log *log)
{
	return &log->sink;
}

bool
log_start_thread(struct log *log)
{
	sigset_t all, before;

	/* Signals are for the main thread; a broken pipe is an error of write(2). */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	log->threaded = pthread_create(&log->thread, NULL, run_writer, log) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return log->threaded;
}

static bool
stop_thread(struct log *log)
{
	uint64_t until = milliseconds(CLOCK_MONOTONIC) + LOG_STOP_MS;
	struct timespec end = {.tv_sec = (time_t)(until / 1000), .tv_nsec = (long)(until % 1000) * 1000000};
	pthread_t thread = log->thread;
	bool finished;

	(void)pthread_mutex_lock(&log->lock);
	log->stopping = true;
	(void)pthread_cond_broadcast(&log->change);
	while (!log->finished && pthread_cond_timedwait(&log->change, &log->lock, &end) == 0)
		continue;
	finished = log->finished;
	log->abandoned = !finished;
	(void)pthread_mutex_unlock(&log->lock);
	(void)(finished ? pthread_join(thread, NULL) : pthread_detach(thread)); /* log may be gone by now */
	return finished;
}

void
log_stop(struct log *log)
{
	if (log == NULL)
		return;
	if (!log->threaded) {
		(void)pthread_mutex_lock(&log->lock);
		write_waiting(log, true);
		(void)pthread_mutex_unlock(&log->lock);
	}
	if (!log->threaded || stop_thread(log))
		free_log(log);
}
