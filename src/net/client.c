/* client.c: see client.h: one connection on one loop, with the daemon's driver and no acceptor. */
#include "net/client.h"

#include <stdio.h>

#include "net/connection.h"
#include "net/report.h"
#include "net/stdio_leg.h"

enum { JOBS = 1 };

struct client {
	const struct client_config *config;
	uv_loop_t loop;
	struct poller poller;
	struct driver driver;
	struct mailbox mailbox;
	struct mail stop;
	struct connection connection;
	struct stdio_leg *stdio;
	bool is_over;
};

static void
targets(struct driver *driver, struct address_list *list)
{
	const struct client *client = driver->context;

	*list = *client->config->target_addresses;
}

static struct keyring *
keyring(struct driver *driver)
{
	const struct client *client = driver->context;

	counted_take(&client->config->keyring->counted);
	return client->config->keyring;
}

static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	struct client *client = mailbox->context;

	if (kind == MAIL_JOB) {
		job_came_back(about);
		return;
	}
	mailbox_stop(mailbox);
	driver_stop(&client->driver);
}

static void
over(struct connection *connection)
{
	struct client *client = connection->driver->context;

	client->is_over = true;
	job_pool_stop(); /* what came of a job that nobody waits for lies in the box now */
	mailbox_post(&client->mailbox, &client->stop, MAIL_STOP);
}

/* The library could not start: a client has nothing to go on with. */
static struct client_result
failed(enum error reason)
{
	return (struct client_result){.reason = reason};
}

static bool
start(struct client *client, enum error *error)
{
	struct connection *c = &client->connection;

	*error = ERROR_MEMORY;
	if (poller_start(&client->poller, &client->loop) != 0 ||
	    mailbox_start(&client->mailbox, &client->loop, receive, client) != 0 || job_pool_start(JOBS) != 0 ||
	    driver_start(&client->driver) != 0)
		return false;
	snprintf(c->peer, PEER_TEXT, "stdin");
	if (stdio_leg_open(&client->stdio, &client->loop, client->config->input, client->config->output,
		&connection_legs, c, &c->legs[PIPE_PLAIN]) != 0)
		return false;
	return connection_start(c, &client->driver, error);
}

struct client_result
client_run(const struct client_config *config)
{
	static struct client client; /* once, and threads that are stuck may outlive this call */
	struct client_result result = {0};
	enum error error;

	client.config = config;
	if (uv_loop_init(&client.loop) != 0)
		return failed(ERROR_MEMORY);
	client.driver = (struct driver){
	    .loop = &client.loop,
	    .settings = &config->pipe,
	    .keyring = keyring,
	    .log = config->log,
	    .target = "target",
	    .dial = {.timeout = config->pipe.timeout,
		.bind = config->bind,
		.bind_count = config->bind_count,
		.keepalive = config->keepalive},
	    .backend = config->backend,
	    .mailbox = &client.mailbox,
	    .context = &client,
	    .targets = targets,
	    .over = over,
	};
	if (!start(&client, &error))
		return failed(error);
	while (poller_turn(&client.poller))
		;
	poller_stop(&client.poller);
	mailbox_free(&client.mailbox);
	uv_loop_close(&client.loop);
	result.reason = pipe_reason(&client.connection.pipe);
	result.system_error = client.connection.system_error;
	result.opened = client.connection.opened;
	result.hint = report_hint(&client.connection);
	result.output_is_closed =
	    result.reason == ERROR_PLAIN_RESET && client.connection.pipe.legs[PIPE_PLAIN].unwritable;
	stdio_leg_free(client.stdio);
	return result;
}
