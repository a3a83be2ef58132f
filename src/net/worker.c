/* worker.c: see worker.h. */
#include "net/worker.h"

#include <stdlib.h>

#include "net/gate.h"
#include "net/report.h"
#include "net/socket.h"

static void
connection_over(struct connection *connection)
{
	gate_gone((struct accepted *)connection);
}

static void
leg_gone(struct leg *leg)
{
	gate_gone(leg->context);
}

/* Of a leg that never became part of a connection. */
static const struct leg_owner lone_leg = {.closed = leg_gone};

static void
arrived(struct worker *worker, struct accepted *accepted)
{
	struct connection *c = &accepted->connection;
	struct leg *leg = &c->legs[connection_accepted_leg(worker->driver.settings)];
	enum error error = ERROR_MEMORY;

	leg->which = connection_accepted_leg(worker->driver.settings);
	if (leg_open_socket(leg, &worker->loop, accepted->fd, &connection_legs, c) != 0) {
		report_refused(worker->driver.log, c->peer, error);
		socket_reset(accepted->fd);
		gate_gone(accepted);
		return;
	}
	accepted->fd = -1;
	if (connection_start(c, &worker->driver, &error))
		return;
	report_refused(worker->driver.log, c->peer, error);
	leg->owner = &lone_leg;
	leg->context = accepted;
	leg->kind->close(leg, true);
}

/* Ends all (ERROR_KILLED), or those whose key has been revoked. */
static void
for_each_connection(struct worker *worker, enum mail_kind kind)
{
	struct connection *next;

	for (struct connection *c = worker->driver.first; c != NULL; c = next) {
		next = c->next;
		if (kind == MAIL_KILL)
			connection_stop(c, ERROR_KILLED);
		else
			connection_check_key(c);
	}
}

static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	struct worker *worker = mailbox->context;
	struct accepted *accepted = about;

	switch (kind) {
	case MAIL_ARRIVED:
		arrived(worker, accepted);
		break;
	case MAIL_ADMITTED:
		if (gate_heard(accepted))
			connection_admitted(&accepted->connection);
		break;
	case MAIL_EVICTED:
		if (gate_heard(accepted))
			connection_stop(&accepted->connection, ERROR_EVICTED);
		break;
	case MAIL_REVOKED:
		atomic_store(&worker->is_revoked_out, false); /* first: what is revoked from now on needs another */
		for_each_connection(worker, kind);
		break;
	case MAIL_KILL:
		for_each_connection(worker, kind);
		break;
	case MAIL_JOB:
		job_came_back(about);
		break;
	case MAIL_STOP:
		mailbox_stop(&worker->mailbox);
		driver_stop(&worker->driver);
		break;
	case MAIL_ROOM:
		break; /* the acceptor's */
	}
}

static bool
admit(struct connection *connection)
{
	return gate_proved((struct accepted *)connection);
}

/* Ends when MAIL_STOP has closed every handle. */
static void
run(void *argument)
{
	struct worker *worker = argument;

	while (poller_turn(&worker->poller))
		;
	poller_stop(&worker->poller);
	uv_loop_close(&worker->loop);
}

static void
undo_loop(struct worker *worker)
{
	poller_stop(&worker->poller);
	uv_loop_close(&worker->loop);
}

int
worker_start(struct worker *worker, const struct server_config *config, const struct pipe_settings *settings,
    struct gate *gate, void (*targets)(struct driver *, struct address_list *),
    struct keyring *(*keyring)(struct driver *), void *context)
{
	int status = uv_loop_init(&worker->loop);

	if (status != 0)
		return status;
	worker->gate = gate;
	worker->driver = (struct driver){
	    .loop = &worker->loop,
	    .settings = settings,
	    .log = config->log,
	    .target = config->target->text,
	    .dial = {.timeout = settings->timeout,
		.bind = config->bind,
		.bind_count = config->bind_count,
		.keepalive = config->keepalive},
	    .backend = config->backend,
	    .mailbox = &worker->mailbox,
	    .close_revoked = config->close_revoked,
	    .context = context,
	    .targets = targets,
	    .keyring = keyring,
	    .admit = admit,
	    .over = connection_over,
	};
	status = poller_start(&worker->poller, &worker->loop);
	if (status != 0) {
		uv_loop_close(&worker->loop);
		return status;
	}
	status = mailbox_start(&worker->mailbox, &worker->loop, receive, worker);
	if (status != 0) {
		undo_loop(worker);
		return status;
	}
	status = driver_start(&worker->driver);
	if (status == 0) {
		status = uv_thread_create(&worker->thread, run, worker);
		if (status != 0)
			driver_stop(&worker->driver);
	}
	if (status != 0) {
		mailbox_stop(&worker->mailbox);
		mailbox_free(&worker->mailbox);
		undo_loop(worker);
		return status;
	}
	worker->is_running = true;
	return 0;
}

void
worker_stop(struct worker *worker)
{
	if (!worker->is_running)
		return;
	mailbox_post(&worker->mailbox, &worker->stop, MAIL_STOP);
	uv_thread_join(&worker->thread);
	mailbox_free(&worker->mailbox);
	worker->is_running = false;
}

void
worker_check_keys(struct worker *worker)
{
	if (!atomic_exchange(&worker->is_revoked_out, true))
		mailbox_post(&worker->mailbox, &worker->revoked, MAIL_REVOKED);
}
