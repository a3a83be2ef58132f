/*
 * prove_arguments.c: src/daemon/arguments.c with a command line of any bytes, from any state between two options. Each
 * call is made from any state that keeps the rules, and must leave one that does. Lengths of arguments: a few, and
 * that of the 40 bytes of `given`; "--help" has 6, "--version" 9. A table of 64 options, the most there may be, or of
 * few.
 */
#include "daemon/arguments.h"

#include "unknown_text.h"

enum { MOST = 40, FEW = 5, COUNT = 64, ARGUMENTS_MOST = 3 };

static const struct argument table[COUNT] = {
    {'e', "en", NULL, "help", "d"},
    {'d', "de", NULL, "help", "ex"},
    {'s', "so", "SOURCE", "help", NULL},
    {0, "workers", "N", "help", NULL},
    [4 ... COUNT - 2] = {'z', "z", "Z", "help", "z"},
    {'y', "y", NULL, "help", "z"},
};

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
	static const char *const words[] = {"error", "", "info"};
	const struct arguments_program program = {.name = "name", .usage = "usage", .table = table, .count = COUNT};
	struct arguments arguments;
	enum engine_backend backend;
	const char *values[3];
	uint64_t number;
	size_t index, values_count = unknown_size(0, sizeof values / sizeof *values);

	arguments_start(&arguments, &program, 0, NULL, &out);
	arguments.given[0] = '-';
	arguments.value = first + MOST - length;
	(void)arguments_number(&arguments, 1, unknown_size(1, UINT64_MAX), &number);
	(void)arguments_octal(&arguments, 0777, &number);
	(void)arguments_seconds(&arguments, unknown_size(0, 1), &number);
	(void)arguments_word(&arguments, words, sizeof words / sizeof *words, &index);
	(void)arguments_crypto(&arguments, &backend);
	(void)arguments_add(&arguments, values, sizeof values / sizeof *values, &values_count);
	//@ assert values: values_count <= sizeof(values) / sizeof(*values);
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
