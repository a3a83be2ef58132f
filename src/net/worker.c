/* worker.c: see worker.h. */
#include "net/worker.h"

#include <fcntl.h>
#include <stdlib.h>

#include "net/gate.h"
#include "net/report.h"
#include "net/socket.h"

enum { WATCHERS_AT_MOST = 1 << 17 };

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
	accepted->is_refused = true;
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
		if (gate_heard(accepted) && !accepted->is_refused)
			connection_admitted(&accepted->connection);
		break;
	case MAIL_EVICTED:
		if (gate_heard(accepted) && !accepted->is_refused)
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

	uv_run(&worker->loop, UV_RUN_DEFAULT);
	uv_loop_close(&worker->loop);
}

static void
undo_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	uv_loop_close(loop);
}

static void
unwatched(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
}

/*
 * libuv aborts where it cannot grow its table of watchers. So it grows here, once it is known that it can: by a watcher
 * for the highest descriptor that our own limits allow, up to a megabyte of table.
 */
static int
grow_watchers(uv_loop_t *loop, uint64_t descriptors)
{
	int fd = socket_new(AF_UNIX), highest, status = UV_ENOMEM;
	uv_poll_t poll;
	void *probe;

	if (fd < 0)
		return fd;
	highest =
	    fcntl(fd, F_DUPFD_CLOEXEC, (int)(descriptors < WATCHERS_AT_MOST ? descriptors : WATCHERS_AT_MOST) - 1);
	socket_close(fd);
	if (highest < 0)
		return UV_EMFILE;
	probe = calloc((size_t)highest, 4 * sizeof(void *)); /* it rounds up to a power of two, and copies */
	if (probe != NULL)
		status = uv_poll_init(loop, &poll, highest);
	free(probe);
	if (status == 0) {
		uv_poll_start(&poll, UV_READABLE, unwatched);
		uv_close((uv_handle_t *)&poll, NULL);
		uv_run(loop, UV_RUN_DEFAULT);
	}
	socket_close(highest);
	return status;
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
	status = grow_watchers(&worker->loop, server_descriptors(config));
	if (status == 0)
		status = mailbox_start(&worker->mailbox, &worker->loop, receive, worker);
	if (status != 0) {
		undo_loop(&worker->loop);
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
		undo_loop(&worker->loop);
		mailbox_free(&worker->mailbox);
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
