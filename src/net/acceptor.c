/* acceptor.c: see acceptor.h. What it does about limits is the gate's decision. */
#include "net/acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/line.h"
#include "net/report.h"
#include "net/socket.h"

enum { ACCEPT_AT_ONCE = 64, RETRY_MS = 1000 };

static void
set_paused(struct acceptor *a, bool paused)
{
	if (a->is_paused == paused)
		return;
	a->is_paused = paused;
	for (size_t i = 0; i < a->listener_count; i++) {
		if (a->listeners[i].is_open)
			poller_change(a->loop, &a->listeners[i].watcher, paused ? 0 : EPOLLIN);
	}
}

static void
on_retry(uv_timer_t *timer)
{
	set_paused(timer->data, false);
}

/*
 * accept(2) fails for want of descriptors or memory, and would fail for ever: a stranger makes room on -d, else
 * nobody is accepted until a connection has gone or a second has passed. Who waits, waits in the backlog.
 */
static void
on_shortage(struct acceptor *a)
{
	gate_shortage(&a->gate, uv_now(a->loop));
	set_paused(a, true);
	uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
}

static void
hand_out(struct acceptor *a, int fd, const struct address *peer)
{
	struct accepted *accepted = calloc(1, sizeof(*accepted));
	char text[ADDRESS_TEXT];

	address_format(peer, text);
	if (accepted == NULL || !gate_enter(&a->gate, accepted, peer, a->workers, a->worker_count, uv_now(a->loop))) {
		report_refused(a->config->log, text, accepted == NULL ? ERROR_MEMORY : ERROR_NO_ROOM);
		socket_reset(fd);
		free(accepted);
		gate_close(&a->gate);
		return;
	}
	accepted->fd = fd;
	accepted->arrival.about = accepted;
	snprintf(accepted->connection.peer, PEER_TEXT, "%.*s", PEER_TEXT - 1, text);
	mailbox_post(&accepted->worker->mailbox, &accepted->arrival, MAIL_ARRIVED);
}

/* Returns whether there may be more. */
static bool
accept_one(const struct acceptor_listener *listener)
{
	struct acceptor *a = listener->acceptor;
	struct address peer;
	int fd;

	if (!gate_open(&a->gate, uv_now(a->loop))) {
		set_paused(a, true); /* until somebody has gone */
		return false;
	}
	fd = socket_accept(listener->fd, &peer);
	if (fd >= 0) {
		if (a->config->pipe.kind == PIPE_ENCRYPT && !listener->is_loopback)
			socket_tune_plain(fd, &peer);
		hand_out(a, fd, &peer);
		return true;
	}
	gate_close(&a->gate);
	if (fd == -EAGAIN)
		return false;
	on_shortage(a);
	return false;
}

static void
on_listener(struct watcher *watcher, uint32_t events)
{
	struct acceptor_listener *listener =
	    (struct acceptor_listener *)((char *)watcher - offsetof(struct acceptor_listener, watcher));

	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE && accept_one(listener); i++)
		;
}

/* MAIL_ROOM: somebody has gone. */
static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	struct acceptor *a = mailbox->context;
	bool is_last = gate_look(&a->gate, a->is_draining) == 0;

	(void)kind;
	(void)about;
	set_paused(a, false);
	if (a->is_draining && is_last)
		a->drained(a);
}

static void
close_listeners(struct acceptor *a)
{
	for (size_t i = 0; i < a->listener_count; i++) {
		if (!a->listeners[i].is_open)
			continue;
		a->listeners[i].is_open = false;
		poller_remove(a->loop, &a->listeners[i].watcher);
		socket_close(a->listeners[i].fd);
	}
}

static void
say(struct acceptor *a, enum log_level level, const char *event)
{
	struct line line;

	line_start(&line, event);
	line_number(&line, "connections", gate_count(&a->gate));
	a->config->log->write(a->config->log->context, level, false, line.text);
}

void
acceptor_drain(struct acceptor *a)
{
	if (a->is_killed)
		return;
	if (a->is_draining) {
		a->is_killed = true;
		say(a, LOG_LEVEL_WARNING, "kill");
		for (unsigned i = 0; i < a->worker_count; i++)
			mailbox_post(&a->workers[i].mailbox, &a->workers[i].order, MAIL_KILL);
		return;
	}
	for (size_t i = 0; i < a->listener_count; i++) {
		while (!a->is_paused && accept_one(&a->listeners[i]))
			;
	}
	close_listeners(a);
	a->is_draining = true;
	gate_await(&a->gate);
	say(a, LOG_LEVEL_INFO, "drain");
	if (gate_count(&a->gate) == 0)
		a->drained(a);
}

void
acceptor_stop(struct acceptor *a)
{
	close_listeners(a);
	uv_close((uv_handle_t *)&a->retry, NULL);
	mailbox_stop(&a->mailbox);
}

void
acceptor_free(struct acceptor *a)
{
	mailbox_free(&a->mailbox);
	gate_free(&a->gate);
}

static int
start_listening(struct acceptor *a)
{
	const struct listeners *listeners = a->config->listeners;

	for (size_t i = 0; i < listeners->count; i++) {
		struct acceptor_listener *listener = &a->listeners[i];
		int status = poller_add(a->loop, &listener->watcher, listeners->fds[i], EPOLLIN, on_listener);

		if (status != 0)
			return status;
		listener->acceptor = a;
		listener->fd = listeners->fds[i];
		listener->is_loopback = address_is_loopback(&listeners->addresses[i]);
		listener->is_open = true;
		a->listener_count++;
	}
	return 0;
}

int
acceptor_start(struct acceptor *a, uv_loop_t *loop, const struct server_config *config, struct worker *workers,
    unsigned worker_count, void (*drained)(struct acceptor *))
{
	int status;

	*a = (struct acceptor){
	    .config = config, .loop = loop, .workers = workers, .worker_count = worker_count, .drained = drained};
	status = gate_start(&a->gate, config, &a->mailbox);
	if (status != 0)
		return status;
	status = mailbox_start(&a->mailbox, loop, receive, a);
	if (status != 0) {
		gate_free(&a->gate);
		return status;
	}
	a->retry.data = a;
	status = uv_timer_init(loop, &a->retry);
	if (status == 0)
		status = start_listening(a);
	if (status != 0) {
		acceptor_stop(a);
		uv_run(loop, UV_RUN_NOWAIT);
		acceptor_free(a);
	}
	return status;
}
