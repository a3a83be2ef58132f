/*
 * prove_arguments.c: src/daemon/arguments.c with a command line of any bytes, from any state between two options. Each
 * call is made from any state that keeps the rules, and must leave one that does. Lengths of arguments: a few, and
 * that of the 40 bytes of `given`; "--help" has 6, "--version" 9. A table of 64 options, the most there may be, or of
 * few.
 */
#include "daemon/arguments.h"

#include "crypto/engine.h"
#include "daemon/log.h"
#include "unknown_text.h"

enum { MOST = 40, FEW = 5, COUNT = 64, ARGUMENTS_MOST = 3 };

/* The kinds of values, each in a row of its own. */
enum { NUMBER, OCTAL, SECONDS, LEVEL, CRYPTO, LIST, TEXT, SET, KINDS };

struct options {
	bool flag;
	const char *text;
	uint32_t number, mode;
	uint64_t seconds;
	enum log_level level;
	enum engine_backend crypto;
	struct argument_list list;
};

static const struct argument table[COUNT] = {
    {'e', "en", NULL, "help", "d"},
    {'d', "de", NULL, "help", "ex"},
    {'s', "so", "SOURCE", "help", NULL},
    {0, "workers", "N", "help", NULL},
    [4 ... COUNT - 2] = {'z', "z", "Z", "help", "z"},
    {'y', "y", NULL, "help", "z"},
};

static const struct argument kinds[KINDS] = {
    [NUMBER] = {'n', "n", "N", "help", NULL, ARGUMENT(NUMBER, number, 1, UINT32_MAX)},
    [OCTAL] = {'m', "m", "M", "help", NULL, ARGUMENT(OCTAL, mode, 0, 0777)},
    [SECONDS] = {'o', "o", "S", "help", NULL, ARGUMENT(SECONDS, seconds, 1, 0)},
    [LEVEL] = {'l', "l", "L", "help", NULL, ARGUMENT(LOG_LEVEL, level, 0, 0)},
    [CRYPTO] = {'c', "c", "C", "help", NULL, ARGUMENT(CRYPTO, crypto, 0, 0)},
    [LIST] = {'k', "k", "K", "help", "+", ARGUMENT(LIST, list, 0, 0)},
    [TEXT] = {'t', "t", "T", "help", NULL, ARGUMENT(TEXT, text, 0, 0)},
    [SET] = {'s', "s", NULL, "help", NULL, ARGUMENT(SET, flag, true, 0)},
};

const char *const log_level_words[LOG_LEVELS] = {"error", "warning", "info", "debug"};

static FILE out;
static char first[MOST + 1], second[MOST + 1];

/* What the rest of a program has of it between two options. */
static void
keeps_the_rules(const struct arguments *arguments)
{
	//@ assert at: 1 <= arguments->at <= arguments->argc;
	//@ assert given: valid_read_string(&arguments->given[0]);
	//@ assert end: arguments->given[sizeof(arguments->given) - 1] == '\0';
	//@ assert packed: valid_read_string(arguments->packed);
}

/* packed: how many letters are left of an argument; next: the length of what comes next; then one more, or none. */
static void
next(size_t packed, size_t next, size_t behind, size_t count)
{
	const struct arguments_program program = {.name = "name",
	    .usage = "usage",
	    .about = unknown_bool() ? "about" : NULL,
	    .has_crypto = unknown_bool(),
	    .table = table,
	    .count = count};
	char *const argv[ARGUMENTS_MOST + 1] = {"name", first + MOST - next, second + MOST - behind};
	struct arguments arguments;
	int argc = Frama_C_int_interval(packed > 0 ? 1 : 2, ARGUMENTS_MOST), index;

	//@ split argc;
	arguments_start(&arguments, &program, argc, argv, &out);
	arguments.seen = Frama_C_unsigned_long_interval(0, UINT64_MAX);
	arguments.packed = second + MOST - packed;
	index = arguments_next(&arguments);
	//@ assert index: ARGUMENTS_OVER <= index < (int)count;
	keeps_the_rules(&arguments);
	(void)arguments_has(&arguments, unknown_char_but('\0'));
	//@ merge argc;
	//@ slevel merge;
}

/* The option that stands before, with an argument of any bytes, as each kind of value. */
static void
value(size_t length)
{
	const struct arguments_program program = {.name = "name", .usage = "usage", .table = kinds, .count = KINDS};
	struct arguments arguments;
	struct options options = {.list.count = unknown_size(0, KEY_SOURCES_MAX)};

	arguments_start(&arguments, &program, 0, NULL, &out);
	arguments.given[0] = '-';
	arguments.value = first + MOST - length;
	//@ loop unroll KINDS;
	for (int kind = 0; kind < KINDS; kind++)
		(void)arguments_set(&arguments, kind, &options);
	//@ assert number: options.mode <= 0777;
	//@ assert level: options.level <= LOG_LEVEL_DEBUG;
	//@ assert list: options.list.count <= KEY_SOURCES_MAX;
	//@ slevel merge;
}

int
main(void)
{
	static const size_t lengths[] = {0, 1, 2, 4, 6, 9, MOST};

	unknown_text(first, MOST, '\0');
	unknown_text(second, MOST, '\0');
	next(1, 0, 2, COUNT);
	next(2, 2, 2, COUNT);
	next(0, 3, 0, COUNT);
	//@ loop unroll 7;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		value(lengths[i]);
		next(0, lengths[i], 2, FEW);
	}
	return 0;
}
