/* prove_spipe_options.c: src/spipe/options.c with any options in any order and any arguments (arguments.c). */
#include "arguments.h"
#include "daemon/log.h"
#include "spipe/options.h"
#include "unknown_text.h"

enum { MOST = 2 };

static char text[MOST + 1];
const char *argument_text;
const char *const log_level_words[LOG_LEVELS] = {"error", "warning", "info", "debug"};

static void
parse(int argc, size_t length)
{
	static char *const argv[4] = {"spipe", "a", "b"};
	struct options options;

	argument_text = text + MOST - length;
	(void)options_parse(&options, argc, argv, stdout);
	//@ slevel merge;
}

int
main(void)
{
	unknown_text(text, MOST, '\0');
	//@ loop unroll 4;
	for (int argc = 0; argc <= 3; argc++)
		parse(argc, 2);
	parse(3, 0);
	return 0;
}
