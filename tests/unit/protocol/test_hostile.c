/* test_hostile.c: packets that come twice, out of order, not at all or from elsewhere, to a whole session. */
#include "duplex.h"

/* Messages of one packet each, as one stretch of wire. */
struct stretch {
	uint8_t wire[8 * WIRE_PACKET];
	size_t count;
};

static void
client_sends(struct duplex *duplex, struct stretch *stretch, const char *text)
{
	size_t sealed;

	assert_int_equal(session_seal(&duplex->client, stretch->wire + stretch->count * WIRE_PACKET,
			     (const uint8_t *)text, strlen(text), &sealed),
	    OK);
	stretch->count++;
}

/* Packet `from` of the stretch once more, at its end. */
static void
replay(struct stretch *stretch, size_t from)
{
	memcpy(stretch->wire + stretch->count * WIRE_PACKET, stretch->wire + from * WIRE_PACKET, WIRE_PACKET);
	stretch->count++;
}

/* The server is handed the whole stretch at once, gets this much of it, and ends. */
static void
assert_server_gets(struct duplex *duplex, struct stretch *stretch, const char *text, enum error error)
{
	uint8_t plain[8 * WIRE_PLAIN_MAX];
	size_t opened;

	assert_int_equal(session_open(&duplex->server, plain, stretch->wire, stretch->count, &opened), error);
	assert_int_equal(opened, strlen(text));
	assert_memory_equal(plain, text, opened);
	if (error != OK)
		assert_broken(&duplex->server, error);
}

static void
a_repeated_packet_ends_the_connection_after_what_came_before(void **state)
{
	struct stretch stretch = {0};

	duplex_open(*state, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(*state, &stretch, "one");
	replay(&stretch, 0);
	client_sends(*state, &stretch, "two");
	assert_server_gets(*state, &stretch, "one", ERROR_BAD_MAC);
}

static void
swapped_packets_end_the_connection_after_what_came_before(void **state)
{
	struct stretch stretch = {0}, swapped = {0};

	duplex_open(*state, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(*state, &stretch, "one");
	client_sends(*state, &stretch, "two");
	client_sends(*state, &stretch, "three");
	memcpy(swapped.wire, stretch.wire, WIRE_PACKET);
	memcpy(swapped.wire + WIRE_PACKET, stretch.wire + 2 * WIRE_PACKET, WIRE_PACKET);
	memcpy(swapped.wire + 2 * WIRE_PACKET, stretch.wire + WIRE_PACKET, WIRE_PACKET);
	swapped.count = 3;
	assert_server_gets(*state, &swapped, "one", ERROR_BAD_MAC);
}

static void
a_skipped_packet_ends_the_connection_after_what_came_before(void **state)
{
	struct stretch stretch = {0};

	duplex_open(*state, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(*state, &stretch, "one");
	client_sends(*state, &stretch, "lost");
	stretch.count--;
	client_sends(*state, &stretch, "three");
	assert_server_gets(*state, &stretch, "one", ERROR_BAD_MAC);
}

static void
a_bad_length_ends_the_connection_after_what_came_before(void **state)
{
	struct duplex *duplex = *state;
	struct stretch stretch = {0};
	uint8_t *forged = stretch.wire + WIRE_PACKET;

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(duplex, &stretch, "one");
	bytes_put_be32(forged + WIRE_LENGTH_AT, WIRE_PLAIN_MAX + 1);
	assert_int_equal(engine_seal(duplex->engine, &duplex->client.data.seal.keys, 1, forged, 1), OK);
	stretch.count++;
	assert_server_gets(duplex, &stretch, "one", ERROR_BAD_LENGTH);
}

static void
an_ends_own_packet_sent_back_to_it_is_a_bad_mac(void **state)
{
	struct duplex *duplex = *state;
	struct stretch stretch = {0};
	uint8_t plain[WIRE_PLAIN_MAX];
	size_t opened;

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(duplex, &stretch, "one");
	assert_int_equal(session_open(&duplex->client, plain, stretch.wire, 1, &opened), ERROR_BAD_MAC);
	assert_broken(&duplex->client, ERROR_BAD_MAC);
}

static void
packets_of_an_earlier_connection_are_worth_nothing(void **state)
{
	struct duplex *duplex = *state;
	struct stretch stretch = {0};

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	client_sends(duplex, &stretch, "one");
	fill(duplex->server_random, WIRE_NONCE, 77);
	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	assert_server_gets(duplex, &stretch, "", ERROR_BAD_MAC);
}

static void
when_the_numbers_are_used_up_the_session_ends(void **state)
{
	struct duplex *duplex = *state;
	struct stretch stretch = {0};
	const uint8_t byte = 1;
	size_t sealed;

	duplex_open(duplex, FORWARD_SECRECY, FORWARD_SECRECY);
	duplex->client.data.seal.number = duplex->server.data.open.number = UINT64_MAX;
	client_sends(duplex, &stretch, "last");
	assert_server_gets(duplex, &stretch, "last", OK);
	assert_int_equal(session_seal(&duplex->client, stretch.wire, &byte, 1, &sealed), ERROR_NUMBERS_USED_UP);
	assert_broken(&duplex->client, ERROR_NUMBERS_USED_UP);
}

#define DUPLEX_TEST(name) cmocka_unit_test_setup_teardown(name, duplex_setup, duplex_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    DUPLEX_TEST(a_repeated_packet_ends_the_connection_after_what_came_before),
	    DUPLEX_TEST(swapped_packets_end_the_connection_after_what_came_before),
	    DUPLEX_TEST(a_skipped_packet_ends_the_connection_after_what_came_before),
	    DUPLEX_TEST(a_bad_length_ends_the_connection_after_what_came_before),
	    DUPLEX_TEST(an_ends_own_packet_sent_back_to_it_is_a_bad_mac),
	    DUPLEX_TEST(packets_of_an_earlier_connection_are_worth_nothing),
	    DUPLEX_TEST(when_the_numbers_are_used_up_the_session_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
