/* dial.c: connects to one of a target's addresses: does what race.h decides, with sockets. */
#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>

#include "net/socket.h"

_Static_assert((size_t)RACE_MAX == (size_t)ADDRESS_LIST_MAX, "a race takes every address of a list");

/* How soon to ask a UNIX socket again whose backlog is full: it has no event that says when it is not. */
enum { FULL_BACKLOG_RETRY = 20 /* ms */ };

enum { BINDS = 3 };

struct attempt {
	struct address address;
	struct dial *dial;
	struct watcher watcher; /* of fd, once connecting */
	int fd;                 /* -1: none */
	bool polled;            /* it is watched, or was: it has been connecting */
};

/* Freed when its timer is closed, which is when the dial is over. */
struct dial {
	uv_timer_t timer;
	struct race race;
	uint64_t timeout, retry_at; /* retry_at: for attempts that wait for a backlog; UINT64_MAX: none do */
	int system_error;
	bool keepalive, over;
	dial_done *done;
	void *context;
	size_t bind_count, count;
	struct address bind[BINDS]; /* the first of each family */
	struct attempt attempts[];
};

static void
timer_closed(uv_handle_t *timer)
{
	free(timer->data);
}

static void
attempt_stop(struct attempt *attempt)
{
	poller_forget(attempt->dial->timer.loop, &attempt->watcher);
	if (attempt->fd >= 0)
		socket_reset(attempt->fd); /* connected meanwhile, an end is not what its peer should see */
	attempt->polled = false;
	attempt->fd = -1;
}

static void
dial_end(struct dial *dial)
{
	dial->over = true;
	for (size_t i = 0; i < dial->count; i++)
		attempt_stop(&dial->attempts[i]);
	uv_close((uv_handle_t *)&dial->timer, timer_closed);
}

static void
connected(struct dial *dial, struct attempt *attempt)
{
	int fd = attempt->fd;

	/* The callee may watch it at once, so our watcher goes first, without it. */
	poller_remove(dial->timer.loop, &attempt->watcher);
	attempt->fd = -1;
	dial_end(dial);
	dial->done(dial->context, fd, &attempt->address, OK, 0);
}

static void
lost(struct dial *dial, enum error error)
{
	dial_end(dial);
	dial->done(dial->context, -1, NULL, error, dial->system_error);
}

static uint64_t
now_of(const struct dial *dial)
{
	return uv_now(dial->timer.loop);
}

static void
attempt_failed(struct dial *dial, struct attempt *attempt, int system_error)
{
	enum error error = ERROR_CONNECT;

	/* Tried again, so only where it was not connecting yet: what comes later is the network's word. */
	if (!attempt->polled && (system_error == -EMFILE || system_error == -ENFILE))
		error = ERROR_DESCRIPTORS;
	else if (!attempt->polled && (system_error == -ENOMEM || system_error == -ENOBUFS))
		error = ERROR_MEMORY;
	attempt_stop(attempt);
	dial->system_error = -system_error;
	race_failed(&dial->race, (size_t)(attempt - dial->attempts), error, now_of(dial));
}

/*
 * A port of this machine that nobody listens on can be the one that the kernel picks for our own end: then TCP
 * connects the socket to itself, and what an authenticated peer sends would come back to it.
 */
static bool
is_connected_to_itself(const struct attempt *attempt)
{
	struct address own = {.length = sizeof own.storage};

	if (attempt->address.any.sa_family == AF_UNIX || !address_is_loopback(&attempt->address))
		return false;
	return getsockname(attempt->fd, &own.any, &own.length) == 0 && address_equal(&own, &attempt->address);
}

static void dial_advance(struct dial *dial);

static void
attempt_event(struct watcher *watcher, uint32_t events)
{
	struct attempt *attempt = (struct attempt *)((char *)watcher - offsetof(struct attempt, watcher));
	struct dial *dial = attempt->dial;
	int error = socket_error(attempt->fd);

	if (error == 0 && (events & EPOLLERR) != 0) /* it has told somebody else what it was */
		error = -EIO;
	if (error == 0 && is_connected_to_itself(attempt))
		error = -ECONNREFUSED;
	if (error == 0) {
		connected(dial, attempt);
		return;
	}
	attempt_failed(dial, attempt, error);
	dial_advance(dial);
}

static int
watch(struct dial *dial, struct attempt *attempt)
{
	int error = poller_add(dial->timer.loop, &attempt->watcher, attempt->fd, EPOLLOUT, attempt_event);

	attempt->polled = error == 0;
	return error;
}

static const struct address *
bind_for(const struct dial *dial, int family)
{
	for (size_t i = 0; i < dial->bind_count; i++) {
		if (dial->bind[i].any.sa_family == family)
			return &dial->bind[i];
	}
	return NULL;
}

/* Binds to what -b gave for this family, if anything. */
static int
bind_socket(const struct dial *dial, int fd, int family)
{
	const struct address *own = bind_for(dial, family);
	int yes = 1;

	if (own == NULL)
		return 0;
	if (family != AF_UNIX) {
		/* A port of ours may serve connections to different places; one for us to pick is picked for each
		 * place. */
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
		(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
	}
	return bind(fd, &own->any, own->length) < 0 ? -errno : 0;
}

static int
try_to_connect(const struct attempt *attempt)
{
	return connect(attempt->fd, &attempt->address.any, attempt->address.length) < 0 ? -errno : 0;
}

/* Connects; true: at once. Else it is under way, or has failed and the race knows. */
static bool
attempt_connect(struct dial *dial, struct attempt *attempt)
{
	bool is_unix = attempt->address.any.sa_family == AF_UNIX;
	int error = try_to_connect(attempt);

	/* This machine has answered by now, and a second call says what: nothing to watch. */
	if (error == -EINPROGRESS && address_is_loopback(&attempt->address))
		error = try_to_connect(attempt);
	if (error == 0 && is_connected_to_itself(attempt))
		error = -ECONNREFUSED;
	if (error == 0)
		return true;
	if (error == -EAGAIN && is_unix) {
		if (dial->retry_at == UINT64_MAX)
			dial->retry_at = now_of(dial) + FULL_BACKLOG_RETRY;
		return false;
	}
	if (error == -EINPROGRESS || error == -EALREADY || error == -EINTR)
		error = watch(dial, attempt);
	if (error < 0)
		attempt_failed(dial, attempt, error);
	return false;
}

static bool
attempt_start(struct dial *dial, struct attempt *attempt)
{
	int family = attempt->address.any.sa_family;
	int fd = socket_new(family), error;

	if (fd < 0) {
		attempt_failed(dial, attempt, fd);
		return false;
	}
	attempt->fd = fd;
	error = bind_socket(dial, fd, family);
	if (error < 0) {
		attempt_failed(dial, attempt, error);
		return false;
	}
	socket_tune(fd, dial->keepalive);
	return attempt_connect(dial, attempt);
}

/* Asks the UNIX sockets again whose backlogs were full; the one that is connected now, or NULL. */
static struct attempt *
retry_full_backlogs(struct dial *dial)
{
	if (now_of(dial) < dial->retry_at)
		return NULL;
	dial->retry_at = UINT64_MAX;
	for (size_t i = 0; i < dial->count; i++) {
		struct attempt *attempt = &dial->attempts[i];

		if (attempt->fd >= 0 && !attempt->polled && attempt_connect(dial, attempt))
			return attempt;
	}
	return NULL;
}

static void
on_timer(uv_timer_t *timer)
{
	dial_advance(timer->data);
}

/* Does what the race decides until it waits or is lost. Always from a callback of the loop, so done may be called. */
static void
dial_advance(struct dial *dial)
{
	uint64_t now = now_of(dial), wake;
	struct attempt *winner = retry_full_backlogs(dial);
	enum race_verdict verdict = RACE_WAIT;
	size_t index = 0;

	while (winner == NULL && (verdict = race_next(&dial->race, now, &index)) != RACE_WAIT) {
		if (verdict == RACE_LOST) {
			lost(dial, dial->race.last_error);
			return;
		}
		if (verdict == RACE_ABANDON) {
			dial->system_error = ETIMEDOUT;
			attempt_stop(&dial->attempts[index]);
		} else if (attempt_start(dial, &dial->attempts[index])) {
			winner = &dial->attempts[index];
		}
	}
	if (winner != NULL) {
		connected(dial, winner);
		return;
	}
	wake = race_deadline(&dial->race);
	if (dial->retry_at < wake)
		wake = dial->retry_at;
	uv_timer_start(&dial->timer, on_timer, wake > now ? wake - now : 0, 0);
}

static void
first_turn(uv_timer_t *timer)
{
	struct dial *dial = timer->data;

	if (dial->count == 0) {
		lost(dial, ERROR_LOOKUP);
		return;
	}
	race_start(&dial->race, dial->count, dial->timeout, now_of(dial));
	dial_advance(dial);
}

struct dial *
dial_start(uv_loop_t *loop, const struct address_list *list, const struct dial_options *options, dial_done *done,
    void *context)
{
	int families[ADDRESS_LIST_MAX];
	size_t order[ADDRESS_LIST_MAX] = {0};
	struct dial *dial = calloc(1, sizeof *dial + list->count * sizeof dial->attempts[0]);

	if (dial == NULL)
		return NULL;
	dial->timeout = options->timeout;
	dial->keepalive = options->keepalive;
	dial->retry_at = UINT64_MAX;
	dial->done = done;
	dial->context = context;
	dial->count = list->count;
	for (size_t i = 0; i < options->bind_count && dial->bind_count < BINDS; i++) {
		if (bind_for(dial, options->bind[i].any.sa_family) == NULL)
			dial->bind[dial->bind_count++] = options->bind[i];
	}
	for (size_t i = 0; i < list->count; i++)
		families[i] = list->addresses[i].any.sa_family;
	race_order(families, list->count, order);
	for (size_t i = 0; i < list->count; i++) {
		dial->attempts[i].address = list->addresses[order[i]];
		dial->attempts[i].dial = dial;
		dial->attempts[i].fd = -1;
	}
	uv_timer_init(loop, &dial->timer);
	dial->timer.data = dial;
	uv_timer_start(&dial->timer, first_turn, 0, 0);
	return dial;
}

void
dial_cancel(struct dial *dial)
{
	if (!dial->over)
		dial_end(dial);
}
