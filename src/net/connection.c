/* connection.c: see connection.h. Every way in ends with settle(), which does what the pipe says until it is content.
 */
#include "net/connection.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "crypto/random.h"
#include "net/report.h"
#include "net/socket.h"

enum { DELIVERY_POLL_MS = 20, MEMORY_RETRY_MS = 100, READS_A_TURN = 16 };

static void settle(struct connection *c);

static uint64_t
now(const struct connection *c)
{
	return uv_now(c->driver->loop);
}

static void
tell(struct connection *c, struct pipe_event event)
{
	pipe_event(&c->pipe, &event, now(c));
}

static void
tell_leg(struct connection *c, enum pipe_event_kind kind, enum pipe_leg leg)
{
	tell(c, (struct pipe_event){.kind = kind, .leg = leg});
}

enum pipe_leg
connection_accepted_leg(const struct pipe_settings *settings)
{
	return settings->kind == PIPE_ENCRYPT ? PIPE_PLAIN : PIPE_CIPHER;
}

/* One read, one batch. Without memory for it this connection pauses, and no other. */
static void
read_leg(struct connection *c, enum pipe_leg which)
{
	struct buffer_pool *pool = &c->driver->pool;
	struct leg *leg = &c->legs[which];
	size_t offset, packets,
	    length = pipe_read_into(&c->pipe, which, pool_is_under_pressure(pool), pool->in, &offset, &packets);
	struct pipe_event event = {.kind = PIPE_READ, .leg = which, .in = pool->in};
	ssize_t got;

	if (packets > 0) {
		event.out = pool_get(pool, packets);
		if (event.out == NULL) {
			c->retry_at = now(c) + MEMORY_RETRY_MS;
			return;
		}
	}
	got = leg->kind->read(leg, pool->in + offset, length);
	if (got > 0) {
		event.length = (size_t)got;
		pool_soil(pool, event.out, offset + event.length);
	} else if (got != -EAGAIN || leg->hung_up) { /* a broken one that has nothing more will never have */
		event.kind = got == 0 ? PIPE_END : PIPE_READ_FAILED;
		if (event.out != NULL)
			pool_put(pool, event.out);
	}
	tell(c, event);
}

static void
do_send(struct connection *c, const struct pipe_action *action)
{
	struct leg *leg = &c->legs[action->leg];
	ssize_t sent = leg->kind->write(leg, action->bytes, action->length);

	if (sent < 0 && sent != -EAGAIN) {
		c->system_error = (int)-sent;
		tell_leg(c, PIPE_WRITE_FAILED, action->leg);
		return;
	}
	if (sent < (ssize_t)action->length && action->buffer != NULL)
		pool_trim(action->buffer, (size_t)(action->bytes + action->length - action->buffer->bytes));
	tell(c, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = action->leg, .length = sent > 0 ? (size_t)sent : 0});
}

static void
dialled(void *context, int fd, const struct address *peer, enum error error, int system_error)
{
	struct connection *c = context;
	enum pipe_leg which = connection_accepted_leg(c->driver->settings) == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;

	c->dial = NULL;
	c->system_error = system_error;
	if (fd >= 0 && leg_open_socket(&c->legs[which], c->driver->loop, fd, &connection_legs, c) != 0) {
		socket_reset(fd);
		fd = -1;
		error = ERROR_MEMORY;
	}
	if (fd < 0) {
		tell(c, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = error});
		settle(c);
		return;
	}
	c->legs[which].which = which;
	c->open_handles++;
	if (which == PIPE_PLAIN)
		socket_tune_plain(fd, peer);
	tell_leg(c, PIPE_DIALLED, which);
	settle(c);
}

static void
do_dial(struct connection *c)
{
	struct address_list list;

	c->driver->targets(c->driver, &list);
	c->dial = dial_start(c->driver->loop, &list, &c->driver->dial, dialled, c);
	if (c->dial == NULL)
		tell(c, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_MEMORY});
}

static void
close_leg(struct connection *c, enum pipe_leg which, bool reset)
{
	c->awaiting[which] = false;
	if (c->legs[which].open)
		c->legs[which].kind->close(&c->legs[which], reset);
}

static void
finished(uv_handle_t *timer)
{
	struct connection *c = timer->data;

	c->driver->over(c);
}

static void
handle_closed(struct connection *c)
{
	if (--c->open_handles == 0)
		uv_close((uv_handle_t *)&c->timer, finished);
}

/* The last action: both legs are closed or closing, and the timer's handle goes after theirs. */
static void
do_over(struct connection *c)
{
	struct driver *driver = c->driver;

	if (c->dial != NULL)
		dial_cancel(c->dial);
	c->dial = NULL;
	dh_queue_remove(&driver->dh_queue, &c->dh);
	report_over(c);
	pool_wipe(&driver->pool);
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		driver->first = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	uv_timer_stop(&c->timer);
	handle_closed(c); /* its own count, taken at the start */
}

static void
do_action(struct connection *c, const struct pipe_action *action)
{
	switch (action->kind) {
	case PIPE_DIAL:
		do_dial(c);
		break;
	case PIPE_ADMIT:
		c->driver->admit(c);
		break;
	case PIPE_DH:
		dh_queue_add(&c->driver->dh_queue, &c->dh);
		break;
	case PIPE_OPENED:
		c->opened = true;
		report_opened(c);
		break;
	case PIPE_SEND:
		do_send(c, action);
		break;
	case PIPE_SHUTDOWN:
		if (c->legs[action->leg].kind->shutdown(&c->legs[action->leg]) != 0)
			tell_leg(c, PIPE_WRITE_FAILED, action->leg); /* its peer would wait for an end for ever */
		break;
	case PIPE_AWAIT_DELIVERY:
		c->awaiting[action->leg] = true;
		break;
	case PIPE_CLOSE:
	case PIPE_RESET:
		close_leg(c, action->leg, action->kind == PIPE_RESET);
		break;
	case PIPE_RELEASE:
		pool_put(&c->driver->pool, action->buffer);
		break;
	case PIPE_OVER:
		do_over(c);
		break;
	}
}

static void
check_delivery(struct connection *c)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		struct leg *leg = &c->legs[which];

		if (c->awaiting[which] && leg->kind->unsent(leg) == 0) {
			c->awaiting[which] = false;
			tell_leg(c, PIPE_DELIVERED, (enum pipe_leg)which);
		}
	}
}

/* A leg that is no longer watched, but may hold something to read: broken, or closed to our writes. */
static bool
read_unwatched(struct connection *c)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		const struct leg *leg = &c->legs[which];
		bool is_unwritable = c->pipe.legs[which].unwritable;

		if (leg->open && (leg->hung_up || is_unwritable) && now(c) >= c->retry_at &&
		    (pipe_wants(&c->pipe, (enum pipe_leg)which) & PIPE_WANT_READ) != 0) {
			read_leg(c, (enum pipe_leg)which);
			return true;
		}
	}
	return false;
}

/* A broken leg of which nothing can be read now has its time from now on, whatever else could be read before. */
static bool
tell_hang_up(struct connection *c)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		const struct leg *leg = &c->legs[which];

		if (leg->open && leg->hung_up && !c->told_hang_up[which] &&
		    (pipe_wants(&c->pipe, (enum pipe_leg)which) & PIPE_WANT_READ) == 0) {
			c->told_hang_up[which] = true;
			tell_leg(c, PIPE_HANGUP, (enum pipe_leg)which);
			return true;
		}
	}
	return false;
}

static void
on_timer(uv_timer_t *timer)
{
	struct connection *c = timer->data;

	c->timer_at = UINT64_MAX;
	check_delivery(c);
	if (now(c) >= pipe_deadline(&c->pipe))
		tell(c, (struct pipe_event){.kind = PIPE_TIME});
	settle(c);
}

/* at_once: there is more to read, and others have waited long enough. */
static void
set_timer(struct connection *c, bool at_once)
{
	uint64_t at = pipe_deadline(&c->pipe), soon = now(c) + DELIVERY_POLL_MS;

	if ((c->awaiting[PIPE_PLAIN] || c->awaiting[PIPE_CIPHER]) && at > soon)
		at = soon;
	if (c->retry_at > now(c) && at > c->retry_at)
		at = c->retry_at;
	if (at_once)
		at = now(c);
	if (at == c->timer_at)
		return;
	c->timer_at = at;
	if (at == UINT64_MAX)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer, at > now(c) ? at - now(c) : 0, 0);
}

static void
settle(struct connection *c)
{
	struct pipe_action action;
	int reads = 0;

	do {
		while (pipe_next(&c->pipe, &action)) {
			bool is_over = action.kind == PIPE_OVER;

			do_action(c, &action);
			if (is_over)
				return;
			check_delivery(c);
		}
	} while ((reads < READS_A_TURN && read_unwatched(c) && ++reads) || tell_hang_up(c));
	for (int which = 0; which < PIPE_LEGS; which++) {
		unsigned wants = pipe_wants(&c->pipe, (enum pipe_leg)which);

		if (now(c) < c->retry_at)
			wants &= ~(unsigned)PIPE_WANT_READ;
		if (c->legs[which].open)
			c->legs[which].kind->watch(&c->legs[which], wants);
	}
	set_timer(c, reads == READS_A_TURN);
}

static void
leg_ready(struct leg *leg, unsigned can)
{
	struct connection *c = leg->context;

	if ((can & PIPE_WANT_WRITE) != 0)
		tell_leg(c, PIPE_WRITABLE, leg->which);
	if ((can & PIPE_WANT_READ) != 0 && (pipe_wants(&c->pipe, leg->which) & PIPE_WANT_READ) != 0)
		read_leg(c, leg->which);
	settle(c);
}

static void
leg_hung_up(struct leg *leg)
{
	struct connection *c = leg->context;

	tell_leg(c, PIPE_WRITABLE, leg->which); /* a write that waits will fail now, and so be known */
	(void)tell_hang_up(c);
	settle(c);
}

static void
leg_closed(struct leg *leg)
{
	handle_closed(leg->context);
}

const struct leg_owner connection_legs = {.ready = leg_ready, .hung_up = leg_hung_up, .closed = leg_closed};

static void
dh_take(struct dh_client *client, struct dh_job *job)
{
	struct connection *c = (struct connection *)((char *)client - offsetof(struct connection, dh));

	pipe_dh_job(&c->pipe, job);
}

static void
dh_done(struct dh_client *client, const struct dh_job *job)
{
	struct connection *c = (struct connection *)((char *)client - offsetof(struct connection, dh));

	tell(c, (struct pipe_event){.kind = PIPE_DH_DONE, .job = job});
	settle(c);
}

void
connection_admitted(struct connection *c)
{
	tell(c, (struct pipe_event){.kind = PIPE_ADMITTED});
	settle(c);
}

void
connection_stop(struct connection *c, enum error error)
{
	tell(c, (struct pipe_event){.kind = PIPE_STOP, .error = error});
	settle(c);
}

bool
connection_start(struct connection *c, struct driver *driver, enum error *error)
{
	enum pipe_leg accepted = connection_accepted_leg(driver->settings);
	uint8_t random[SESSION_RANDOM];

	*error = random_bytes(random, sizeof(random));
	if (*error != OK)
		return false;
	if (uv_timer_init(driver->loop, &c->timer) != 0) {
		bytes_wipe(random, sizeof(random));
		*error = ERROR_MEMORY;
		return false;
	}
	c->timer.data = c;
	c->timer_at = UINT64_MAX;
	c->driver = driver;
	c->legs[accepted].which = accepted;
	c->dh.take = dh_take;
	c->dh.done = dh_done;
	c->open_handles = 2; /* the accepted leg, and the connection itself until it is over */
	c->started = now(c);
	c->next = driver->first;
	if (driver->first != NULL)
		driver->first->previous = c;
	driver->first = c;
	pipe_start(&c->pipe, driver->settings, driver->keyring, driver->engine, random, now(c));
	bytes_wipe(random, sizeof(random));
	settle(c);
	return true;
}
