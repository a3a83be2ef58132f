/* options.h: spipe's command line (spipe(1)). */
#ifndef SPIPE_OPTIONS_H
#define SPIPE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "crypto/engine.h"
#include "daemon/arguments.h"
#include "pipe/pipe.h"

/* Texts point into the command line. */
struct options {
	const char *target, *bind;            /* -t, -b: NULL where not given */
	struct argument_list keys;            /* -k, each of them, as for spiped; the first is used */
	enum forward_secrecy forward_secrecy; /* -f, -g */
	bool keepalive;                       /* not -j */
	bool exit_on_eof, no_sandbox, check;  /* --exit-on-eof, --no-sandbox, --check */
	uint64_t timeout;                     /* -o, in ms */
	enum log_level log_level;             /* --log-level, or its default */
	enum engine_backend crypto;           /* --crypto; ENGINE_BEST */
};

enum { OPTIONS_GO_ON = -1 };

/*
 * Fills in options; --help and --version go to out. OPTIONS_GO_ON, or the exit status: everything has been said then.
 */
int options_parse(struct options *options, int argc, char *const argv[], FILE *out);

#endif
