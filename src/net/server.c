/* server.c: puts the daemon together: loop, resolver, workers, acceptor, signals; and takes it apart again. */
#include "net/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/line.h"
#include "net/acceptor.h"
#include "net/libuv_pool.h"

enum {
	FIXED_DESCRIPTORS = 24,    /* standard ones, log, this loop, look-ups, and some in hand */
	DESCRIPTORS_A_WORKER = 6,  /* its loop has four, its poller and its mailbox one each */
	HANDSHAKES_AT_MOST = 8192, /* by default */
	LIBUV_THREADS = 2          /* for look-ups, and for reading keys */
};

enum { SIGNALS = 3, STRANGERS_KEYS = 250000, STRANGERS_LEAST = 64 };

static const int signal_numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

struct server {
	struct server_config config;
	struct pipe_settings settings;
	uv_loop_t loop;
	struct poller poller;
	struct resolver resolver;
	uv_mutex_t mutex;            /* of these two, which workers ask for */
	struct address_list targets; /* what dials use; the resolver's latest */
	struct keyring *keyring;     /* what new connections begin with */
	uv_work_t reading;
	struct keyring *read;         /* what came of it */
	bool is_reading, reads_again; /* the keys; once more when it is done */
	bool is_asked, reads_files;   /* by SIGHUP, which is about files too; such is this reading */
	struct watch watch;
	bool is_watched;
	struct worker *workers;
	struct acceptor acceptor;
	uv_signal_t signals[SIGNALS];
	bool is_drained;
};

static uint64_t
fixed_descriptors(const struct server_config *config)
{
	return FIXED_DESCRIPTORS + (config->listeners == NULL ? 0 : config->listeners->count) +
	       (uint64_t)DESCRIPTORS_A_WORKER * config->workers;
}

static void
fill_in_workers(struct server_config *config)
{
	if (config->workers == 0)
		config->workers = uv_available_parallelism();
	if (config->workers > SERVER_WORKERS_MAX)
		config->workers = SERVER_WORKERS_MAX;
}

uint64_t
server_descriptors(const struct server_config *config)
{
	struct server_config filled = *config;
	uint64_t handshakes = config->max_handshakes != 0 ? config->max_handshakes : HANDSHAKES_AT_MOST;

	fill_in_workers(&filled);
	if (config->max_connections == 0)
		return UINT64_MAX;
	return fixed_descriptors(&filled) + 2 * (uint64_t)config->max_connections +
	       (config->pipe.kind == PIPE_DECRYPT ? handshakes : 0);
}

bool
server_fit(struct server_config *config, uint64_t available)
{
	uint64_t left;

	fill_in_workers(config);
	while (config->workers > 1 && fixed_descriptors(config) > available / 2)
		config->workers--;
	if (available < fixed_descriptors(config) + 3)
		return false;
	left = available - fixed_descriptors(config);
	if (config->pipe.kind == PIPE_DECRYPT) {
		uint64_t most = config->max_handshakes != 0 ? left - 2 : left / 2;
		uint32_t wanted = config->max_handshakes != 0 ? config->max_handshakes : HANDSHAKES_AT_MOST;

		config->max_handshakes = wanted < most ? wanted : (uint32_t)most;
		left -= config->max_handshakes;
	}
	if (config->max_connections == 0 || config->max_connections > left / 2)
		config->max_connections = (uint32_t)(left / 2 < UINT32_MAX / 2 ? left / 2 : UINT32_MAX / 2);
	return true;
}

static void
targets_changed(struct resolver *resolver)
{
	struct server *server = resolver->context;

	uv_mutex_lock(&server->mutex);
	server->targets = resolver->list;
	uv_mutex_unlock(&server->mutex);
}

/* On a worker's thread. */
static void
copy_targets(struct driver *driver, struct address_list *list)
{
	struct server *server = driver->context;

	uv_mutex_lock(&server->mutex);
	*list = server->targets;
	uv_mutex_unlock(&server->mutex);
}

/* On a worker's thread. */
static struct keyring *
take_keyring(struct driver *driver)
{
	struct server *server = driver->context;
	struct keyring *keyring;

	uv_mutex_lock(&server->mutex);
	keyring = server->keyring;
	counted_take(&keyring->counted);
	uv_mutex_unlock(&server->mutex);
	return keyring;
}

/* On a thread of the pool: a folder may be large, or its disk slow. */
static void
read_keys(uv_work_t *reading)
{
	struct server *server = (struct server *)((char *)reading - offsetof(struct server, reading));

	server->read = server->config.read_keys(server->config.keys_context, server->reads_files);
}

/*
 * All strangers together have one core, and each costs it a microsecond a key: no more of them are let in than it is
 * done with in a quarter of a second, or a client that comes with them would be kept waiting.
 */
static void
fit_strangers(struct server *server)
{
	size_t keys = server->keyring->count, most = keys == 0 ? UINT32_MAX : STRANGERS_KEYS / keys;

	server->acceptor.gate.strangers_most = most < STRANGERS_LEAST ? STRANGERS_LEAST : (uint32_t)most;
}

static void start_reading(struct server *server);

static void
keys_are_read(uv_work_t *reading, int status)
{
	struct server *server = (struct server *)((char *)reading - offsetof(struct server, reading));
	struct keyring *before = server->keyring;
	struct line line;

	(void)status; /* never cancelled */
	server->is_reading = false;
	if (server->read != NULL) {
		uv_mutex_lock(&server->mutex);
		server->keyring = server->read;
		uv_mutex_unlock(&server->mutex);
		counted_drop(&before->counted);
		fit_strangers(server);
		for (unsigned i = 0; i < server->config.workers && !server->is_drained; i++)
			worker_check_keys(&server->workers[i]);
	}
	/* Now it is in force: whoever waits for this line may rely on that. */
	line_start(&line, "keys");
	line_number(&line, "count", server->keyring->count);
	server->config.log->write(server->config.log->context, LOG_LEVEL_INFO, false, line.text);
	if (server->reads_again)
		start_reading(server);
}

static void
start_reading(struct server *server)
{
	server->reads_again = server->is_reading;
	if (server->is_reading || server->is_drained)
		return;
	server->is_reading = true;
	server->reads_files = server->is_asked;
	server->is_asked = false;
	server->read = NULL;
	uv_queue_work(&server->loop, &server->reading, read_keys, keys_are_read);
}

/* Says so when that fails: a key that is taken away would stay in force unnoticed. */
static void
say_if_unwatched(struct server *server)
{
	bool was_watched = server->is_watched;

	server->is_watched = server->watch.failed == 0;
	if (was_watched && !server->is_watched)
		server->config.log->write(
		    server->config.log->context, LOG_LEVEL_WARNING, false, "keys watched=no reload=\"by SIGHUP only\"");
}

static void
folder_changed(struct watch *watch)
{
	struct server *server = (struct server *)((char *)watch - offsetof(struct server, watch));

	say_if_unwatched(server);
	start_reading(server);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;
	const struct log_sink *log = server->config.log;

	if (number == SIGHUP) {
		watch_again(&server->watch);
		say_if_unwatched(server);
		server->is_asked = true;
		start_reading(server);
		return;
	}
	if (number == SIGINT && !server->acceptor.is_draining && gate_count(&server->acceptor.gate) > 0)
		log->write(log->context, LOG_LEVEL_WARNING, false, "interrupt draining=yes again=\"ends at once\"");
	acceptor_drain(&server->acceptor);
}

static int
start_signals(struct server *server)
{
	int status = 0;

	for (int i = 0; i < SIGNALS && status == 0; i++) {
		server->signals[i].data = server;
		status = uv_signal_init(&server->loop, &server->signals[i]);
		if (status == 0)
			status = uv_signal_start(&server->signals[i], on_signal, signal_numbers[i]);
	}
	return status;
}

/* Holds our signals back from this thread, and from those that it starts. */
static void
hold_signals(sigset_t *before)
{
	sigset_t ours;

	sigemptyset(&ours);
	for (int i = 0; i < SIGNALS; i++)
		sigaddset(&ours, signal_numbers[i]);
	pthread_sigmask(SIG_BLOCK, &ours, before);
}

static void
end_at_once(int number)
{
	(void)number;
	_exit(0);
}

/* libuv leaves them their default action, by which one that comes late would make this a death and not an exit. */
static void
stop_signals(struct server *server)
{
	sigset_t before;

	hold_signals(&before);
	for (int i = 0; i < SIGNALS; i++) {
		uv_close((uv_handle_t *)&server->signals[i], NULL);
		(void)signal(signal_numbers[i], signal_numbers[i] == SIGHUP ? SIG_IGN : end_at_once);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* The last connection has gone: close everything that keeps the loop running. */
static void
drained(struct acceptor *acceptor)
{
	struct server *server = (struct server *)((char *)acceptor - offsetof(struct server, acceptor));

	stop_signals(server);
	resolver_stop(&server->resolver);
	watch_stop(&server->watch);
	acceptor_stop(acceptor);
	server->is_drained = true;
}

static int
start_workers(struct server *server)
{
	int status = libuv_pool_start(&server->loop, LIBUV_THREADS);

	if (status == 0)
		status = job_pool_start(server->config.workers + 1); /* one for strangers */
	if (status != 0)
		return status;
	server->workers = calloc(server->config.workers, sizeof(struct worker));
	if (server->workers == NULL)
		return UV_ENOMEM;
	for (unsigned i = 0; i < server->config.workers; i++) {
		status = worker_start(&server->workers[i], &server->config, &server->settings, &server->acceptor.gate,
		    copy_targets, take_keyring, server);

		if (status != 0)
			return status;
	}
	return 0;
}

static void
stop_workers(struct server *server)
{
	job_pool_stop(); /* what they have done lies in the mailboxes, before what ends the workers */
	for (unsigned i = 0; server->workers != NULL && i < server->config.workers; i++)
		worker_stop(&server->workers[i]);
	free(server->workers);
	server->workers = NULL;
}

static void
close_any(uv_handle_t *handle, void *unused)
{
	(void)unused;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static int
start(struct server *server)
{
	sigset_t before;
	int status;

	hold_signals(&before); /* they are for this thread, not for those that carry connections */
	status = start_workers(server);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (status == 0)
		status = resolver_start(&server->resolver, &server->loop, server->config.target,
		    server->config.target_addresses, server->config.resolve_interval, server->config.log,
		    targets_changed, server);
	if (status == 0)
		status = watch_start(&server->watch, &server->loop, server->config.find_watched,
		    server->config.keys_context, folder_changed);
	if (status == 0) {
		server->is_watched = true;
		watch_again(&server->watch);
		say_if_unwatched(server);
		if (server->config.keys_are_old(server->config.keys_context))
			start_reading(server);
		status = start_signals(server);
	}
	if (status == 0)
		status = acceptor_start(&server->acceptor, &server->loop, &server->config, server->workers,
		    server->config.workers, drained);
	fit_strangers(server);
	return status;
}

/* A name server that does not answer cannot be told that nobody asks any more: it alone is not waited for. */
static bool
only_a_look_up_is_left(const struct server *server)
{
	return server->is_drained && server->resolver.busy && !server->is_reading;
}

int
server_run(const struct server_config *config, char problem[ADDRESS_PROBLEM], bool *look_up_is_left)
{
	struct server *server = calloc(1, sizeof(*server));
	int status = server == NULL ? UV_ENOMEM : uv_loop_init(&server->loop);

	if (status != 0) {
		snprintf(problem, ADDRESS_PROBLEM, "Cannot start: %s", uv_strerror(status));
		free(server);
		return 1;
	}
	server->config = *config;
	server->keyring = config->keyring;
	counted_take(&config->keyring->counted);
	server->settings = config->pipe;
	server->settings.asks_admission = config->pipe.kind == PIPE_DECRYPT;
	if (config->target_addresses != NULL)
		server->targets = *config->target_addresses;
	status = poller_start(&server->poller, &server->loop);
	if (status == 0)
		status = uv_mutex_init(&server->mutex);
	if (status == 0)
		status = start(server);
	if (status == 0 && config->ready != NULL)
		config->ready(config->ready_context);
	if (status != 0) {
		snprintf(problem, ADDRESS_PROBLEM, "Cannot start: %s", uv_strerror(status));
		uv_walk(&server->loop, close_any, NULL);
	}
	while (!only_a_look_up_is_left(server) && poller_turn(&server->poller))
		;
	stop_workers(server);
	counted_drop(&server->keyring->counted);
	if (status == 0)
		acceptor_free(&server->acceptor);
	uv_mutex_destroy(&server->mutex);
	poller_stop(&server->poller);
	*look_up_is_left = uv_loop_close(&server->loop) == UV_EBUSY; /* it is in the server's memory */
	if (!*look_up_is_left)
		free(server);
	return status == 0 ? 0 : 1;
}
