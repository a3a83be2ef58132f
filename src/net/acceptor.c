/* acceptor.c: see acceptor.h. What it does about limits is admission.h's decision. */
#include "net/acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/line.h"
#include "crypto/random.h"
#include "net/report.h"
#include "net/socket.h"

enum { ACCEPT_AT_ONCE = 64, RETRY_MS = 1000, WARN_EVERY_MS = 60000 };

/* Told to go and not gone yet: accept(2) is quicker than a worker, which would have ever more of a flood to do. */
enum { EVICTED_AT_ONCE = 64 };

enum { WARN_CONNECTIONS, WARN_HANDSHAKES, WARN_SHORTAGE };

static bool
encrypts(const struct acceptor *a)
{
	return a->config->pipe.kind == PIPE_ENCRYPT;
}

/* Names a limit that was met, at most once a minute: it is met again and again while it lasts. */
static void
warn(struct acceptor *a, int which, const char *event, const char *name, uint64_t value)
{
	uint64_t now = uv_now(a->loop) + 1; /* 0 is "never" */
	struct line line;

	if (a->warned_at[which] != 0 && now - a->warned_at[which] < WARN_EVERY_MS)
		return;
	a->warned_at[which] = now;
	line_start(&line, event);
	line_number(&line, name, value);
	a->config->log->write(a->config->log->context, LOG_LEVEL_WARNING, false, line.text);
}

/* A host has a lot of IPv6 addresses, but hardly more than one /64. */
static void
source_of(const struct address *peer, struct admission_source *source)
{
	memset(source, 0, sizeof(*source));
	if (peer->any.sa_family == AF_INET) {
		source->bytes[0] = 4;
		memcpy(source->bytes + 1, &peer->in.sin_addr, 4);
	} else if (peer->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer->in6.sin6_addr)) {
		source->bytes[0] = 4;
		memcpy(source->bytes + 1, peer->in6.sin6_addr.s6_addr + 12, 4);
	} else if (peer->any.sa_family == AF_INET6) {
		source->bytes[0] = 6;
		memcpy(source->bytes + 1, peer->in6.sin6_addr.s6_addr, 8);
	}
}

static void on_listener(uv_poll_t *handle, int status, int events);

static void
set_paused(struct acceptor *a, bool paused)
{
	if (a->is_paused == paused)
		return;
	a->is_paused = paused;
	for (size_t i = 0; i < a->listener_count; i++) {
		if (!a->listeners[i].is_open)
			continue;
		if (paused)
			uv_poll_stop(&a->listeners[i].poll);
		else
			uv_poll_start(&a->listeners[i].poll, UV_READABLE, on_listener);
	}
}

static void
on_retry(uv_timer_t *timer)
{
	set_paused(timer->data, false);
}

static void
evict(struct acceptor *a, uint32_t slot)
{
	struct accepted *accepted = a->by_slot[slot];

	accepted->standing = ACCEPTED_EVICTED;
	a->evicted++;
	mailbox_post(&accepted->worker->mailbox, &accepted->verdict, MAIL_EVICTED);
}

/*
 * accept(2) fails for want of descriptors or memory, and would fail for ever: a stranger makes room on -d, else
 * nobody is accepted until a connection has gone or a second has passed. Who waits, waits in the backlog.
 */
static void
on_shortage(struct acceptor *a)
{
	uint32_t slot = encrypts(a) ? ADMISSION_NONE : admission_evict(&a->admission);

	warn(a, WARN_SHORTAGE, "shortage", "connections", a->count);
	if (slot != ADMISSION_NONE)
		evict(a, slot);
	set_paused(a, true);
	uv_timer_start(&a->retry, on_retry, RETRY_MS, 0);
}

static struct worker *
least_loaded(struct acceptor *a)
{
	struct worker *best = &a->workers[0];

	for (unsigned i = 1; i < a->worker_count; i++) {
		if (a->workers[i].count < best->count)
			best = &a->workers[i];
	}
	return best;
}

static void
make_room(struct acceptor *a, uint32_t slot)
{
	const uint32_t cap = a->admission.cap;

	if (slot == ADMISSION_NONE)
		return;
	warn(a, WARN_HANDSHAKES, "limit", "handshakes", a->strangers_most < cap ? a->strangers_most : cap);
	evict(a, slot);
}

/* Finds a place for a stranger, perhaps another's. false: there is none. */
static bool
enter(struct acceptor *a, struct accepted *accepted, const struct address *peer)
{
	struct admission_source source;
	uint32_t evicted, slot;

	if (encrypts(a)) {
		accepted->standing = ACCEPTED_ADMITTED; /* its place was taken before accept(2) */
		return true;
	}
	source_of(peer, &source);
	if (a->admission.strangers - a->waiting >= a->strangers_most)
		make_room(a, admission_evict(&a->admission));
	slot = admission_enter(&a->admission, &source, &evicted);
	make_room(a, evicted);
	if (slot == ADMISSION_NONE)
		return false;
	accepted->standing = ACCEPTED_STRANGER;
	accepted->slot = slot;
	a->by_slot[slot] = accepted;
	return true;
}

static void
hand_out(struct acceptor *a, int fd, const struct address *peer)
{
	struct accepted *accepted = calloc(1, sizeof(*accepted));
	char text[ADDRESS_TEXT];

	address_format(peer, text);
	if (accepted == NULL || !enter(a, accepted, peer)) {
		report_refused(a->config->log, text, accepted == NULL ? ERROR_MEMORY : ERROR_NO_ROOM);
		socket_reset(fd);
		free(accepted);
		if (encrypts(a))
			admission_end(&a->admission);
		return;
	}
	accepted->fd = fd;
	accepted->worker = least_loaded(a);
	accepted->arrival.about = accepted->verdict.about = accepted;
	accepted->proof.about = accepted->departure.about = accepted;
	snprintf(accepted->connection.peer, PEER_TEXT, "%.*s", PEER_TEXT - 1, text);
	accepted->worker->count++;
	a->count++;
	mailbox_post(&accepted->worker->mailbox, &accepted->arrival, MAIL_ARRIVED);
}

/* Whether another may be accepted now: on -e everybody counts against -n, on -d a stranger never does. */
static bool
has_room(struct acceptor *a)
{
	if (a->evicted >= EVICTED_AT_ONCE) {
		set_paused(a, true); /* not for long: on_gone */
		return false;
	}
	if (!encrypts(a) || admission_take(&a->admission))
		return true;
	warn(a, WARN_CONNECTIONS, "limit", "connections", a->admission.limit);
	set_paused(a, true);
	return false;
}

/* Returns whether there may be more. */
static bool
accept_one(const struct acceptor_listener *listener)
{
	struct acceptor *a = listener->acceptor;
	struct address peer;
	int fd;

	if (!has_room(a))
		return false;
	fd = socket_accept(listener->fd, &peer);
	if (fd >= 0) {
		if (encrypts(a) && !listener->is_loopback)
			socket_tune_plain(fd, &peer);
		hand_out(a, fd, &peer);
		return true;
	}
	if (encrypts(a))
		admission_end(&a->admission);
	if (fd == -EAGAIN)
		return false;
	on_shortage(a);
	return false;
}

static void
on_listener(uv_poll_t *handle, int status, int events)
{
	struct acceptor_listener *listener = handle->data;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_AT_ONCE && accept_one(listener); i++)
		;
}

static void
admitted(struct acceptor *a, struct accepted *accepted)
{
	a->waiting -= accepted->standing == ACCEPTED_WAITING;
	accepted->standing = ACCEPTED_ADMITTED;
	a->by_slot[accepted->slot] = NULL;
	mailbox_post(&accepted->worker->mailbox, &accepted->verdict, MAIL_ADMITTED);
}

static void
on_proved(struct acceptor *a, struct accepted *accepted)
{
	if (accepted->standing != ACCEPTED_STRANGER) /* evicted meanwhile */
		return;
	if (admission_authenticated(&a->admission, accepted->slot)) {
		admitted(a, accepted);
		return;
	}
	accepted->standing = ACCEPTED_WAITING;
	a->waiting++;
	warn(a, WARN_CONNECTIONS, "limit", "connections", a->admission.limit);
}

static void
on_gone(struct acceptor *a, struct accepted *accepted)
{
	uint32_t next;

	if (accepted->standing == ACCEPTED_ADMITTED) {
		next = admission_end(&a->admission);
		if (next != ADMISSION_NONE)
			admitted(a, a->by_slot[next]);
	} else if (accepted->standing == ACCEPTED_EVICTED) {
		a->evicted--;
	} else {
		a->waiting -= accepted->standing == ACCEPTED_WAITING;
		a->by_slot[accepted->slot] = NULL;
		admission_leave(&a->admission, accepted->slot);
	}
	accepted->worker->count--;
	a->count--;
	mailbox_post(&accepted->worker->mailbox, &accepted->arrival, MAIL_FORGET);
	set_paused(a, false);
	if (a->is_draining && a->count == 0)
		a->drained(a);
}

static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	if (kind == MAIL_PROVED)
		on_proved(mailbox->context, about);
	else if (kind == MAIL_GONE)
		on_gone(mailbox->context, about);
}

static void
close_listeners(struct acceptor *a)
{
	for (size_t i = 0; i < a->listener_count; i++) {
		if (!a->listeners[i].is_open)
			continue;
		a->listeners[i].is_open = false;
		uv_close((uv_handle_t *)&a->listeners[i].poll, NULL);
		socket_close(a->listeners[i].fd);
	}
}

static void
say(struct acceptor *a, enum log_level level, const char *event)
{
	struct line line;

	if (!log_wants(a->config->log, level))
		return;
	line_start(&line, event);
	line_number(&line, "connections", a->count);
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
	say(a, LOG_LEVEL_INFO, "drain");
	if (a->count == 0)
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
	free(a->admission_memory);
	free(a->by_slot);
}

static int
start_admission(struct acceptor *a)
{
	uint32_t cap = encrypts(a) ? 1 : a->config->max_handshakes;
	uint64_t hash_key;

	if (random_bytes((uint8_t *)&hash_key, sizeof(hash_key)) != OK)
		return UV_EIO;
	a->admission_memory = calloc(1, admission_size(cap));
	a->by_slot = calloc(cap, sizeof(struct accepted *));
	if (a->admission_memory == NULL || a->by_slot == NULL)
		return UV_ENOMEM;
	admission_start(&a->admission, a->admission_memory, cap, a->config->max_connections, hash_key);
	return 0;
}

static int
start_listening(struct acceptor *a)
{
	const struct listeners *listeners = a->config->listeners;

	for (size_t i = 0; i < listeners->count; i++) {
		struct acceptor_listener *listener = &a->listeners[i];
		int status = uv_poll_init(a->loop, &listener->poll, listeners->fds[i]);

		if (status != 0)
			return status;
		listener->poll.data = listener;
		listener->acceptor = a;
		listener->fd = listeners->fds[i];
		listener->is_loopback = address_is_loopback(&listeners->addresses[i]);
		listener->is_open = true;
		a->listener_count++;
		status = uv_poll_start(&listener->poll, UV_READABLE, on_listener);
		if (status != 0)
			return status;
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
	status = start_admission(a);
	if (status == 0)
		status = mailbox_start(&a->mailbox, loop, receive, a);
	if (status != 0) {
		free(a->admission_memory);
		free(a->by_slot);
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
