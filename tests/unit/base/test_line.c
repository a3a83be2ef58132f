/* test_line.c: a log line says what it was told, and no value from outside can make it say more. */
#include "test.h"

#include <string.h>

#include "base/line.h"

static const char *
line_with(const char *value)
{
	static struct line line;

	line_start(&line, "e");
	line_text(&line, "v", value);
	assert_int_equal(line.length, strlen(line.text));
	return line.text;
}

static void
a_line_is_an_event_and_then_names_with_values(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "close");
	line_text(&line, "peer", "[2001:db8::7%eth0]:51234");
	line_seconds(&line, "seconds", 12345);
	line_number(&line, "to_target", UINT64_MAX);
	line_reason(&line, ERROR_WRONG_KEY);
	assert_string_equal(line.text,
	    "close peer=[2001:db8::7%eth0]:51234 seconds=12.3 to_target=18446744073709551615 reason=wrong-key");
	assert_int_equal(line.length, strlen(line.text));
}

static void
starting_again_forgets_the_line_before(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, "something-long");
	line_start(&line, "open");
	assert_string_equal(line.text, "open");
}

static void
seconds_have_one_decimal_that_is_cut_off(void **state)
{
	static const struct {
		uint64_t milliseconds;
		const char *text;
	} cases[] = {{0, "e s=0.0"}, {99, "e s=0.0"}, {100, "e s=0.1"}, {999, "e s=0.9"}, {60000, "e s=60.0"}};
	struct line line;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		line_start(&line, "e");
		line_seconds(&line, "s", cases[i].milliseconds);
		assert_string_equal(line.text, cases[i].text);
	}
}

static void
plain_values_are_not_quoted(void **state)
{
	(void)state;
	assert_string_equal(line_with("AZaz09._:/@%+,[]-"), "e v=AZaz09._:/@%+,[]-");
}

static void
everything_else_is_quoted_and_escaped(void **state)
{
	(void)state;
	assert_string_equal(line_with(""), "e v=\"\"");
	assert_string_equal(line_with("a b"), "e v=\"a b\"");
	assert_string_equal(line_with("a=b"), "e v=\"a=b\"");
	assert_string_equal(line_with("say \"hi\" \\o/"), "e v=\"say \\\"hi\\\" \\\\o/\"");
	assert_string_equal(line_with("x\nclose peer=me"), "e v=\"x\\x0aclose peer=me\"");
	assert_string_equal(line_with("\x01\x1f\x7f\x80\xff"), "e v=\"\\x01\\x1f\\x7f\\x80\\xff\"");
}

static void
each_byte_is_printable_in_the_line(void **state)
{
	char value[2] = {0};

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		value[0] = (char)byte;
		for (const char *c = line_with(value); *c != '\0'; c++)
			assert_true(*c >= 0x20 && *c <= 0x7e);
	}
}

static void
a_line_that_fits_to_the_last_byte_is_whole(void **state)
{
	char value[LINE_MAX_LENGTH + 1] = {0};

	(void)state;
	memset(value, 'x', LINE_MAX_LENGTH - strlen("e v="));
	assert_int_equal(strlen(line_with(value)), LINE_MAX_LENGTH);
	assert_null(strstr(line_with(value), "..."));
}

static void
a_line_that_is_too_long_ends_in_dots_whatever_comes_after(void **state)
{
	char value[2 * LINE_MAX_LENGTH + 1] = {0};
	struct line line;

	(void)state;
	for (size_t length = LINE_MAX_LENGTH - 3; length <= 2 * LINE_MAX_LENGTH; length++) {
		memset(value, length % 2 ? 'x' : '\n', length);
		value[length] = '\0';
		line_start(&line, "e");
		line_text(&line, "v", value);
		line_number(&line, "n", 7);
		line_reason(&line, OK);
		assert_int_equal(line.length, LINE_MAX_LENGTH);
		assert_int_equal(strlen(line.text), LINE_MAX_LENGTH);
		assert_string_equal(line.text + LINE_MAX_LENGTH - 3, "...");
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_an_event_and_then_names_with_values),
	    cmocka_unit_test(starting_again_forgets_the_line_before),
	    cmocka_unit_test(seconds_have_one_decimal_that_is_cut_off),
	    cmocka_unit_test(plain_values_are_not_quoted),
	    cmocka_unit_test(everything_else_is_quoted_and_escaped),
	    cmocka_unit_test(each_byte_is_printable_in_the_line),
	    cmocka_unit_test(a_line_that_fits_to_the_last_byte_is_whole),
	    cmocka_unit_test(a_line_that_is_too_long_ends_in_dots_whatever_comes_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
