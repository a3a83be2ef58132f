/* options.c: the table of spipe's options, and what each sets. */
#include "spipe/options.h"

#include "daemon/arguments.h"

enum { DEFAULT_TIMEOUT = 5000 };

static const struct argument table[] = {
    {'t', "target", "TARGET", "connect there: /path, host:port, [v4]:port, [v6]:port", NULL,
	ARGUMENT(TEXT, target, 0, 0)},
    {'k', "key", "FILE", "the key file that both ends have; - is standard input", "+", ARGUMENT(LIST, keys, 0, 0)},
    {'b', "bind", "ADDRESS", "connect to TARGET from this address", NULL, ARGUMENT(TEXT, bind, 0, 0)},
    {'f', "fast", NULL, "a handshake without forward secrecy", "g",
	ARGUMENT(SET, forward_secrecy, FORWARD_SECRECY_OFF, 0)},
    {'g', "require-forward-secrecy", NULL, "refuse a peer that uses -f", "f",
	ARGUMENT(SET, forward_secrecy, FORWARD_SECRECY_REQUIRED, 0)},
    {'j', "no-keepalive", NULL, "no keepalive probes", NULL, ARGUMENT(SET, keepalive, false, 0)},
    {'o', "timeout", "SECONDS", "for connecting and for the handshake (5)", NULL, ARGUMENT(SECONDS, timeout, 0, 0)},
    {0, "exit-on-eof", NULL, "end with the far end, whatever standard input does", NULL,
	ARGUMENT(SET, exit_on_eof, true, 0)},
    {0, "log-level", "LEVEL", "error, warning, info or debug", NULL, ARGUMENT(LOG_LEVEL, log_level, 0, 0)},
    {0, "crypto", "WHICH", "libcrypto or ipsec-mb (the faster that is here)", NULL, ARGUMENT(CRYPTO, crypto, 0, 0)},
    {0, "no-sandbox", NULL, "keep every right to system calls and files", NULL, ARGUMENT(SET, no_sandbox, true, 0)},
    {0, "check", NULL, "say whether it would start, and connect to nothing", NULL, ARGUMENT(SET, check, true, 0)},
};

static const char usage[] = "usage: spipe -t TARGET -k KEY [-b BIND] [-f | -g] [-j] [-o SECONDS]\n"
			    "    [--exit-on-eof] [--log-level LEVEL] [--crypto WHICH]\n"
			    "    [--no-sandbox] [--check]\n"
			    "       spipe -v | --version | --help\n";

int
options_parse(struct options *options, int argc, char *const argv[], FILE *out)
{
	const struct arguments_program program = {
	    .name = "spipe", .usage = usage, .has_crypto = true, .table = table, .count = sizeof table / sizeof *table};
	struct arguments arguments;
	int option;

	*options = (struct options){.keepalive = true, .log_level = LOG_LEVEL_ERROR, .crypto = ENGINE_BEST};
	arguments_start(&arguments, &program, argc, argv, out);
	while ((option = arguments_next(&arguments)) >= 0)
		if (!arguments_set(&arguments, option, options))
			return 1;
	if (option == ARGUMENTS_OVER)
		return arguments.status;
	if (options->target == NULL || options->keys.count == 0 || arguments.at < argc)
		return arguments_usage(&arguments);
	if (options->timeout == 0)
		options->timeout = DEFAULT_TIMEOUT;
	return OPTIONS_GO_ON;
}
