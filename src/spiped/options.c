/* options.c: the table of spiped's options, and what each sets. */
#include "spiped/options.h"

#include <errno.h>
#include <string.h>

#include "daemon/arguments.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "net/server.h"

enum { DEFAULT_TIMEOUT = 5000, DEFAULT_RESOLVE = 60000, DEFAULT_CONNECTIONS = 100 };
static const uint64_t most_handshakes = 1000000;

enum {
	OPTION_ENCRYPT,
	OPTION_DECRYPT,
	OPTION_SOURCE,
	OPTION_TARGET,
	OPTION_KEY,
	OPTION_WAIT_FOR_DNS,
	OPTION_FOREGROUND,
	OPTION_NO_KEEPALIVE,
	OPTION_BIND,
	OPTION_FAST,
	OPTION_REQUIRE_FORWARD_SECRECY,
	OPTION_MAX_CONNECTIONS,
	OPTION_TIMEOUT,
	OPTION_PIDFILE,
	OPTION_RESOLVE_EVERY,
	OPTION_NO_RESOLVE,
	OPTION_SYSLOG,
	OPTION_USER,
	OPTION_WORKERS,
	OPTION_MAX_HANDSHAKES,
	OPTION_SOURCE_MODE,
	OPTION_SOURCE_OWNER,
	OPTION_LOG_LEVEL,
	OPTION_CRYPTO,
	OPTION_NO_SANDBOX,
	OPTION_CLOSE_REVOKED,
	OPTION_CHECK,
	OPTION_COUNT
};

static const struct argument table[OPTION_COUNT] = {
    [OPTION_ENCRYPT] = {'e', "encrypt", NULL, "take plain connections, send them encrypted to TARGET", "d"},
    [OPTION_DECRYPT] = {'d', "decrypt", NULL, "take encrypted connections, send them plain to TARGET", "e"},
    [OPTION_SOURCE] = {'s', "source", "SOURCE", "listen here: /path, host:port, [v4]:port, [v6]:port", NULL},
    [OPTION_TARGET] = {'t', "target", "TARGET", "connect there, for each connection", NULL},
    [OPTION_KEY] = {'k', "key", "KEY", "a key file, that both ends have; -d: or a folder of them; may be repeated",
	"+"},
    [OPTION_WAIT_FOR_DNS] = {'D', "wait-for-dns", NULL, "go into the background, then look up until it works", NULL},
    [OPTION_FOREGROUND] = {'F', "foreground", NULL, "stay in the foreground; no pidfile", NULL},
    [OPTION_NO_KEEPALIVE] = {'j', "no-keepalive", NULL, "no keepalive probes", NULL},
    [OPTION_BIND] = {'b', "bind", "ADDRESS", "connect to TARGET from this address", NULL},
    [OPTION_FAST] = {'f', "fast", NULL, "a handshake without forward secrecy", "g"},
    [OPTION_REQUIRE_FORWARD_SECRECY] = {'g', "require-forward-secrecy", NULL, "refuse a peer that uses -f", "f"},
    [OPTION_MAX_CONNECTIONS] = {'n', "max-connections", "N", "connections at a time (100); 0: no limit", NULL},
    [OPTION_TIMEOUT] = {'o', "timeout", "SECONDS", "for connecting and for the handshake (5)", NULL},
    [OPTION_PIDFILE] = {'p', "pidfile", "FILE", "where the process number goes (SOURCE.pid)", NULL},
    [OPTION_RESOLVE_EVERY] = {'r', "resolve-every", "SECONDS", "look TARGET up again this often (60)", "R"},
    [OPTION_NO_RESOLVE] = {'R', "no-resolve", NULL, "look TARGET up once only", "r"},
    [OPTION_SYSLOG] = {0, "syslog", NULL, "log to syslog once in the background", NULL},
    [OPTION_USER] = {'u', "user", "USER:GROUP", "become USER, :GROUP or USER:GROUP once listening", NULL},
    [OPTION_WORKERS] = {0, "workers", "N", "threads that carry connections (one a core)", NULL},
    [OPTION_MAX_HANDSHAKES] = {0, "max-handshakes", "N", "-d: connections that have not proved the key yet", NULL},
    [OPTION_SOURCE_MODE] = {0, "source-mode", "MODE", "the mode of a UNIX socket SOURCE, as 0660", NULL},
    [OPTION_SOURCE_OWNER] = {0, "source-owner", "USER:GROUP", "the owner of a UNIX socket SOURCE", NULL},
    [OPTION_LOG_LEVEL] = {0, "log-level", "LEVEL", "error, warning, info or debug", NULL},
    [OPTION_CRYPTO] = {0, "crypto", "WHICH", "libcrypto or ipsec-mb (the faster that is here)", NULL},
    [OPTION_NO_SANDBOX] = {0, "no-sandbox", NULL, "keep every right to system calls and files", NULL},
    [OPTION_CLOSE_REVOKED] = {0, "close-revoked", NULL, "-d: a key that is taken away ends its connections", NULL},
    [OPTION_CHECK] = {0, "check", NULL, "say whether it would start, and change nothing", NULL},
};

static const char usage[] = "usage: spiped {-e | -d} -s SOURCE -t TARGET -k KEY... [-DFj] [-b BIND] [-f | -g]\n"
			    "    [-n N] [-o SECONDS] [-p PIDFILE] [-r SECONDS | -R] [--syslog]\n"
			    "    [-u USER | :GROUP | USER:GROUP] [--workers N] [--max-handshakes N]\n"
			    "    [--source-mode MODE] [--source-owner USER:GROUP] [--log-level LEVEL]\n"
			    "    [--crypto WHICH] [--no-sandbox] [--close-revoked] [--check]\n"
			    "       spiped -v | --version | --help\n";

static bool
set_count(const struct arguments *arguments, uint64_t least, uint64_t most, uint32_t *count)
{
	uint64_t number;

	if (!arguments_number(arguments, least, most, &number))
		return false;
	*count = (uint32_t)number;
	return true;
}

static bool
set_mode(const struct arguments *arguments, mode_t *mode)
{
	uint64_t number;

	if (!arguments_octal(arguments, 0777, &number))
		return false;
	*mode = (mode_t)number;
	return true;
}

static bool
set_log_level(const struct arguments *arguments, enum log_level *level)
{
	size_t index;

	if (!arguments_word(arguments, log_level_words, LOG_LEVELS, &index))
		return false;
	*level = (enum log_level)index;
	return true;
}

static void
set_flag(struct options *options, int option)
{
	switch (option) {
	case OPTION_ENCRYPT:
		options->kind = PIPE_ENCRYPT;
		return;
	case OPTION_DECRYPT:
		options->kind = PIPE_DECRYPT;
		return;
	case OPTION_WAIT_FOR_DNS:
		options->wait_for_dns = true;
		return;
	case OPTION_FOREGROUND:
		options->foreground = true;
		return;
	case OPTION_NO_KEEPALIVE:
		options->keepalive = false;
		return;
	case OPTION_FAST:
		options->forward_secrecy = FORWARD_SECRECY_OFF;
		return;
	case OPTION_REQUIRE_FORWARD_SECRECY:
		options->forward_secrecy = FORWARD_SECRECY_REQUIRED;
		return;
	case OPTION_NO_RESOLVE:
		options->resolve_interval = 0;
		return;
	case OPTION_SYSLOG:
		options->syslog = true;
		return;
	case OPTION_NO_SANDBOX:
		options->no_sandbox = true;
		return;
	case OPTION_CLOSE_REVOKED:
		options->close_revoked = true;
		return;
	default: /* OPTION_CHECK */
		options->check = true;
	}
}

static const char **
text_of(struct options *options, int option)
{
	switch (option) {
	case OPTION_SOURCE:
		return &options->source;
	case OPTION_TARGET:
		return &options->target;
	case OPTION_BIND:
		return &options->bind;
	case OPTION_PIDFILE:
		return &options->pidfile;
	case OPTION_USER:
		return &options->user;
	default: /* OPTION_SOURCE_OWNER */
		return &options->source_owner;
	}
}

/* false: its argument is no good, and that has been said. */
static bool
set_value(struct options *options, const struct arguments *arguments, int option)
{
	switch (option) {
	case OPTION_MAX_CONNECTIONS:
		return set_count(arguments, 0, UINT32_MAX, &options->max_connections);
	case OPTION_TIMEOUT:
		return arguments_seconds(arguments, 0, &options->timeout);
	case OPTION_RESOLVE_EVERY:
		return arguments_seconds(arguments, 1, &options->resolve_interval);
	case OPTION_WORKERS:
		return set_count(arguments, 1, SERVER_WORKERS_MAX, &options->workers);
	case OPTION_MAX_HANDSHAKES:
		return set_count(arguments, 1, most_handshakes, &options->max_handshakes);
	case OPTION_SOURCE_MODE:
		return set_mode(arguments, &options->source_mode);
	case OPTION_LOG_LEVEL:
		return set_log_level(arguments, &options->log_level);
	case OPTION_CRYPTO:
		return arguments_crypto(arguments, &options->crypto);
	case OPTION_KEY:
		return arguments_add(arguments, options->keys, KEY_SOURCES_MAX, &options->key_count);
	default:
		*text_of(options, option) = arguments->value;
		return true;
	}
}

/* What is missing from the command line and has a default that depends on the rest of it. */
static int
complete(struct options *options)
{
	size_t size = sizeof options->default_pidfile;

	if (options->timeout == 0)
		options->timeout = DEFAULT_TIMEOUT;
	if (options->source[0] != '/' && (options->source_mode != (mode_t)-1 || options->source_owner != NULL))
		message_warning(
		    "--source-mode and --source-owner are for UNIX sockets: they do nothing for %s", options->source);
	if (options->close_revoked && options->kind == PIPE_ENCRYPT)
		message_warning("--close-revoked is for -d: an end that connects is on its own key");
	options->syslog = options->syslog && !options->foreground;
	if (options->log_level == (enum log_level)LOG_LEVELS)
		options->log_level = options->foreground || options->syslog ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING;
	if (options->pidfile != NULL)
		return OPTIONS_GO_ON;
	if ((size_t)snprintf(options->default_pidfile, size, "%s.pid", options->source) >= size) {
		message_error("Error parsing argument: -s %s: %s", options->source, strerror(ENAMETOOLONG));
		return 1;
	}
	options->pidfile = options->default_pidfile;
	return OPTIONS_GO_ON;
}

int
options_parse(struct options *options, int argc, char *const argv[], FILE *out)
{
	const struct arguments_program program = {
	    .name = "spiped", .usage = usage, .has_crypto = true, .table = table, .count = OPTION_COUNT};
	struct arguments arguments;
	int option;

	*options = (struct options){.source_mode = (mode_t)-1,
	    .keepalive = true,
	    .max_connections = DEFAULT_CONNECTIONS,
	    .resolve_interval = DEFAULT_RESOLVE,
	    .log_level = (enum log_level)LOG_LEVELS,
	    .crypto = ENGINE_BEST};
	arguments_start(&arguments, &program, argc, argv, out);
	while ((option = arguments_next(&arguments)) >= 0) {
		if (arguments.value == NULL)
			set_flag(options, option);
		else if (!set_value(options, &arguments, option))
			return 1;
	}
	if (option == ARGUMENTS_OVER)
		return arguments.status;
	if (!arguments_has(&arguments, 'e') && !arguments_has(&arguments, 'd'))
		return arguments_usage(&arguments);
	if (options->source == NULL || options->target == NULL || options->key_count == 0 || arguments.at < argc)
		return arguments_usage(&arguments);
	return complete(options);
}
