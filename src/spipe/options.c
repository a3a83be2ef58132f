/* options.c: the table of spipe's options, and what each sets. */
#include "spipe/options.h"

#include "daemon/arguments.h"
#include "daemon/log.h"

enum { DEFAULT_TIMEOUT = 5000 };

enum {
	OPTION_TARGET,
	OPTION_KEY,
	OPTION_BIND,
	OPTION_FAST,
	OPTION_REQUIRE_FORWARD_SECRECY,
	OPTION_NO_KEEPALIVE,
	OPTION_TIMEOUT,
	OPTION_EXIT_ON_EOF,
	OPTION_LOG_LEVEL,
	OPTION_CRYPTO,
	OPTION_NO_SANDBOX,
	OPTION_CHECK,
	OPTION_COUNT
};

static const struct argument table[OPTION_COUNT] = {
    [OPTION_TARGET] = {'t', "target", "TARGET", "connect there: /path, host:port, [v4]:port, [v6]:port", NULL},
    [OPTION_KEY] = {'k', "key", "FILE", "the key file that both ends have; - is standard input", "+"},
    [OPTION_BIND] = {'b', "bind", "ADDRESS", "connect to TARGET from this address", NULL},
    [OPTION_FAST] = {'f', "fast", NULL, "a handshake without forward secrecy", "g"},
    [OPTION_REQUIRE_FORWARD_SECRECY] = {'g', "require-forward-secrecy", NULL, "refuse a peer that uses -f", "f"},
    [OPTION_NO_KEEPALIVE] = {'j', "no-keepalive", NULL, "no keepalive probes", NULL},
    [OPTION_TIMEOUT] = {'o', "timeout", "SECONDS", "for connecting and for the handshake (5)", NULL},
    [OPTION_EXIT_ON_EOF] = {0, "exit-on-eof", NULL, "end with the far end, whatever standard input does", NULL},
    [OPTION_LOG_LEVEL] = {0, "log-level", "LEVEL", "error, warning, info or debug", NULL},
    [OPTION_CRYPTO] = {0, "crypto", "WHICH", "libcrypto or ipsec-mb (the faster that is here)", NULL},
    [OPTION_NO_SANDBOX] = {0, "no-sandbox", NULL, "keep every right to system calls and files", NULL},
    [OPTION_CHECK] = {0, "check", NULL, "say whether it would start, and connect to nothing", NULL},
};

static const char usage[] = "usage: spipe -t TARGET -k KEY [-b BIND] [-f | -g] [-j] [-o SECONDS]\n"
			    "    [--exit-on-eof] [--log-level LEVEL] [--crypto WHICH]\n"
			    "    [--no-sandbox] [--check]\n"
			    "       spipe -v | --version | --help\n";

/* false: its argument is no good, and that has been said. */
static bool
set_option(struct options *options, const struct arguments *arguments, int option)
{
	size_t level;

	switch (option) {
	case OPTION_TARGET:
		options->target = arguments->value;
		return true;
	case OPTION_KEY:
		return arguments_add(arguments, options->keys, KEY_SOURCES_MAX, &options->key_count);
	case OPTION_BIND:
		options->bind = arguments->value;
		return true;
	case OPTION_FAST:
		options->forward_secrecy = FORWARD_SECRECY_OFF;
		return true;
	case OPTION_REQUIRE_FORWARD_SECRECY:
		options->forward_secrecy = FORWARD_SECRECY_REQUIRED;
		return true;
	case OPTION_NO_KEEPALIVE:
		options->keepalive = false;
		return true;
	case OPTION_TIMEOUT:
		return arguments_seconds(arguments, 0, &options->timeout);
	case OPTION_EXIT_ON_EOF:
		options->exit_on_eof = true;
		return true;
	case OPTION_LOG_LEVEL:
		if (!arguments_word(arguments, log_level_words, LOG_LEVELS, &level))
			return false;
		options->log_level = (enum log_level)level;
		return true;
	case OPTION_CRYPTO:
		return arguments_crypto(arguments, &options->crypto);
	case OPTION_NO_SANDBOX:
		options->no_sandbox = true;
		return true;
	default: /* OPTION_CHECK */
		options->check = true;
		return true;
	}
}

int
options_parse(struct options *options, int argc, char *const argv[], FILE *out)
{
	const struct arguments_program program = {
	    .name = "spipe", .usage = usage, .has_crypto = true, .table = table, .count = OPTION_COUNT};
	struct arguments arguments;
	int option;

	*options = (struct options){.keepalive = true, .log_level = LOG_LEVEL_ERROR, .crypto = ENGINE_BEST};
	arguments_start(&arguments, &program, argc, argv, out);
	while ((option = arguments_next(&arguments)) >= 0)
		if (!set_option(options, &arguments, option))
			return 1;
	if (option == ARGUMENTS_OVER)
		return arguments.status;
	if (options->target == NULL || options->key_count == 0 || arguments.at < argc)
		return arguments_usage(&arguments);
	if (options->timeout == 0)
		options->timeout = DEFAULT_TIMEOUT;
	return OPTIONS_GO_ON;
}
