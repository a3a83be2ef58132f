/* test_options.c: what spiped's options mean, and what they are without being given. */
#include <stdio.h>
#include <string.h>

#include "helpers.h"
#include "spiped/options.h"
#include "test.h"

static struct options options;

/* The command line behind "spiped -e -s /run/x -t [192.0.2.1]:25 -k key", cut at its spaces. */
static int
parse_more(const char *more)
{
	static char words[512];
	char *argv[32], *rest = words, *word;
	int argc = 0;

	(void)snprintf(words, sizeof words, "spiped -s /run/x -t [192.0.2.1]:25 -k key %s", more);
	while ((word = strtok_r(rest, " ", &rest)) != NULL)
		argv[argc++] = word;
	argv[argc] = NULL;
	return options_parse(&options, argc, argv, stdout);
}

static void
assert_good(const char *more)
{
	assert_int_equal(parse_more(more), OPTIONS_GO_ON);
	assert_string_equal(said(), "");
}

static void
assert_usage(const char *more)
{
	assert_int_equal(parse_more(more), 1);
	assert_int_equal(strncmp(said(), "usage: spiped {-e | -d} -s SOURCE ", 34), 0);
}

static void
defaults_are_what_they_always_were(void **state)
{
	assert_good("-e");
	assert_int_equal(options.kind, PIPE_ENCRYPT);
	assert_string_equal(options.source, "/run/x");
	assert_string_equal(options.target, "[192.0.2.1]:25");
	assert_string_equal(options.keys.texts[0], "key");
	assert_string_equal(options.pidfile, "/run/x.pid");
	assert_null(options.bind);
	assert_null(options.user);
	assert_null(options.source_owner);
	assert_int_equal(options.source_mode, (mode_t)-1);
	assert_int_equal(options.forward_secrecy, FORWARD_SECRECY);
	assert_int_equal(options.max_connections, 100);
	assert_int_equal(options.timeout, 5000);
	assert_int_equal(options.resolve_interval, 60000);
	assert_int_equal(options.max_handshakes, 0);
	assert_int_equal(options.workers, 0);
	assert_true(options.keepalive);
	assert_false(options.wait_for_dns || options.foreground || options.syslog || options.check);
}

static void
each_short_option_sets_what_it_says(void **state)
{
	assert_good("-dDFjf -b [::1] -n 0 -o .5 -p /dev/null -R -u a:b");
	assert_int_equal(options.kind, PIPE_DECRYPT);
	assert_true(options.wait_for_dns && options.foreground);
	assert_false(options.keepalive);
	assert_int_equal(options.forward_secrecy, FORWARD_SECRECY_OFF);
	assert_string_equal(options.bind, "[::1]");
	assert_int_equal(options.max_connections, 0);
	assert_int_equal(options.timeout, 500);
	assert_string_equal(options.pidfile, "/dev/null");
	assert_int_equal(options.resolve_interval, 0);
	assert_string_equal(options.user, "a:b");
	assert_good("-eg -r 1.5 -o 0");
	assert_int_equal(options.forward_secrecy, FORWARD_SECRECY_REQUIRED);
	assert_int_equal(options.resolve_interval, 1500);
	assert_int_equal(options.timeout, 5000);
}

static void
each_long_option_sets_what_it_says(void **state)
{
	assert_good("--decrypt --wait-for-dns --foreground --no-keepalive --fast --bind=[::1] --max-connections=7 "
		    "--timeout 2 --pidfile p --no-resolve --user a");
	assert_int_equal(options.kind, PIPE_DECRYPT);
	assert_true(options.wait_for_dns && options.foreground);
	assert_false(options.keepalive);
	assert_int_equal(options.forward_secrecy, FORWARD_SECRECY_OFF);
	assert_string_equal(options.bind, "[::1]");
	assert_int_equal(options.max_connections, 7);
	assert_int_equal(options.timeout, 2000);
	assert_string_equal(options.pidfile, "p");
	assert_int_equal(options.resolve_interval, 0);
	assert_string_equal(options.user, "a");
	assert_good("--encrypt --require-forward-secrecy --resolve-every 2 --workers 3 --max-handshakes 9 "
		    "--source-mode 0660 --source-owner x:y --log-level debug --crypto libcrypto "
		    "--check");
	assert_int_equal(options.kind, PIPE_ENCRYPT);
	assert_int_equal(options.forward_secrecy, FORWARD_SECRECY_REQUIRED);
	assert_int_equal(options.resolve_interval, 2000);
	assert_int_equal(options.workers, 3);
	assert_int_equal(options.max_handshakes, 9);
	assert_int_equal(options.source_mode, 0660);
	assert_string_equal(options.source_owner, "x:y");
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(options.crypto, ENGINE_LIBCRYPTO);
	assert_true(options.check);
}

static void
the_key_may_be_given_more_than_once_up_to_a_limit(void **state)
{
	static char more[256];
	size_t length = 0;

	assert_good("-d -k second --key third");
	assert_int_equal(options.keys.count, 3);
	assert_string_equal(options.keys.texts[0], "key");
	assert_string_equal(options.keys.texts[1], "second");
	assert_string_equal(options.keys.texts[2], "third");
	length += (size_t)snprintf(more, sizeof more, "-d");
	for (int i = 1; i < KEY_SOURCES_MAX; i++)
		length += (size_t)snprintf(more + length, sizeof more - length, " -k%d", i);
	assert_good(more);
	assert_int_equal(options.keys.count, KEY_SOURCES_MAX);
	(void)snprintf(more + length, sizeof more - length, " -kmore");
	assert_int_equal(parse_more(more), 1);
	assert_non_null(strstr(said(), "Error parsing argument: -k more: at most 16 times"));
}

static void
the_level_of_the_log_depends_on_where_it_goes(void **state)
{
	assert_good("-e");
	assert_int_equal(options.log_level, LOG_LEVEL_WARNING);
	assert_good("-e -F");
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_good("-e --syslog");
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_true(options.syslog);
	assert_good("-e -F --syslog");
	assert_false(options.syslog);
	assert_good("-e -F --log-level error");
	assert_int_equal(options.log_level, LOG_LEVEL_ERROR);
}

static void
what_cannot_stand_together_is_answered_with_the_usage(void **state)
{
	assert_usage("");
	assert_usage("-e -d");
	assert_usage("-d -e");
	assert_usage("-e -e");
	assert_usage("-e -f -g");
	assert_usage("-e -r 5 -R");
	assert_usage("-e -R -r 5");
	assert_usage("-e --syslog --syslog");
	assert_usage("-e operand");
}

static void
what_is_missing_is_answered_with_the_usage(void **state)
{
	static char words[][3] = {"-e", "-s", "x", "-t", "x", "-k", "x"};

	for (size_t missing = 1; missing < 7; missing += 2) {
		char *argv[8] = {words[0]};
		int argc = 1;

		for (size_t i = 0; i < 7; i++)
			if (i != missing && i != missing + 1)
				argv[argc++] = words[i];
		assert_int_equal(options_parse(&options, argc, argv, stdout), 1);
		assert_int_equal(strncmp(said(), "usage: ", 7), 0);
	}
}

static void
assert_out_of_range(const char *more)
{
	char line[128];

	assert_int_equal(parse_more(more), 1);
	(void)snprintf(line, sizeof line, "spiped: Error parsing argument: %s: Numerical result out of range\n", more);
	assert_string_equal(said(), line);
}

static void
numbers_out_of_range_are_one_line(void **state)
{
	assert_out_of_range("-n -1");
	assert_out_of_range("-n 4294967296");
	assert_out_of_range("-o -1");
	assert_out_of_range("-o 1e10");
	assert_out_of_range("-r 0");
	assert_out_of_range("-r -5");
	assert_out_of_range("--workers 0");
	assert_out_of_range("--workers 1025");
	assert_out_of_range("--max-handshakes 0");
	assert_out_of_range("--source-mode 1000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(defaults_are_what_they_always_were, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(each_short_option_sets_what_it_says, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(each_long_option_sets_what_it_says, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(
		the_key_may_be_given_more_than_once_up_to_a_limit, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(the_level_of_the_log_depends_on_where_it_goes, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(
		what_cannot_stand_together_is_answered_with_the_usage, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(what_is_missing_is_answered_with_the_usage, said_setup, said_teardown),
	    cmocka_unit_test_setup_teardown(numbers_out_of_range_are_one_line, said_setup, said_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
