/* test_error.c: the words are an interface, so each is there, is one word, and is nobody else's. */
#include "test.h"

#include <string.h>

#include "base/error.h"

static void
every_word_is_made_of_lower_case_letters_digits_and_dashes(void **state)
{
	(void)state;
	for (int i = 0; i < ERROR_COUNT; i++) {
		const char *word = error_word((enum error)i);

		assert_non_null(word);
		assert_true(strlen(word) > 0);
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(word));
	}
}

static void
no_two_errors_share_a_word_or_a_text(void **state)
{
	(void)state;
	for (int i = 0; i < ERROR_COUNT; i++) {
		for (int j = 0; j < i; j++) {
			assert_string_not_equal(error_word((enum error)i), error_word((enum error)j));
			assert_string_not_equal(error_text((enum error)i), error_text((enum error)j));
		}
	}
}

static void
a_text_starts_small_and_has_no_full_stop(void **state)
{
	(void)state;
	for (int i = 0; i < ERROR_COUNT; i++) {
		const char *text = error_text((enum error)i);

		assert_non_null(text);
		assert_true(text[0] >= 'a' && text[0] <= 'z');
		assert_true(text[strlen(text) - 1] != '.');
	}
}

static void
ok_is_called_end_and_a_number_that_is_no_error_unknown(void **state)
{
	(void)state;
	assert_string_equal(error_word(OK), "end");
	assert_string_equal(error_word(ERROR_COUNT), "unknown");
	assert_string_equal(error_text((enum error) - 1), "unknown error");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_word_is_made_of_lower_case_letters_digits_and_dashes),
	    cmocka_unit_test(no_two_errors_share_a_word_or_a_text),
	    cmocka_unit_test(a_text_starts_small_and_has_no_full_stop),
	    cmocka_unit_test(ok_is_called_end_and_a_number_that_is_no_error_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
