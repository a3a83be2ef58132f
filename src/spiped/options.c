/* options.c: the table of spiped's options, and what each sets. */
#include "spiped/options.h"

#include <errno.h>
#include <string.h>

#include "daemon/arguments.h"
#include "daemon/log.h"
#include "daemon/message.h"
#include "net/server.h"

enum { DEFAULT_TIMEOUT = 5000, DEFAULT_RESOLVE = 60000, DEFAULT_CONNECTIONS = 100, MOST_HANDSHAKES = 1000000 };

static const struct argument table[] = {
    {'e', "encrypt", NULL, "take plain connections, send them encrypted to TARGET", "d",
	ARGUMENT(SET, kind, PIPE_ENCRYPT, 0)},
    {'d', "decrypt", NULL, "take encrypted connections, send them plain to TARGET", "e",
	ARGUMENT(SET, kind, PIPE_DECRYPT, 0)},
    {'s', "source", "SOURCE", "listen here: /path, host:port, [v4]:port, [v6]:port", NULL,
	ARGUMENT(TEXT, source, 0, 0)},
    {'t', "target", "TARGET", "connect there, for each connection", NULL, ARGUMENT(TEXT, target, 0, 0)},
    {'k', "key", "KEY", "a key file, that both ends have; -d: or a folder of them; may be repeated", "+",
	ARGUMENT(LIST, keys, 0, 0)},
    {'D', "wait-for-dns", NULL, "go into the background, then look up until it works", NULL,
	ARGUMENT(SET, wait_for_dns, true, 0)},
    {'F', "foreground", NULL, "stay in the foreground; no pidfile", NULL, ARGUMENT(SET, foreground, true, 0)},
    {'j', "no-keepalive", NULL, "no keepalive probes", NULL, ARGUMENT(SET, keepalive, false, 0)},
    {'b', "bind", "ADDRESS", "connect to TARGET from this address", NULL, ARGUMENT(TEXT, bind, 0, 0)},
    {'f', "fast", NULL, "a handshake without forward secrecy", "g",
	ARGUMENT(SET, forward_secrecy, FORWARD_SECRECY_OFF, 0)},
    {'g', "require-forward-secrecy", NULL, "refuse a peer that uses -f", "f",
	ARGUMENT(SET, forward_secrecy, FORWARD_SECRECY_REQUIRED, 0)},
    {'n', "max-connections", "N", "connections at a time (100); 0: no limit", NULL,
	ARGUMENT(NUMBER, max_connections, 0, UINT32_MAX)},
    {'o', "timeout", "SECONDS", "for connecting and for the handshake (5)", NULL, ARGUMENT(SECONDS, timeout, 0, 0)},
    {'p', "pidfile", "FILE", "where the process number goes (SOURCE.pid)", NULL, ARGUMENT(TEXT, pidfile, 0, 0)},
    {'r', "resolve-every", "SECONDS", "look TARGET up again this often (60)", "R",
	ARGUMENT(SECONDS, resolve_interval, 1, 0)},
    {'R', "no-resolve", NULL, "look TARGET up once only", "r", ARGUMENT(SET, resolve_interval, 0, 0)},
    {0, "syslog", NULL, "log to syslog once in the background", NULL, ARGUMENT(SET, syslog, true, 0)},
    {'u', "user", "USER:GROUP", "become USER, :GROUP or USER:GROUP once listening", NULL, ARGUMENT(TEXT, user, 0, 0)},
    {0, "workers", "N", "threads that carry connections (one a core)", NULL,
	ARGUMENT(NUMBER, workers, 1, SERVER_WORKERS_MAX)},
    {0, "max-handshakes", "N", "-d: connections that have not proved the key yet", NULL,
	ARGUMENT(NUMBER, max_handshakes, 1, MOST_HANDSHAKES)},
    {0, "source-mode", "MODE", "the mode of a UNIX socket SOURCE, as 0660", NULL,
	ARGUMENT(OCTAL, source_mode, 0, 0777)},
    {0, "source-owner", "USER:GROUP", "the owner of a UNIX socket SOURCE", NULL, ARGUMENT(TEXT, source_owner, 0, 0)},
    {0, "log-level", "LEVEL", "error, warning, info or debug", NULL, ARGUMENT(LOG_LEVEL, log_level, 0, 0)},
    {0, "crypto", "WHICH", "libcrypto or ipsec-mb (the faster that is here)", NULL, ARGUMENT(CRYPTO, crypto, 0, 0)},
    {0, "no-sandbox", NULL, "keep every right to system calls and files", NULL, ARGUMENT(SET, no_sandbox, true, 0)},
    {0, "close-revoked", NULL, "-d: a key that is taken away ends its connections", NULL,
	ARGUMENT(SET, close_revoked, true, 0)},
    {0, "check", NULL, "say whether it would start, and change nothing", NULL, ARGUMENT(SET, check, true, 0)},
};

static const char usage[] = "usage: spiped {-e | -d} -s SOURCE -t TARGET -k KEY... [-DFj] [-b BIND] [-f | -g]\n"
			    "    [-n N] [-o SECONDS] [-p PIDFILE] [-r SECONDS | -R] [--syslog]\n"
			    "    [-u USER | :GROUP | USER:GROUP] [--workers N] [--max-handshakes N]\n"
			    "    [--source-mode MODE] [--source-owner USER:GROUP] [--log-level LEVEL]\n"
			    "    [--crypto WHICH] [--no-sandbox] [--close-revoked] [--check]\n"
			    "       spiped -v | --version | --help\n";

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
	const struct arguments_program program = {.name = "spiped",
	    .usage = usage,
	    .has_crypto = true,
	    .table = table,
	    .count = sizeof table / sizeof *table};
	struct arguments arguments;
	int option;

	*options = (struct options){.source_mode = (mode_t)-1,
	    .keepalive = true,
	    .max_connections = DEFAULT_CONNECTIONS,
	    .resolve_interval = DEFAULT_RESOLVE,
	    .log_level = (enum log_level)LOG_LEVELS,
	    .crypto = ENGINE_BEST};
	arguments_start(&arguments, &program, argc, argv, out);
	while ((option = arguments_next(&arguments)) >= 0)
		if (!arguments_set(&arguments, option, options))
			return 1;
	if (option == ARGUMENTS_OVER)
		return arguments.status;
	if (!arguments_has(&arguments, 'e') && !arguments_has(&arguments, 'd'))
		return arguments_usage(&arguments);
	if (options->source == NULL || options->target == NULL || options->keys.count == 0 || arguments.at < argc)
		return arguments_usage(&arguments);
	return complete(options);
}
