/* connection.c: see connection.h. Every way in ends with connection_settle(): what the pipe says is done. */
#include "net/connection_parts.h"

#include <errno.h>

#include "base/bytes.h"
#include "crypto/random.h"

enum { DELIVERY_POLL_MS = 20, MEMORY_RETRY_MS = 100, READS_A_TURN = 16 };

uint64_t
connection_now(const struct connection *c)
{
	return uv_now(c->driver->loop);
}

void
connection_tell(struct connection *c, struct pipe_event event)
{
	pipe_event(&c->pipe, &event, connection_now(c));
}

void
connection_tell_leg(struct connection *c, enum pipe_event_kind kind, enum pipe_leg leg)
{
	connection_tell(c, (struct pipe_event){.kind = kind, .leg = leg});
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
			c->retry_at = connection_now(c) + MEMORY_RETRY_MS;
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
	connection_tell(c, event);
}

static void
check_delivery(struct connection *c)
{
	for (int which = 0; which < PIPE_LEGS; which++) {
		struct leg *leg = &c->legs[which];

		if (c->awaiting[which] && leg->kind->unsent(leg) == 0) {
			c->awaiting[which] = false;
			connection_tell_leg(c, PIPE_DELIVERED, (enum pipe_leg)which);
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

		if (leg->open && (leg->hung_up || is_unwritable) && connection_now(c) >= c->retry_at &&
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
			connection_tell_leg(c, PIPE_HANGUP, (enum pipe_leg)which);
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
	if (connection_now(c) >= pipe_deadline(&c->pipe))
		connection_tell(c, (struct pipe_event){.kind = PIPE_TIME});
	connection_settle(c);
}

/* at_once: there is more to read, and others have waited long enough. */
static void
set_timer(struct connection *c, bool at_once)
{
	uint64_t at = pipe_deadline(&c->pipe), soon = connection_now(c) + DELIVERY_POLL_MS;

	if ((c->awaiting[PIPE_PLAIN] || c->awaiting[PIPE_CIPHER]) && at > soon)
		at = soon;
	if (c->retry_at > connection_now(c) && at > c->retry_at)
		at = c->retry_at;
	if (at_once)
		at = connection_now(c);
	if (at == c->timer_at)
		return;
	c->timer_at = at;
	if (at == UINT64_MAX)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_timer, at > connection_now(c) ? at - connection_now(c) : 0, 0);
}

void
connection_settle(struct connection *c)
{
	struct pipe_action action;
	int reads = 0;

	do {
		while (pipe_next(&c->pipe, &action)) {
			bool is_over = action.kind == PIPE_OVER;

			connection_do(c, &action);
			if (is_over)
				return;
			check_delivery(c);
		}
	} while ((reads < READS_A_TURN && read_unwatched(c) && ++reads) || tell_hang_up(c));
	for (int which = 0; which < PIPE_LEGS; which++) {
		unsigned wants = pipe_wants(&c->pipe, (enum pipe_leg)which);

		if (connection_now(c) < c->retry_at)
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
		connection_tell_leg(c, PIPE_WRITABLE, leg->which);
	if ((can & PIPE_WANT_READ) != 0 && (pipe_wants(&c->pipe, leg->which) & PIPE_WANT_READ) != 0)
		read_leg(c, leg->which);
	connection_settle(c);
}

static void
leg_hung_up(struct leg *leg)
{
	struct connection *c = leg->context;

	connection_tell_leg(c, PIPE_WRITABLE, leg->which); /* a write that waits will fail now, and so be known */
	(void)tell_hang_up(c);
	connection_settle(c);
}

static void
leg_closed(struct leg *leg)
{
	connection_handle_closed(leg->context);
}

const struct leg_owner connection_legs = {.ready = leg_ready, .hung_up = leg_hung_up, .closed = leg_closed};

void
connection_job_done(void *context, const struct job *job)
{
	struct connection *c = context;

	c->job = NULL;
	connection_tell(c, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = job});
	connection_settle(c);
}

void
connection_admitted(struct connection *c)
{
	connection_tell(c, (struct pipe_event){.kind = PIPE_ADMITTED});
	connection_settle(c);
}

void
connection_stop(struct connection *c, enum error error)
{
	connection_tell(c, (struct pipe_event){.kind = PIPE_STOP, .error = error});
	connection_settle(c);
}

void
connection_check_key(struct connection *c)
{
	connection_look_at_key(c);
	connection_settle(c);
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
	c->open_handles = 2; /* the accepted leg, and the connection itself until it is over */
	c->started = connection_now(c);
	c->next = driver->first;
	if (driver->first != NULL)
		driver->first->previous = c;
	driver->first = c;
	c->keyring = driver->keyring(driver);
	pipe_start(&c->pipe, driver->settings, c->keyring, driver->engine, random, connection_now(c));
	bytes_wipe(random, sizeof(random));
	connection_settle(c);
	return true;
}
