/* options.h: spiped's command line (spiped(1)). */
#ifndef SPIPED_OPTIONS_H
#define SPIPED_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/log.h"
#include "crypto/engine.h"
#include "daemon/arguments.h"
#include "pipe/pipe.h"

/* Texts point into the command line, but for pidfile's default, which is ours. */
struct options {
	enum pipe_kind kind;                      /* -e, -d */
	const char *source, *target;              /* -s, -t */
	struct argument_list keys;                /* -k, each of them; an end that connects uses the first */
	const char *bind, *pidfile, *user;        /* -b, -u: NULL where not given; -p */
	const char *source_owner;                 /* --source-owner; NULL */
	mode_t source_mode;                       /* --source-mode; (mode_t)-1 */
	enum forward_secrecy forward_secrecy;     /* -f, -g */
	bool wait_for_dns, foreground, keepalive; /* -D, -F, not -j */
	bool syslog;                              /* --syslog, and not -F */
	bool no_sandbox, close_revoked, check;    /* --no-sandbox, --close-revoked, --check */
	uint64_t timeout, resolve_interval;       /* -o, -r in ms; the latter 0: -R */
	uint32_t max_connections, max_handshakes; /* -n; 0: none. --max-handshakes; 0: the default */
	unsigned workers;                         /* --workers; 0: one a core */
	enum engine_backend crypto;               /* --crypto; ENGINE_BEST */
	enum log_level log_level;                 /* --log-level, or its default */
	char default_pidfile[4096];
};

enum { OPTIONS_GO_ON = -1 };

/*
 * Fills in options; --help and --version go to out. OPTIONS_GO_ON, or the exit status: everything has been said then.
 * Addresses, users and files are not looked at here.
 */
int options_parse(struct options *options, int argc, char *const argv[], FILE *out);

#endif
