/* connection_do.c: does what a pipe says, one action at a time, and tells it what came of that. */
#include "net/connection_parts.h"

#include <errno.h>

#include "net/report.h"
#include "net/socket.h"

static void
do_send(struct connection *c, const struct pipe_action *action)
{
	struct leg *leg = &c->legs[action->leg];
	ssize_t sent = leg->kind->write(leg, action->bytes, action->length);

	if (sent < 0 && sent != -EAGAIN) {
		c->system_error = (int)-sent;
		connection_tell_leg(c, PIPE_WRITE_FAILED, action->leg);
		return;
	}
	if (sent < (ssize_t)action->length && action->buffer != NULL)
		pool_trim(action->buffer, (size_t)(action->bytes + action->length - action->buffer->bytes));
	connection_tell(
	    c, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = action->leg, .length = sent > 0 ? (size_t)sent : 0});
}

static void
dialled(void *context, int fd, const struct address *peer, enum error error, int system_error)
{
	struct connection *c = context;
	enum pipe_leg which = connection_accepted_leg(c->driver->settings) == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;

	c->dial = NULL;
	c->system_error = system_error;
	c->legs[which].which = which;
	if (fd >= 0 && leg_open_socket(&c->legs[which], c->driver->loop, fd, &connection_legs, c) != 0) {
		socket_reset(fd);
		fd = -1;
		error = ERROR_MEMORY;
	}
	if (fd < 0) {
		connection_tell(c, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = error});
		connection_settle(c);
		return;
	}
	c->open_handles++;
	if (which == PIPE_PLAIN)
		socket_tune_plain(fd, peer);
	connection_tell_leg(c, PIPE_DIALLED, which);
	connection_settle(c);
}

static void
do_dial(struct connection *c)
{
	struct address_list list;

	c->driver->targets(c->driver, &list);
	c->dial = dial_start(c->driver->loop, &list, &c->driver->dial, dialled, c);
	if (c->dial == NULL)
		connection_tell(c, (struct pipe_event){.kind = PIPE_DIAL_FAILED, .error = ERROR_MEMORY});
}

static void
do_job(struct connection *c)
{
	c->job = job_new(c->driver->mailbox, connection_job_done, c);
	if (c->job == NULL) {
		connection_tell(c, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_MEMORY});
		return;
	}
	pipe_job(&c->pipe, &c->job->job);
	job_start(c->job);
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

void
connection_handle_closed(struct connection *c)
{
	if (--c->open_handles == 0)
		uv_close((uv_handle_t *)&c->timer, finished);
}

void
connection_look_at_key(struct connection *c)
{
	if (!c->opened || !atomic_load(&c->name->is_revoked) || c->told_revoked)
		return;
	c->told_revoked = true;
	if (c->driver->close_revoked)
		connection_tell(c, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_REVOKED});
	else
		report_revoked(c);
}

/* Its keys are made: of the one that both ends have only the name is needed now. */
static void
do_opened(struct connection *c)
{
	struct key_name *name = pipe_key(&c->pipe);

	counted_take(&name->counted);
	counted_drop(&c->keyring->counted);
	c->name = name;
	c->opened = true;
	report_opened(c);
	connection_look_at_key(c); /* it may have been in force when the handshake began */
}

/* The last action: both legs are closed or closing, and the timer's handle goes after theirs. */
static void
do_over(struct connection *c)
{
	struct driver *driver = c->driver;

	if (c->dial != NULL)
		dial_cancel(c->dial);
	c->dial = NULL;
	if (c->job != NULL)
		job_forget(c->job);
	c->job = NULL;
	report_over(c);
	counted_drop(c->opened ? &c->name->counted : &c->keyring->counted);
	pool_wipe(&driver->pool);
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		driver->first = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	uv_timer_stop(&c->timer);
	connection_handle_closed(c); /* its own count, taken at the start */
}

void
connection_do(struct connection *c, const struct pipe_action *action)
{
	switch (action->kind) {
	case PIPE_DIAL:
		do_dial(c);
		break;
	case PIPE_ADMIT:
		if (c->driver->admit(c))
			connection_tell(c, (struct pipe_event){.kind = PIPE_ADMITTED});
		break;
	case PIPE_JOB:
		do_job(c);
		break;
	case PIPE_OPENED:
		do_opened(c);
		break;
	case PIPE_SEND:
		do_send(c, action);
		break;
	case PIPE_SHUTDOWN:
		if (c->legs[action->leg].kind->shutdown(&c->legs[action->leg]) != 0)
			connection_tell_leg(
			    c, PIPE_WRITE_FAILED, action->leg); /* its peer would wait for an end for ever */
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
