/* server.c: puts the daemon together: loop, resolver, workers, acceptor, signals; and takes it apart again. */
#include "net/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/line.h"
#include "net/acceptor.h"

enum {
	FIXED_DESCRIPTORS = 24,    /* standard ones, log, this loop, look-ups, and some in hand */
	DESCRIPTORS_A_WORKER = 4,  /* its loop */
	HANDSHAKES_AT_MOST = 8192, /* by default */
	LEAST_POOL_THREADS = 4
};

enum { SIGNALS = 3 };

static const int signal_numbers[SIGNALS] = {SIGTERM, SIGINT, SIGHUP};

struct server {
	struct server_config config;
	struct pipe_settings settings;
	uv_loop_t loop;
	struct resolver resolver;
	uv_mutex_t targets_mutex;
	struct address_list targets; /* what dials use; the resolver's latest */
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

	uv_mutex_lock(&server->targets_mutex);
	server->targets = resolver->list;
	uv_mutex_unlock(&server->targets_mutex);
}

/* On a worker's thread. */
static void
copy_targets(struct driver *driver, struct address_list *list)
{
	struct server *server = driver->context;

	uv_mutex_lock(&server->targets_mutex);
	*list = server->targets;
	uv_mutex_unlock(&server->targets_mutex);
}

static void
on_signal(uv_signal_t *handle, int number)
{
	struct server *server = handle->data;
	const struct log_sink *log = server->config.log;

	if (number == SIGHUP)
		return;
	if (number == SIGINT && !server->acceptor.is_draining && server->acceptor.count > 0)
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
	acceptor_stop(acceptor);
	server->is_drained = true;
}

static int
start_workers(struct server *server)
{
	unsigned threads = server->config.workers > LEAST_POOL_THREADS ? server->config.workers : LEAST_POOL_THREADS;
	int status = dh_pool_start(&server->loop, threads);

	if (status != 0)
		return status;
	server->workers = calloc(server->config.workers, sizeof(struct worker));
	if (server->workers == NULL)
		return UV_ENOMEM;
	for (unsigned i = 0; i < server->config.workers; i++) {
		status = worker_start(&server->workers[i], &server->config, &server->settings,
		    &server->acceptor.mailbox, threads, copy_targets, server);

		if (status != 0)
			return status;
	}
	return 0;
}

static void
stop_workers(struct server *server)
{
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
		status = start_signals(server);
	if (status == 0)
		status = acceptor_start(&server->acceptor, &server->loop, &server->config, server->workers,
		    server->config.workers, drained);
	return status;
}

/* A name server that does not answer cannot be told that nobody asks any more: it alone is not waited for. */
static bool
only_a_look_up_is_left(const struct server *server)
{
	return server->is_drained && server->resolver.busy;
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
	server->settings = config->pipe;
	server->settings.asks_admission = config->pipe.kind == PIPE_DECRYPT;
	if (config->target_addresses != NULL)
		server->targets = *config->target_addresses;
	status = uv_mutex_init(&server->targets_mutex);
	if (status == 0)
		status = start(server);
	if (status == 0 && config->ready != NULL)
		config->ready(config->ready_context);
	if (status != 0) {
		snprintf(problem, ADDRESS_PROBLEM, "Cannot start: %s", uv_strerror(status));
		uv_walk(&server->loop, close_any, NULL);
	}
	while (!only_a_look_up_is_left(server) && uv_run(&server->loop, UV_RUN_ONCE) != 0)
		;
	stop_workers(server);
	if (status == 0)
		acceptor_free(&server->acceptor);
	uv_mutex_destroy(&server->targets_mutex);
	*look_up_is_left = uv_loop_close(&server->loop) == UV_EBUSY; /* it is in the server's memory */
	if (!*look_up_is_left)
		free(server);
	return status == 0 ? 0 : 1;
}
