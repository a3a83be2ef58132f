/* main.c: spipe: one connection between standard input and output and a target. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "crypto/group14.h"
#include "daemon/key_set.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "daemon/process.h"
#include "daemon/sandbox.h"
#include "net/client.h"
#include "spipe/options.h"

static bool
look_up(const char *text, bool is_bind, struct endpoint *endpoint, struct address_list *list)
{
	char problem[ADDRESS_PROBLEM];
	bool temporary;

	if (endpoint_parse(endpoint, text, is_bind, problem) && resolve_now(endpoint, list, problem, &temporary))
		return true;
	return message_error("%s", problem);
}

/* Every cause at once, and nothing that could be read once only. Warnings about keys are here: a start says nothing. */
static int
check(const struct options *options)
{
	static struct address_list list;
	struct endpoint endpoint;
	bool target = look_up(options->target, false, &endpoint, &list);
	bool bind = options->bind == NULL || look_up(options->bind, true, &endpoint, &list);

	if (!key_set_check(options->keys.texts, options->keys.count, KEYS_OF_SPIPE))
		return 1;
	if (!target || !bind)
		return 1;
	return puts("spipe: everything is there to start") < 0 || fflush(stdout) != 0 ? 1 : 0;
}

/* Why the connection did not come to be. Scripts know these three by heart. */
static const char *
explain_failed_start(enum error reason)
{
	if (reason == ERROR_CONNECT || reason == ERROR_CONNECT_TIMEOUT || reason == ERROR_LOOKUP)
		return "Could not connect";
	if (reason == ERROR_HANDSHAKE_TIMEOUT)
		return "Connection error";
	/* What a peer does whose key is another is a reset. */
	if (reason == ERROR_WRONG_KEY || reason == ERROR_BAD_Y || reason == ERROR_NO_FORWARD_SECRECY ||
	    reason == ERROR_CUT || reason == ERROR_CIPHER_RESET)
		return "Handshake failed";
	return error_text(reason);
}

/* Returns the exit status. */
static int
report(const struct client_result *result)
{
	if (result->reason == OK)
		return 0;
	if (result->output_is_closed)
		message_error("Cannot write to standard output: %s",
		    strerror(result->system_error != 0 ? result->system_error : EPIPE));
	else if (!result->opened)
		message_error("%s", explain_failed_start(result->reason));
	else
		message_error("Connection error: %s", error_text(result->reason));
	if (result->hint != NULL)
		message_error("%s", result->hint);
	return 1;
}

static struct client_result
connect_through(const struct options *options, const struct address_list *target, const struct address_list *bind,
    struct keyring *keyring, const struct log_sink *log)
{
	const struct client_config config = {.pipe = {.kind = PIPE_ENCRYPT,
						 .forward_secrecy = options->forward_secrecy,
						 .timeout = options->timeout,
						 .end_at_far_end = options->exit_on_eof},
	    .keyring = keyring,
	    .target_addresses = target,
	    .bind = bind->addresses,
	    .bind_count = bind->count,
	    .keepalive = options->keepalive,
	    .backend = engine_choose(options->crypto),
	    .input = strcmp(options->keys.texts[0], "-") == 0 ? -1 : STDIN_FILENO, /* the key has used it up */
	    .output = STDOUT_FILENO,
	    .log = log};

	return client_run(&config);
}

static int
run(const struct options *options)
{
	static struct address_list target, bind;
	static struct endpoint to, from; /* as they were written */
	static struct key_set keys;
	struct log *log;
	struct client_result result;
	struct sandbox_needs needs;
	struct line line;
	int status;

	if (!look_up(options->target, false, &to, &target))
		return 1;
	if (options->bind != NULL && !look_up(options->bind, true, &from, &bind))
		return 1;
	if (!key_set_open(&keys, options->keys.texts, options->keys.count, KEYS_OF_SPIPE))
		return 1;
	key_set_keep(&keys);
	log = log_new("spipe", STDERR_FILENO, options->log_level);
	if (log == NULL || group14_start() != OK) {
		message_error("%s", strerror(ENOMEM));
		status = 1;
		goto out;
	}
	needs = (struct sandbox_needs){.target_port = resolve_port(&to), .bind_port = resolve_port(&from)};
	sandbox_enter(options->no_sandbox ? NULL : &needs, &line); /* nothing is looked up again, nor a key read */
	log_sink(log)->write(log_sink(log)->context, LOG_LEVEL_INFO, false, line.text);
	(void)log_start_thread(log);
	result = connect_through(options, &target, &bind, keys.ring, log_sink(log));
	status = report(&result);
out:
	log_stop(log);
	group14_stop();
	key_set_forget(&keys);
	return status;
}

int
main(int argc, char *argv[])
{
	struct options options;
	int status;

	process_keep_standard_descriptors();
	message_start("spipe", stderr);
	status = options_parse(&options, argc, argv, stdout);
	if (status != OPTIONS_GO_ON)
		return status;
	if (options.check)
		return check(&options);
	process_forbid_dumps();
	(void)signal(SIGPIPE, SIG_IGN); /* standard output that nobody reads is an error of write(2), with a message */
	return run(&options);
}
