/* main.c: spiped, step by step. Scripts rely on the order: whoever sees the parent exit 0 can connect. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/line.h"
#include "crypto/group14.h"
#include "daemon/daemonize.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/pidfile.h"
#include "daemon/privileges.h"
#include "daemon/process.h"
#include "daemon/sandbox.h"
#include "spiped/check.h"
#include "spiped/setup.h"

struct launch {
	struct options options;
	struct endpoint source, target, bind;
	struct address_list source_list, target_list, bind_list;
	struct identity user, source_owner;
	struct key_set keys;
	struct listeners listeners;
	struct server_config server;
	struct daemonize parent;
	struct log *log;
	bool look_up_is_left;
	struct line sandbox; /* what is in force */
};

static bool
parse_addresses(struct launch *launch)
{
	const struct options *options = &launch->options;

	return setup_parse(&launch->source, options->source, false) &&
	       setup_parse(&launch->target, options->target, false) &&
	       (options->bind == NULL || setup_parse(&launch->bind, options->bind, true));
}

/* All that -D waits for, when it is its turn. */
static bool
look_up(struct launch *launch, bool wait)
{
	if (!setup_look_up(&launch->source, &launch->source_list, wait))
		return false;
	if (launch->options.bind != NULL && !setup_look_up(&launch->bind, &launch->bind_list, wait))
		return false;
	/* A server without an address of its target yet asks for it itself. */
	return (wait && launch->target.kind == ENDPOINT_NAME) ||
	       setup_look_up(&launch->target, &launch->target_list, false);
}

static bool
open_listeners(struct launch *launch)
{
	char problem[ADDRESS_PROBLEM];
	const struct address_list *source = &launch->source_list;
	const struct listen_options options = {.mode = launch->options.source_mode,
	    .owner = launch->source_owner.uid,
	    .group = launch->source_owner.has_group ? launch->source_owner.gid : (gid_t)-1,
	    .keepalive = launch->options.keepalive,
	    .plain = launch->options.kind == PIPE_ENCRYPT,
	    .every = setup_listens_on_every(&launch->options, source)};

	if (listen_open(&launch->listeners, launch->options.source, source, &options, problem, message_warning_line))
		return true;
	return message_error("%s", problem);
}

static bool
look_up_identities(struct launch *launch)
{
	const struct options *options = &launch->options;

	launch->source_owner = (struct identity){.uid = (uid_t)-1, .gid = (gid_t)-1};
	if (options->source_owner != NULL && !identity_parse(&launch->source_owner, options->source_owner))
		return false;
	return options->user == NULL || identity_parse(&launch->user, options->user);
}

/* Everything for which whoever starts us waits. */
static bool
prepare(struct launch *launch)
{
	if (!parse_addresses(launch))
		return false;
	if (!launch->options.wait_for_dns && !look_up(launch, false))
		return false;
	if (!key_set_open(&launch->keys, launch->options.keys.texts, launch->options.keys.count,
		setup_key_user(&launch->options)))
		return false;
	if (!look_up_identities(launch))
		return false;
	launch->log =
	    log_new("spiped", launch->options.syslog ? LOG_TO_SYSLOG : STDERR_FILENO, launch->options.log_level);
	if (launch->log == NULL || group14_start() != OK)
		return message_error("%s", strerror(ENOMEM));
	return launch->options.wait_for_dns || open_listeners(launch);
}

/* The parent may go; with --syslog nobody reads our standard error any more. */
static void
let_parent_go(struct launch *launch)
{
	if (launch->options.syslog) {
		message_to_syslog();
		daemonize_close_standard_error();
	}
	daemonize_ready(&launch->parent);
}

static void
server_is_ready(void *context)
{
	struct launch *launch = context;
	const struct log_sink *sink = log_sink(launch->log);
	const struct keyring *keyring = launch->server.keyring; /* that of the set may be another one already */
	const char *problem = NULL;
	struct line line;

	let_parent_go(launch);
	if (!log_wants(sink, LOG_LEVEL_INFO))
		return;
	sink->write(sink->context, LOG_LEVEL_INFO, false, launch->sandbox.text);
	line_start(&line, "start");
	line_text(&line, "version", SPIPED_VERSION);
	line_text(&line, "crypto", engine_words[launch->server.backend]);
	if (launch->options.crypto == ENGINE_BEST && launch->server.backend != ENGINE_IPSEC_MB)
		problem = engine_problem(ENGINE_IPSEC_MB);
	if (problem != NULL) /* it may have been short of memory, and not be so any more */
		line_text(&line, "no_ipsec_mb", problem);
	line_text(&line, "source", launch->options.source);
	line_text(&line, "target", launch->options.target);
	if (keyring->count == 1)
		line_text(&line, "key", keyring->keys[0].name->text);
	else
		line_number(&line, "keys", keyring->count);
	line_number(&line, "max_connections", launch->server.max_connections);
	line_number(&line, "workers", launch->server.workers);
	sink->write(sink->context, LOG_LEVEL_INFO, false, line.text);
}

static bool
become_small(struct launch *launch)
{
	const struct sandbox_needs needs = {.target_port = resolve_port(&launch->target),
	    .bind_port = resolve_port(&launch->bind),
	    .looks_up = launch->target.kind == ENDPOINT_NAME &&
			(launch->target_list.count == 0 || launch->options.resolve_interval != 0),
	    .keys = &launch->keys};

	if (launch->options.user != NULL && !privileges_drop(&launch->user))
		return false;
	process_forbid_dumps(); /* again: the kernel allows them to whoever changes its user */
	sandbox_enter(launch->options.no_sandbox ? NULL : &needs, &launch->sandbox);
	key_set_warn(&launch->keys, launch->options.user != NULL ? "the user of -u" : "without its privileges spiped");
	return true;
}

static struct keyring *
read_keys_again(void *context, bool files_too)
{
	return key_set_read_again(context, files_too);
}

static bool
keys_are_old(void *context)
{
	return key_set_is_old(context);
}

_Static_assert((int)WATCH_MAX == KEY_SOURCES_MAX * (1 + KEY_STEPS_MAX), "there is room for all ways");

/* A folder changes inside; and all at once when it is replaced, or one further up, or a link that leads to it. */
static size_t
find_watched(void *context, struct watched what[WATCH_MAX])
{
	struct key_set *keys = context;
	size_t count = 0;

	key_set_find_ways(keys);
	for (size_t i = 0; i < keys->count; i++) {
		const struct key_source *source = &keys->sources[i];

		if (!source->is_folder)
			continue;
		what[count++] = (struct watched){source->path, NULL, true}; /* it is seen when it opens */
		for (size_t j = 0; j < source->step_count; j++)
			what[count++] = (struct watched){source->way[j].folder, source->way[j].name,
			    !source->way[j].is_link && j + 1 < source->step_count};
	}
	return count;
}

static int
run_server(struct launch *launch)
{
	struct server_config *server = &launch->server;
	char problem[ADDRESS_PROBLEM] = "";
	int status;

	server->keyring = launch->keys.ring;
	server->read_keys = read_keys_again;
	server->keys_are_old = keys_are_old;
	server->find_watched = find_watched;
	server->keys_context = &launch->keys;
	server->listeners = &launch->listeners;
	server->target = &launch->target;
	server->target_addresses = launch->target_list.count > 0 ? &launch->target_list : NULL;
	server->bind = launch->bind_list.addresses;
	server->bind_count = launch->bind_list.count;
	server->log = log_sink(launch->log);
	server->ready = server_is_ready;
	server->ready_context = launch;
	if (!setup_fit(server) || !become_small(launch))
		return 1;
	if (!log_start_thread(launch->log)) { /* without it whoever reads the log could stop every connection */
		message_error("Cannot start: %s", strerror(EAGAIN));
		return 1;
	}
	status = server_run(server, problem, &launch->look_up_is_left);
	if (problem[0] != '\0')
		message_error("%s", problem);
	return status;
}

static void
end_at_once(int signal_number)
{
	(void)signal_number;
	_exit(0);
}

/* In the process that will serve. */
static int
serve(struct launch *launch)
{
	struct keyring *ring;

	key_set_keep(&launch->keys);
	launch->keys.log = log_sink(launch->log);
	if (!launch->options.wait_for_dns)
		return run_server(launch);
	let_parent_go(launch);
	if (!look_up(launch, true) || !open_listeners(launch))
		return 1;
	/* That may have taken days, and no SIGHUP was heard. */
	ring = key_set_read_again(&launch->keys, true);
	if (ring != NULL)
		counted_drop(&ring->counted);
	return run_server(launch);
}

static int
start(struct launch *launch)
{
	if (!prepare(launch))
		return 1;
	if (launch->options.foreground)
		return serve(launch);
	switch (daemonize_fork(&launch->parent)) {
	case DAEMONIZE_FAILED:
		return 1;
	case DAEMONIZE_PARENT:
		/* Told to end, it ends as ever; its child is on its own. */
		(void)signal(SIGTERM, SIG_DFL);
		(void)signal(SIGINT, SIG_DFL);
		key_set_forget(&launch->keys);
		return daemonize_wait(&launch->parent);
	case DAEMONIZE_CHILD:
		break;
	}
	return pidfile_write(launch->options.pidfile, getpid()) ? serve(launch) : 1;
}

int
main(int argc, char *argv[])
{
	static struct launch launch;
	int status;

	process_keep_standard_descriptors();
	message_start("spiped", stderr);
	launch.parent.pipe = -1;
	status = options_parse(&launch.options, argc, argv, stdout);
	if (status != OPTIONS_GO_ON)
		return status;
	if (launch.options.check)
		return check_run(&launch.options);
	process_forbid_dumps();
	launch.server = setup_server(&launch.options);
	/* Until the server has its own: nothing has to be drained yet, and a process 1 ends on nothing by itself. */
	(void)signal(SIGTERM, end_at_once);
	(void)signal(SIGINT, end_at_once);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	status = start(&launch);
	log_stop(launch.log);
	key_set_forget(&launch.keys);
	group14_stop();
	if (launch.look_up_is_left)
		_exit(status);
	return status;
}
