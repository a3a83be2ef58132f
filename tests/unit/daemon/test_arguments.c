/* test_arguments.c: how a command line is cut up, and what is said about one that is no good. */
#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"
#include "daemon/arguments.h"
#include "helpers.h"
#include "test.h"

enum { FLAG, OTHER, NUMBER, TEXT, WORD, SECONDS, LEAST, MODE, LIST, COUNT };

/* Each between two others, which stay as they are whatever is put there. */
static struct options {
	uint8_t before;
	bool all;
	uint8_t after;
	enum log_level word;
	uint32_t number, mode;
	uint64_t seconds, least;
	const char *text;
	struct argument_list list;
} options;

static const struct argument table[COUNT] = {
    [FLAG] = {'a', "all", NULL, "everything", "b", ARGUMENT(SET, all, true, 0)},
    [OTHER] = {'b', "bare", NULL, "nothing", "a", ARGUMENT(SET, number, 7, 0)},
    [NUMBER] = {'n', "number", "N", "how many", NULL, ARGUMENT(NUMBER, number, 2, 500)},
    [TEXT] = {'t', "text", "TEXT", "what", NULL, ARGUMENT(TEXT, text, 0, 0)},
    [WORD] = {0, "word", "WORD", "which", NULL, ARGUMENT(LOG_LEVEL, word, 0, 0)},
    [SECONDS] = {'s', "seconds", "N", "how long", NULL, ARGUMENT(SECONDS, seconds, 0, 0)},
    [LEAST] = {'l', "least", "N", "how long at least", NULL, ARGUMENT(SECONDS, least, 1, 0)},
    [MODE] = {'m', "mode", "MODE", "who may", "+", ARGUMENT(OCTAL, mode, 0, 0777)},
    [LIST] = {'k', "key", "KEY", "some", "+", ARGUMENT(LIST, list, 0, 0)},
};

#define USAGE "usage: spiped [-a | -b]\n"

static const struct arguments_program program = {
    .name = "spiped", .usage = USAGE, .about = "About.\n", .has_crypto = true, .table = table, .count = COUNT};

static struct arguments arguments;
static FILE *out;
static char *out_text;
static size_t out_length;

/* A command line of at most seven words, the program's name left out. */
struct words {
	const char *words[8];
};

#define GIVEN(...) given((struct words){{__VA_ARGS__}})

static void
given(struct words line)
{
	static char kept[8][64], name[] = "spiped";
	static char *argv[9] = {name};
	int argc = 1;

	for (; line.words[argc - 1] != NULL; argc++) {
		argv[argc] = kept[argc - 1];
		(void)snprintf(kept[argc - 1], sizeof kept[0], "%s", line.words[argc - 1]);
	}
	argv[argc] = NULL;
	arguments_start(&arguments, &program, argc, argv, out);
}

static int
start(void **state)
{
	(void)state;
	said_start();
	out = open_memstream(&out_text, &out_length);
	return out != NULL ? 0 : -1;
}

static int
stop(void **state)
{
	(void)state;
	(void)fclose(out);
	free(out_text);
	said_stop();
	return 0;
}

static void
assert_next(int option, const char *value)
{
	assert_int_equal(arguments_next(&arguments), option);
	if (value == NULL)
		assert_null(arguments.value);
	else
		assert_string_equal(arguments.value, value);
}

static void
assert_over(int status, const char *text)
{
	assert_int_equal(arguments_next(&arguments), ARGUMENTS_OVER);
	assert_int_equal(arguments.status, status);
	assert_string_equal(said(), text);
}

static void
short_options_can_be_packed_and_carry_their_argument(void **state)
{
	GIVEN("-an5", "-tx y", "operand");
	assert_next(FLAG, NULL);
	assert_next(NUMBER, "5");
	assert_next(TEXT, "x y");
	assert_next(ARGUMENTS_END, NULL);
	assert_int_equal(arguments.at, 3);
	assert_true(arguments_has(&arguments, 'a'));
	assert_false(arguments_has(&arguments, 'b'));
}

static void
an_argument_may_look_like_an_option(void **state)
{
	GIVEN("-t", "-a", "--text-not");
	assert_next(TEXT, "-a");
	GIVEN("--text", "--all");
	assert_next(TEXT, "--all");
	GIVEN("--text=--all=3");
	assert_next(TEXT, "--all=3");
	GIVEN("--text=");
	assert_next(TEXT, "");
}

static void
long_names_take_their_argument_either_way(void **state)
{
	GIVEN("--number", "5", "--word=x", "--all");
	assert_next(NUMBER, "5");
	assert_string_equal(arguments.given, "--number");
	assert_next(WORD, "x");
	assert_next(FLAG, NULL);
	assert_next(ARGUMENTS_END, NULL);
}

static void
options_end_at_two_dashes_or_at_an_operand(void **state)
{
	GIVEN("-a", "--", "-b");
	assert_next(FLAG, NULL);
	assert_next(ARGUMENTS_END, NULL);
	assert_int_equal(arguments.at, 3);
	GIVEN("-", "-b");
	assert_next(ARGUMENTS_END, NULL);
	assert_int_equal(arguments.at, 1);
	GIVEN(NULL);
	assert_next(ARGUMENTS_END, NULL);
}

static void
what_is_unknown_is_named(void **state)
{
	GIVEN("-q");
	assert_over(1, "spiped: illegal option -- -q\n" USAGE);
	GIVEN("-aq");
	assert_next(FLAG, NULL);
	assert_over(1, "spiped: illegal option -- -q\n" USAGE);
	GIVEN("--quiet=3");
	assert_over(1, "spiped: illegal option -- --quiet\n" USAGE);
	GIVEN("--al");
	assert_over(1, "spiped: illegal option -- --al\n" USAGE);
	GIVEN("--all=3");
	assert_over(1, "spiped: No argument is taken by --all\n" USAGE);
}

static void
a_missing_argument_is_named(void **state)
{
	GIVEN("-an");
	assert_next(FLAG, NULL);
	assert_over(1, "spiped: Missing argument to -n\n" USAGE);
	GIVEN("--number");
	assert_over(1, "spiped: Missing argument to --number\n" USAGE);
}

static void
repeated_and_excluded_options_are_answered_with_the_usage(void **state)
{
	GIVEN("-aa");
	assert_next(FLAG, NULL);
	assert_over(1, USAGE);
	GIVEN("-t", "x", "--text", "y");
	assert_next(TEXT, "x");
	assert_over(1, USAGE);
	GIVEN("-b", "--all");
	assert_next(OTHER, NULL);
	assert_over(1, USAGE);
}

static void
a_leading_space_is_an_error_of_its_own(void **state)
{
	GIVEN("-t", " x");
	assert_over(1, "spiped: Error parsing argument: -t  x: it starts with a space\n");
	GIVEN("--text= x");
	assert_over(1, "spiped: Error parsing argument: --text  x: it starts with a space\n");
}

static void
the_version_is_where_it_always_was_and_where_one_expects_it(void **state)
{
	GIVEN("-av", "-q");
	assert_next(FLAG, NULL);
	assert_over(0, "spiped " SPIPED_VERSION "\n");
	assert_int_equal(out_length, 0);
	GIVEN("--version");
	assert_over(0, "");
	if (engine_choose(ENGINE_BEST) == ENGINE_IPSEC_MB)
		assert_string_equal(out_text, "spiped " SPIPED_VERSION "\ncrypto: ipsec-mb\n");
	else
		assert_int_equal(
		    strncmp(out_text, "spiped " SPIPED_VERSION "\ncrypto: libcrypto (ipsec-mb: th", 41), 0);
}

static void
help_shows_every_option(void **state)
{
	GIVEN("--help");
	assert_over(0, "");
	assert_int_equal(strncmp(out_text, USAGE "\nAbout.\n", strlen(USAGE "\nAbout.\n")), 0);
	assert_non_null(strstr(out_text, "\n  -a, --all   "));
	assert_non_null(strstr(out_text, "\n  -n, --number N  "));
	assert_non_null(strstr(out_text, "\n      --word WORD  "));
	assert_non_null(strstr(out_text, " which\n"));
}

/* The next option, and what came of its argument. */
static bool
set_next(int option)
{
	memset(&options, 0xAA, sizeof options);
	options.list.count = 0;
	assert_int_equal(arguments_next(&arguments), option);
	return arguments_set(&arguments, option, &options);
}

static void
an_option_sets_its_own_and_nothing_else(void **state)
{
	GIVEN("-a", "-t", "x");
	assert_true(set_next(FLAG));
	assert_int_equal(options.before, 0xAA);
	assert_true(options.all);
	assert_int_equal(options.after, 0xAA);
	assert_true(set_next(TEXT));
	assert_string_equal(options.text, "x");
	GIVEN("-b");
	assert_true(set_next(OTHER));
	assert_int_equal(options.number, 7);
	assert_int_equal(options.mode, 0xAAAAAAAA);
	GIVEN("-s", "5");
	assert_true(set_next(SECONDS));
	assert_int_equal(options.mode, 0xAAAAAAAA);
	assert_int_equal(options.least, 0xAAAAAAAAAAAAAAAA);
}

static void
what_is_no_good_sets_nothing(void **state)
{
	GIVEN("-n", "501");
	assert_false(set_next(NUMBER));
	assert_int_equal(options.number, 0xAAAAAAAA);
	assert_string_equal(said(), "spiped: Error parsing argument: -n 501: Numerical result out of range\n");
}

static void
a_list_has_an_end(void **state)
{
	GIVEN("-k", "x", "-k", "y");
	assert_true(set_next(LIST));
	options.list.count = KEY_SOURCES_MAX - 1;
	assert_int_equal(arguments_next(&arguments), LIST);
	assert_true(arguments_set(&arguments, LIST, &options));
	assert_string_equal(options.list.texts[0], "x");
	assert_string_equal(options.list.texts[KEY_SOURCES_MAX - 1], "y");
	assert_false(arguments_set(&arguments, LIST, &options));
	assert_int_equal(options.list.count, KEY_SOURCES_MAX);
	assert_string_equal(said(), "spiped: Error parsing argument: -k y: at most 16 times\n");
}

static bool
number_of(const char *text)
{
	GIVEN("-n", text);
	return set_next(NUMBER);
}

static void
assert_no_number(const char *text, const char *reason)
{
	char line[128];

	assert_false(number_of(text));
	(void)snprintf(line, sizeof line, "spiped: Error parsing argument: -n %s: %s\n", text, reason);
	assert_string_equal(said(), line);
}

static void
numbers_are_whole_and_in_range(void **state)
{
	assert_true(number_of("2"));
	assert_int_equal(options.number, 2);
	assert_true(number_of("500"));
	assert_int_equal(options.number, 500);
	assert_true(number_of("010"));
	assert_int_equal(options.number, 10);
	assert_no_number("abc", "Invalid argument");
	assert_no_number("", "Invalid argument");
	assert_no_number("5x", "Invalid argument");
	assert_no_number("5 ", "Invalid argument");
	assert_no_number("- 5", "Invalid argument");
	assert_no_number("--5", "Invalid argument");
	assert_no_number("1", "Numerical result out of range");
	assert_no_number("501", "Numerical result out of range");
	assert_no_number("-5", "Numerical result out of range");
	assert_no_number("99999999999999999999999", "Numerical result out of range");
	assert_string_equal(said(), "");
}

static bool
seconds_of(const char *text)
{
	GIVEN("-s", text);
	return set_next(SECONDS);
}

static void
seconds_have_fractions(void **state)
{
	assert_true(seconds_of("5"));
	assert_int_equal(options.seconds, 5000);
	assert_true(seconds_of(".0625"));
	assert_int_equal(options.seconds, 63);
	assert_true(seconds_of("1e-9"));
	assert_int_equal(options.seconds, 1);
	assert_true(seconds_of("0"));
	assert_int_equal(options.seconds, 0);
	assert_false(seconds_of("-1"));
	assert_string_equal(said(), "spiped: Error parsing argument: -s -1: Numerical result out of range\n");
	assert_false(seconds_of("1000000001"));
	assert_string_equal(said(), "spiped: Error parsing argument: -s 1000000001: Numerical result out of range\n");
	assert_false(seconds_of("inf"));
	assert_string_equal(said(), "spiped: Error parsing argument: -s inf: Numerical result out of range\n");
	assert_false(seconds_of("nan"));
	assert_string_equal(said(), "spiped: Error parsing argument: -s nan: Invalid argument\n");
	assert_false(seconds_of("5s"));
	assert_string_equal(said(), "spiped: Error parsing argument: -s 5s: Invalid argument\n");
	assert_false(seconds_of(""));
	assert_string_equal(said(), "spiped: Error parsing argument: -s : Invalid argument\n");
}

static void
a_least_time_holds(void **state)
{
	GIVEN("-l", "0");
	assert_false(set_next(LEAST));
	assert_string_equal(said(), "spiped: Error parsing argument: -l 0: Numerical result out of range\n");
}

static void
modes_are_octal(void **state)
{
	GIVEN("-m", "0660", "-m", "0690", "--mode", "1000");
	assert_true(set_next(MODE));
	assert_int_equal(options.mode, 0660);
	assert_false(set_next(MODE));
	assert_string_equal(said(), "spiped: Error parsing argument: -m 0690: Invalid argument\n");
	assert_false(set_next(MODE));
	assert_string_equal(said(), "spiped: Error parsing argument: --mode 1000: Numerical result out of range\n");
}

static void
a_word_is_one_of_a_list(void **state)
{
	GIVEN("--word", "info");
	assert_true(set_next(WORD));
	assert_int_equal(options.word, LOG_LEVEL_INFO);
	GIVEN("--word", "inf");
	assert_false(set_next(WORD));
	assert_string_equal(said(), "spiped: Error parsing argument: --word inf: Invalid argument\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(short_options_can_be_packed_and_carry_their_argument, start, stop),
	    cmocka_unit_test_setup_teardown(an_argument_may_look_like_an_option, start, stop),
	    cmocka_unit_test_setup_teardown(long_names_take_their_argument_either_way, start, stop),
	    cmocka_unit_test_setup_teardown(options_end_at_two_dashes_or_at_an_operand, start, stop),
	    cmocka_unit_test_setup_teardown(what_is_unknown_is_named, start, stop),
	    cmocka_unit_test_setup_teardown(a_missing_argument_is_named, start, stop),
	    cmocka_unit_test_setup_teardown(repeated_and_excluded_options_are_answered_with_the_usage, start, stop),
	    cmocka_unit_test_setup_teardown(a_leading_space_is_an_error_of_its_own, start, stop),
	    cmocka_unit_test_setup_teardown(the_version_is_where_it_always_was_and_where_one_expects_it, start, stop),
	    cmocka_unit_test_setup_teardown(help_shows_every_option, start, stop),
	    cmocka_unit_test_setup_teardown(an_option_sets_its_own_and_nothing_else, start, stop),
	    cmocka_unit_test_setup_teardown(what_is_no_good_sets_nothing, start, stop),
	    cmocka_unit_test_setup_teardown(a_list_has_an_end, start, stop),
	    cmocka_unit_test_setup_teardown(numbers_are_whole_and_in_range, start, stop),
	    cmocka_unit_test_setup_teardown(seconds_have_fractions, start, stop),
	    cmocka_unit_test_setup_teardown(a_least_time_holds, start, stop),
	    cmocka_unit_test_setup_teardown(modes_are_octal, start, stop),
	    cmocka_unit_test_setup_teardown(a_word_is_one_of_a_list, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
