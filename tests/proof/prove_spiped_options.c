/* prove_spiped_options.c: src/spiped/options.c with any options in any order and any arguments (arguments.c). */
#include "arguments.h"
#include "daemon/log.h"
#include "spiped/options.h"
#include "unknown_text.h"

enum { MOST = 4096 /* sizeof options.default_pidfile */ };

static char text[MOST + 1];
const char *argument_text;
const char *const log_level_words[LOG_LEVELS] = {"error", "warning", "info", "debug"};

static void
parse(int argc, size_t length)
{
	static char *const argv[4] = {"spiped", "a", "b"};
	struct options options;

	argument_text = text + MOST - length;
	(void)options_parse(&options, argc, argv, stdout);
	//@ slevel merge;
}

int
main(void)
{
	memset(text, 'x', MOST); /* of a long one only its end is unknown: it is copied whole */
	unknown_text(text + MOST - 2, 2, '\0');
	//@ loop unroll 4;
	for (int argc = 0; argc <= 3; argc++)
		parse(argc, 2);
	parse(3, 0);
	parse(3, MOST - sizeof ".pid" - 1);
	parse(3, MOST - sizeof ".pid");
	parse(3, MOST - sizeof ".pid" + 1);
	return 0;
}
