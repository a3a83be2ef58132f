/* test_resolve.c: names at once, and names looked up again and again. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "test.h"

/* A name that no resolver asks anybody about: it has an empty label. */
#define NO_NAME "no..name"

/* Appends the answer for a numeric host to *answers. */
static int
append_answer(struct addrinfo **answers, const char *host, const char *port, const struct addrinfo *hints)
{
	typedef int look_up(const char *, const char *, const struct addrinfo *, struct addrinfo **);
	look_up *real;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	while (*answers != NULL)
		answers = &(*answers)->ai_next;
	return real(host, port, hints, answers);
}

/* Stands before the system's, for libuv too: names under .test have the addresses that they spell. */
int
getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **answers)
{
	int error = 0;

	*answers = NULL;
	if (strstr(host, ".test") == NULL)
		return append_answer(answers, host, port, hints);
	for (; *host != '.' && error == 0; host++)
		error =
		    append_answer(answers, (char[]){'1', '9', '2', '.', '0', '.', '2', '.', *host, '\0'}, port, hints);
	return error;
}

static void
assert_resolves_to(const char *text, const char *expected)
{
	struct endpoint endpoint = endpoint_of(text, true);
	struct address_list list;
	char problem[ADDRESS_PROBLEM], got[ADDRESS_TEXT];
	bool temporary;

	assert_true(resolve_now(&endpoint, &list, problem, &temporary));
	assert_int_equal(list.count, 1);
	address_format(&list.addresses[0], got);
	assert_string_equal(got, expected);
}

static void
an_address_is_its_own_answer(void **state)
{
	assert_resolves_to("[127.0.0.1]:80", "127.0.0.1:80");
	assert_resolves_to("[::1]:80", "[::1]:80");
	assert_resolves_to("[fe80::1%lo]:80", "[fe80::1%lo]:80");
	assert_resolves_to("[192.0.2.1]", "192.0.2.1:0");
	assert_resolves_to("127.1:80", "127.0.0.1:80");
	assert_resolves_to("/run/x.sock", "/run/x.sock");
}

static void
a_name_has_each_of_its_addresses_once_in_the_order_of_the_system(void **state)
{
	struct endpoint endpoint = endpoint_of("12132.test:80", false);
	struct address_list list;
	char problem[ADDRESS_PROBLEM], text[ADDRESS_TEXT];
	bool temporary;

	assert_true(resolve_now(&endpoint, &list, problem, &temporary));
	assert_int_equal(list.count, 3);
	for (size_t i = 0; i < 3; i++) {
		address_format(&list.addresses[i], text);
		assert_int_equal(text[strlen("192.0.2.")], '1' + (int)i);
	}
}

static void
this_machine_has_a_name(void **state)
{
	struct endpoint endpoint = endpoint_of("localhost:80", false);
	struct address_list list;
	char problem[ADDRESS_PROBLEM];
	bool temporary;

	assert_true(resolve_now(&endpoint, &list, problem, &temporary));
	assert_true(list.count >= 1);
	for (size_t i = 0; i < list.count; i++)
		assert_true(address_is_loopback(&list.addresses[i]));
}

static void
assert_not_found(const char *text, const char *expected, bool can_change)
{
	struct endpoint endpoint = endpoint_of(text, false);
	struct address_list list;
	char problem[ADDRESS_PROBLEM];
	bool temporary;

	assert_false(resolve_now(&endpoint, &list, problem, &temporary));
	problem[strnlen(problem, strlen(expected))] = '\0';
	assert_string_equal(problem, expected);
	assert_int_equal(temporary, can_change);
	assert_int_equal(list.count, 0);
}

static void
what_cannot_be_found_is_said_in_one_line(void **state)
{
	assert_not_found(NO_NAME ":80", "Error looking up no..name: Name or service not known", true);
	assert_not_found(
	    "localhost:no-such", "Error looking up localhost: Servname not supported for ai_socktype", false);
	assert_not_found("[fe80::1%nosuch]:80", "Error looking up fe80::1%nosuch: No such device", true);
	/* Without a name server the reason is another one. */
	assert_not_found("nosuch.invalid:80", "Error looking up nosuch.invalid: ", true);
}

struct fixture {
	uv_loop_t loop;
	uv_prepare_t prepare; /* before the loop waits, in which answers come */
	uv_check_t check;     /* and after */
	struct resolver resolver;
	struct endpoint endpoint; /* changed under the resolver's feet, as a name server changes its answers */
	struct log_sink log;
	int changes, lines, answers, answers_wanted;
	bool was_busy, stop_when_busy;
	char last_line[1024];
};

static void
on_line(void *context, enum log_level level, bool stranger, const char *line)
{
	struct fixture *fixture = context;

	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_false(stranger);
	fixture->lines++;
	snprintf(fixture->last_line, sizeof fixture->last_line, "%s", line);
}

static void
on_change(struct resolver *resolver)
{
	struct fixture *fixture = resolver->context;

	fixture->changes++;
}

static void
before_answers(uv_prepare_t *handle)
{
	struct fixture *fixture = handle->data;

	fixture->was_busy = fixture->resolver.busy;
	if (!fixture->was_busy || !fixture->stop_when_busy)
		return;
	resolver_stop(&fixture->resolver);
	resolver_stop(&fixture->resolver);
}

static void
count_answers(uv_check_t *check)
{
	struct fixture *fixture = check->data;

	fixture->answers += fixture->was_busy && !fixture->resolver.busy;
	if (fixture->answers >= fixture->answers_wanted)
		uv_stop(&fixture->loop);
}

/* Runs until that many look-ups more have been answered. */
static void
run_until_answered(struct fixture *fixture, int answers)
{
	fixture->answers_wanted = fixture->answers + answers;
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(fixture->answers, fixture->answers_wanted);
}

static int
prepare(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);

	fixture->log = (struct log_sink){.write = on_line, .context = fixture, .level = LOG_LEVEL_WARNING};
	uv_loop_init(&fixture->loop);
	uv_prepare_init(&fixture->loop, &fixture->prepare);
	uv_check_init(&fixture->loop, &fixture->check);
	fixture->prepare.data = fixture->check.data = fixture;
	uv_prepare_start(&fixture->prepare, before_answers);
	uv_check_start(&fixture->check, count_answers);
	uv_unref((uv_handle_t *)&fixture->prepare);
	uv_unref((uv_handle_t *)&fixture->check);
	*state = fixture;
	return 0;
}

static int
clean_up(void **state)
{
	struct fixture *fixture = *state;

	fixture->answers_wanted = 1 << 30;
	resolver_stop(&fixture->resolver);
	uv_close((uv_handle_t *)&fixture->prepare, NULL);
	uv_close((uv_handle_t *)&fixture->check, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	free(fixture);
	return 0;
}

static void
start(struct fixture *fixture, const char *text, const struct address_list *initial, uint64_t interval)
{
	fixture->endpoint = endpoint_of(text, false);
	assert_int_equal(resolver_start(&fixture->resolver, &fixture->loop, &fixture->endpoint, initial, interval,
			     &fixture->log, on_change, fixture),
	    0);
}

static struct address_list
answer_of(const char *text)
{
	struct address address = address_of(text);
	struct address_list list = {.count = 0};

	list_add(&list, &address);
	return list;
}

static void
what_needs_no_look_up_is_never_looked_up(void **state)
{
	struct fixture *fixture = *state;
	struct address_list list = answer_of("[192.0.2.1]:80");

	start(fixture, "[192.0.2.1]:80", &list, 1);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->answers, 0);
	assert_int_equal(fixture->changes, 0);
	assert_int_equal(fixture->resolver.list.count, 1);
}

static void
a_unix_path_has_its_answer_from_the_start(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "/run/x.sock", NULL, 1);
	assert_int_equal(fixture->resolver.list.count, 1);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static void
without_an_interval_a_known_name_is_never_looked_up_again(void **state)
{
	struct fixture *fixture = *state;
	struct address_list list = answer_of("[192.0.2.1]:80");

	start(fixture, "localhost:80", &list, 0);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->answers, 0);
}

static void
the_same_answer_in_any_order_is_no_change(void **state)
{
	struct fixture *fixture = *state;

	start(fixture, "12.test:80", NULL, 1);
	run_until_answered(fixture, 3);
	assert_int_equal(fixture->changes, 1);
	fixture->endpoint = endpoint_of("21.test:80", false);
	run_until_answered(fixture, 3);
	assert_int_equal(fixture->changes, 1);
	assert_int_equal(fixture->resolver.list.count, 2);
	assert_int_equal(fixture->lines, 0);
}

static void
another_answer_is_a_change(void **state)
{
	struct fixture *fixture = *state;
	struct address_list list = answer_of("[192.0.2.1]:80");

	start(fixture, "12.test:80", &list, 1);
	run_until_answered(fixture, 1);
	assert_int_equal(fixture->changes, 1);
	assert_int_equal(fixture->resolver.list.count, 2);
	fixture->endpoint = endpoint_of("13.test:80", false);
	run_until_answered(fixture, 1);
	assert_int_equal(fixture->changes, 2);
	fixture->endpoint = endpoint_of("3.test:80", false);
	run_until_answered(fixture, 1);
	assert_int_equal(fixture->changes, 3);
}

static void
the_last_good_answer_outlives_failures_with_a_line_at_each_turn(void **state)
{
	struct fixture *fixture = *state;
	struct address_list list = answer_of("[192.0.2.1]:80");

	start(fixture, NO_NAME ":80", &list, 1);
	run_until_answered(fixture, 3);
	assert_int_equal(fixture->lines, 1);
	assert_string_equal(
	    fixture->last_line, "lookup-failed name=no..name error=\"unknown node or service\" kept_addresses=1");
	assert_int_equal(fixture->changes, 0);
	assert_int_equal(fixture->resolver.list.count, 1);
	assert_true(address_equal(&fixture->resolver.list.addresses[0], &list.addresses[0]));

	fixture->endpoint = endpoint_of("127.1:80", false);
	run_until_answered(fixture, 3);
	assert_int_equal(fixture->lines, 2);
	assert_string_equal(fixture->last_line, "lookup-works-again name=127.1 addresses=1");
	assert_int_equal(fixture->changes, 1);

	fixture->endpoint = endpoint_of(NO_NAME ":80", false);
	run_until_answered(fixture, 1);
	assert_int_equal(fixture->lines, 3);
}

static void
a_name_that_never_had_an_answer_is_asked_for_every_second_until_it_has(void **state)
{
	struct fixture *fixture = *state;
	uint64_t before;

	start(fixture, NO_NAME ":80", NULL, 0);
	run_until_answered(fixture, 1);
	assert_int_equal(fixture->resolver.list.count, 0);
	fixture->endpoint = endpoint_of("localhost:80", false);
	before = uv_hrtime();
	run_until_answered(fixture, 1);
	assert_in_range(uv_hrtime() - before, 900 * 1000 * 1000, 1900 * 1000 * 1000);
	assert_int_equal(fixture->changes, 1);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static void
stopping_during_a_look_up_says_nothing_any_more(void **state)
{
	struct fixture *fixture = *state;

	fixture->answers_wanted = 1 << 30;
	fixture->stop_when_busy = true;
	start(fixture, "localhost:80", NULL, 1);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(fixture->answers, 1);
	assert_int_equal(fixture->changes, 0);
	assert_int_equal(fixture->lines, 0);
}

#define WITH_RESOLVER(name) cmocka_unit_test_setup_teardown(name, prepare, clean_up)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_address_is_its_own_answer),
	    cmocka_unit_test(a_name_has_each_of_its_addresses_once_in_the_order_of_the_system),
	    cmocka_unit_test(this_machine_has_a_name),
	    cmocka_unit_test(what_cannot_be_found_is_said_in_one_line),
	    WITH_RESOLVER(what_needs_no_look_up_is_never_looked_up),
	    WITH_RESOLVER(a_unix_path_has_its_answer_from_the_start),
	    WITH_RESOLVER(without_an_interval_a_known_name_is_never_looked_up_again),
	    WITH_RESOLVER(the_same_answer_in_any_order_is_no_change),
	    WITH_RESOLVER(another_answer_is_a_change),
	    WITH_RESOLVER(the_last_good_answer_outlives_failures_with_a_line_at_each_turn),
	    WITH_RESOLVER(a_name_that_never_had_an_answer_is_asked_for_every_second_until_it_has),
	    WITH_RESOLVER(stopping_during_a_look_up_says_nothing_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
