/* test_address.c: what is an address, what is not and why, and how one is written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "helpers.h"
#include "test.h"

static const struct {
	const char *text;
	bool is_bind;
	enum endpoint_kind kind;
	const char *host, *port; /* of a UNIX one, the path is the text */
} good[] = {
    {"/run/x.sock", false, ENDPOINT_UNIX, "", ""},
    {"/with:80", false, ENDPOINT_UNIX, "", ""},
    {"/with space", false, ENDPOINT_UNIX, "", ""},
    {"localhost:8025", false, ENDPOINT_NAME, "localhost", "8025"},
    {"mail.example.org:smtp", false, ENDPOINT_NAME, "mail.example.org", "smtp"},
    {"rel/path:80", false, ENDPOINT_NAME, "rel/path", "80"},
    {"127.0.0.1:25", false, ENDPOINT_NUMERIC, "127.0.0.1", "25"},
    {"127.0.0.1:smtp", false, ENDPOINT_NAME, "127.0.0.1", "smtp"},
    {"::1:80", false, ENDPOINT_NUMERIC, "::1", "80"},
    {"[127.0.0.1]:1", false, ENDPOINT_NUMERIC, "127.0.0.1", "1"},
    {"[127.0.0.1]:65535", false, ENDPOINT_NUMERIC, "127.0.0.1", "65535"},
    {"[127.0.0.1]:00000000000000000000000000000000000000000000000000000000000000000000080", false, ENDPOINT_NUMERIC,
	"127.0.0.1", "80"},
    {"[::1]:80", false, ENDPOINT_NUMERIC, "::1", "80"},
    {"[::ffff:192.0.2.1]:80", false, ENDPOINT_NUMERIC, "::ffff:192.0.2.1", "80"},
    {"[fe80::1%eth0]:9999", false, ENDPOINT_NUMERIC, "fe80::1%eth0", "9999"},
    {"[192.0.2.1]", true, ENDPOINT_NUMERIC, "192.0.2.1", "0"},
    {"[2001:db8::1]", true, ENDPOINT_NUMERIC, "2001:db8::1", "0"},
    {"[192.0.2.1]:0", true, ENDPOINT_NUMERIC, "192.0.2.1", "0"},
    {"[192.0.2.1]:1025", true, ENDPOINT_NUMERIC, "192.0.2.1", "1025"},
    {"localhost", true, ENDPOINT_NAME, "localhost", "0"},
};

static void
every_good_address_is_taken_apart(void **state)
{
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct endpoint endpoint = endpoint_of(good[i].text, good[i].is_bind);

		assert_string_equal(endpoint.text, good[i].text);
		assert_int_equal(endpoint.kind, good[i].kind);
		assert_string_equal(endpoint.host, good[i].host);
		assert_string_equal(endpoint.port, good[i].port);
		assert_string_equal(endpoint.path, good[i].kind == ENDPOINT_UNIX ? good[i].text : "");
	}
}

static const struct {
	const char *text;
	bool is_bind;
	const char *problem;
} bad[] = {
    {"", false, "Address must contain port number: "},
    {"", true, "Address must contain a host: "},
    {"localhost", false, "Address must contain port number: localhost"},
    {"[127.0.0.1]", false, "Address must contain port number: [127.0.0.1]"},
    {"[::1]", false, "Address must contain port number: [::1]"},
    {":25", false, "Address must contain a host: :25"},
    {"localhost:", false, "Invalid port number: "},
    {"localhost:", true, "Invalid port number: "},
    {"localhost:0", false, "Invalid port number: 0"},
    {"localhost:65536", false, "Invalid port number: 65536"},
    {"localhost:4294967376", false, "Invalid port number: 4294967376"},
    {"localhost:18446744073709551696", false, "Invalid port number: 18446744073709551696"},
    {"[127.0.0.1]:", false, "Invalid port number: "},
    {"[127.0.0.1]:0", false, "Invalid port number: 0"},
    {"[127.0.0.1]:99999", false, "Invalid port number: 99999"},
    {"[127.0.0.1]:http", false, "Invalid port number: http"},
    {"[127.0.0.1]:+80", false, "Invalid port number: +80"},
    {"[127.0.0.1]:-1", false, "Invalid port number: -1"},
    {"[127.0.0.1]:0x50", false, "Invalid port number: 0x50"},
    {"[1.2.3]:99999", false, "Invalid port number: 99999"},
    {"[127.0.0.1:80", false, "Invalid [IP address]: [127.0.0.1"},
    {"[127.0.0.1]x:80", false, "Invalid [IP address]: [127.0.0.1]x"},
    {"[::1", false, "Invalid [IP address]: [:"},
    {"[:80", false, "Invalid [IP address]: ["},
    {"[", true, "Invalid [IP address]: ["},
    {"[]:80", false, "Error parsing IP address: "},
    {"[1.2.3]:80", false, "Error parsing IP address: 1.2.3"},
    {"[localhost]:80", false, "Error parsing IP address: localhost"},
    {"[127.0.0.1%lo]:80", false, "Error parsing IP address: 127.0.0.1%lo"},
    {"[fe80::1%]:80", false, "Error parsing IP address: fe80::1%"},
    {"[fe80::1%an-interface-nobody-has]:80", false, "Error parsing IP address: fe80::1%an-interface-nobody-has"},
    {"[1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111]:80", false,
	"Error parsing IP address: 1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"},
    {" [127.0.0.1]:80", false, "Address must not contain spaces or control characters:  [127.0.0.1]:80"},
    {" /run/x", false, "Address must not contain spaces or control characters:  /run/x"},
    {"local\nhost:8\x7f", false, "Address must not contain spaces or control characters: local\\x0ahost:8\\x7f"},
};

static void
every_bad_address_is_refused_in_one_sentence(void **state)
{
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct endpoint endpoint;
		char problem[ADDRESS_PROBLEM];

		assert_false(endpoint_parse(&endpoint, bad[i].text, bad[i].is_bind, problem));
		assert_string_equal(problem, bad[i].problem);
	}
}

static void
a_path_of_107_bytes_is_the_longest(void **state)
{
	struct endpoint endpoint;
	char path[109], problem[ADDRESS_PROBLEM], expected[ADDRESS_PROBLEM];

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[107] = '\0';
	assert_true(endpoint_parse(&endpoint, path, false, problem));
	assert_string_equal(endpoint.path, path);
	path[107] = 'x';
	path[108] = '\0';
	assert_false(endpoint_parse(&endpoint, path, false, problem));
	snprintf(expected, sizeof expected, "socket path too long: %s", path);
	assert_string_equal(problem, expected);
}

static void
a_path_keeps_its_control_characters_and_messages_do_not(void **state)
{
	struct endpoint endpoint = endpoint_of("/run/a\nb", false);

	assert_string_equal(endpoint.path, "/run/a\nb");
	assert_string_equal(endpoint.text, "/run/a\\x0ab");
}

/* Every kind of refusal, with a part that goes on and on: the message is cut and the parsing is quick. */
static void
text_of_any_length_is_refused_quickly(void **state)
{
	static const char *const starts[] = {"", "/", "[", "[::1%", "[::1]:", "h:", "\n"};
	static const char fillers[] = "x0:]%\x01 [";
	enum { LENGTH = 1 << 20 };
	char *text = malloc(LENGTH + 1), problem[ADDRESS_PROBLEM];
	struct endpoint endpoint;
	clock_t before = clock();

	assert_non_null(text);
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		for (size_t j = 0; j < sizeof fillers - 1; j++) {
			memset(text, fillers[j], LENGTH);
			memcpy(text, starts[i], strlen(starts[i]));
			text[LENGTH] = '\0';
			assert_false(endpoint_parse(&endpoint, text, i < 3, problem));
			assert_true(strlen(problem) < ADDRESS_PROBLEM);
			assert_null(strpbrk(problem, "\n\x01"));
			assert_true(strlen(endpoint.text) < sizeof endpoint.text);
		}
	}
	assert_true(clock() - before < 5 * CLOCKS_PER_SEC);
	free(text);
}

/* Text of the alphabet that addresses are made of: whatever is accepted is terminated and in its place. */
static void
whatever_is_accepted_is_whole(void **state)
{
	static const char alphabet[] = "[]:%/.0159abf \n\x80";
	uint64_t random = 1;

	for (int round = 0; round < 200000; round++) {
		struct endpoint endpoint;
		char text[24], problem[ADDRESS_PROBLEM];
		size_t length = (size_t)round % sizeof text;

		for (size_t i = 0; i < length; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			text[i] = alphabet[(random >> 33) % (sizeof alphabet - 1)];
		}
		text[length] = '\0';
		if (!endpoint_parse(&endpoint, text, round % 2 == 0, problem))
			continue;
		if (endpoint.kind == ENDPOINT_UNIX)
			assert_string_equal(endpoint.path, text);
		else
			assert_true(strlen(endpoint.host) > 0 && strlen(endpoint.port) > 0);
	}
}

static void
an_address_is_written_as_it_can_be_typed(void **state)
{
	static const char *const texts[][2] = {
	    {"[192.0.2.7]:51234", "192.0.2.7:51234"},
	    {"[2001:db8::1]:25", "[2001:db8::1]:25"},
	    {"[fe80::1%lo]:25", "[fe80::1%lo]:25"},
	    {"[::ffff:192.0.2.7]:25", "192.0.2.7:25"},
	    {"/run/x.sock", "/run/x.sock"},
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct address address = address_of(texts[i][0]), again;
		char text[ADDRESS_TEXT];

		address_format(&address, text);
		assert_string_equal(text, texts[i][1]);
		again = address_of(text);
		address_format(&again, text);
		assert_string_equal(text, texts[i][1]);
	}
}

static void
assert_unix_written(const char *path, size_t length, const char *expected)
{
	struct address address = {.length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)};
	char text[ADDRESS_TEXT];

	address.un.sun_family = AF_UNIX;
	memcpy(address.un.sun_path, path, length);
	address_format(&address, text);
	assert_string_equal(text, expected);
}

static void
unix_sockets_of_every_kind_are_written(void **state)
{
	char longest[sizeof((struct sockaddr_un *)0)->sun_path], expected[sizeof longest + 1] = "";
	struct address address = {.length = 0};
	char text[ADDRESS_TEXT];

	assert_unix_written("", 0, "unix");
	assert_unix_written("", 1, "unix");
	assert_unix_written("/a", 2, "/a");
	assert_unix_written("/a\0b", 4, "/a");
	assert_unix_written("\0a\0b", 4, "@a@b");
	memset(longest, 'x', sizeof longest);
	memcpy(expected, longest, sizeof longest);
	assert_unix_written(longest, sizeof longest, expected);
	address_format(&address, text);
	assert_string_equal(text, "unix");
	memset(&address, 'x', sizeof address);
	address.length = sizeof address;
	address.un.sun_family = AF_UNIX;
	address_format(&address, text);
	assert_string_equal(text, expected);
}

static void
loopback_is_what_does_not_leave_this_machine(void **state)
{
	static const char *const yes[] = {"[127.0.0.1]:1", "[127.255.0.9]:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "/x"};
	static const char *const no[] = {"[126.0.0.1]:1", "[0.0.0.0]:1", "[::]:1", "[::2]:1", "[::ffff:10.0.0.1]:1"};

	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		struct address address = address_of(yes[i]);

		assert_true(address_is_loopback(&address));
	}
	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++) {
		struct address address = address_of(no[i]);

		assert_false(address_is_loopback(&address));
	}
}

static void
addresses_are_equal_to_themselves_only(void **state)
{
	static const char *const texts[] = {"[127.0.0.1]:1", "[127.0.0.1]:2", "[127.0.0.2]:1", "[::1]:1", "[::1]:2",
	    "[::2]:1", "[fe80::1%lo]:1", "[fe80::1]:1", "/x", "/y", "/xy"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
			struct address a = address_of(texts[i]), b = address_of(texts[j]);

			assert_int_equal(address_equal(&a, &b), i == j);
		}
	}
}

static void
abstract_names_are_equal_where_their_lengths_are(void **state)
{
	struct address a = address_of("/xx"), b;

	a.un.sun_path[0] = '\0';
	a.length = offsetof(struct sockaddr_un, sun_path) + 2;
	b = a;
	assert_true(address_equal(&a, &b));
	b.length++;
	assert_false(address_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_good_address_is_taken_apart),
	    cmocka_unit_test(every_bad_address_is_refused_in_one_sentence),
	    cmocka_unit_test(a_path_of_107_bytes_is_the_longest),
	    cmocka_unit_test(a_path_keeps_its_control_characters_and_messages_do_not),
	    cmocka_unit_test(text_of_any_length_is_refused_quickly),
	    cmocka_unit_test(whatever_is_accepted_is_whole),
	    cmocka_unit_test(an_address_is_written_as_it_can_be_typed),
	    cmocka_unit_test(unix_sockets_of_every_kind_are_written),
	    cmocka_unit_test(loopback_is_what_does_not_leave_this_machine),
	    cmocka_unit_test(addresses_are_equal_to_themselves_only),
	    cmocka_unit_test(abstract_names_are_equal_where_their_lengths_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
