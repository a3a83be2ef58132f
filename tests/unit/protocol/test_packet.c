/* test_packet.c: padding, lengths, numbers and bad packets, one direction by itself. */
#include "duplex.h"

#include "backend.h"

struct lane {
	struct engine *engine;
	struct packet_direction seal, open;
	uint8_t plain[PACKET_BATCH_PLAIN], wire[PACKET_BATCH_WIRE], out[PACKET_BATCH_PLAIN];
};

static const uint8_t e[WIRE_KEY] = {1}, h[WIRE_KEY] = {2};

static int
lane_setup(void **state)
{
	struct lane *lane = calloc(1, sizeof *lane);

	if (lane == NULL || (lane->engine = engine_new(test_backend())) == NULL)
		return -1;
	fill(lane->plain, sizeof lane->plain, 3);
	*state = lane;
	return packet_direction_start(&lane->seal, lane->engine, e, h) == OK &&
		       packet_direction_start(&lane->open, lane->engine, e, h) == OK
		   ? 0
		   : -1;
}

static int
lane_teardown(void **state)
{
	struct lane *lane = *state;

	packet_direction_wipe(&lane->seal, lane->engine);
	packet_direction_wipe(&lane->open, lane->engine);
	engine_free(lane->engine);
	free(lane);
	return 0;
}

static size_t
seal(struct lane *lane, size_t length)
{
	size_t sealed;

	assert_int_equal(packet_seal(&lane->seal, lane->engine, lane->wire, lane->plain, length, &sealed), OK);
	assert_int_equal(sealed % WIRE_PACKET, 0);
	return sealed / WIRE_PACKET;
}

/* Opens count packets of wire and expects this many bytes of plain, and then this error. */
static void
assert_opens(struct lane *lane, size_t count, size_t length, enum error error)
{
	size_t opened = 1;

	memset(lane->out, 0, sizeof lane->out);
	assert_int_equal(packet_open(&lane->open, lane->engine, lane->out, lane->wire, count, &opened), error);
	assert_int_equal(opened, length);
	assert_memory_equal(lane->out, lane->plain, length);
	for (size_t i = length; i < sizeof lane->out; i++)
		assert_int_equal(lane->out[i], 0);
}

/* A packet whose MAC is right and whose length says what the test likes; number: as the receiver counts. */
static void
forge(struct lane *lane, size_t at, const uint8_t body[WIRE_PADDED], uint64_t number)
{
	uint8_t *packet = lane->wire + at * WIRE_PACKET;

	memcpy(packet, body, WIRE_PADDED);
	assert_int_equal(engine_seal(lane->engine, &lane->seal.keys, number, packet, 1), OK);
}

static void
swap_packets(struct lane *lane, size_t a, size_t b)
{
	uint8_t held[WIRE_PACKET];

	memcpy(held, lane->wire + a * WIRE_PACKET, WIRE_PACKET);
	memcpy(lane->wire + a * WIRE_PACKET, lane->wire + b * WIRE_PACKET, WIRE_PACKET);
	memcpy(lane->wire + b * WIRE_PACKET, held, WIRE_PACKET);
}

static void
every_length_up_to_a_few_packets_comes_out_as_it_went_in(void **state)
{
	struct lane *lane = *state;
	size_t opened;

	for (size_t length = 1; length <= 3 * WIRE_PLAIN_MAX + 1; length++) {
		size_t count = seal(lane, length);

		assert_int_equal(count, (length + WIRE_PLAIN_MAX - 1) / WIRE_PLAIN_MAX);
		assert_int_equal(packet_open(&lane->open, lane->engine, lane->out, lane->wire, count, &opened), OK);
		assert_int_equal(opened, length);
		assert_memory_equal(lane->out, lane->plain, length);
	}
}

static void
a_batch_of_any_size_comes_out_as_it_went_in(void **state)
{
	struct lane *lane = *state;

	for (size_t count = 1; count <= PACKET_BATCH_MAX; count++) {
		assert_int_equal(seal(lane, count * WIRE_PLAIN_MAX), count);
		assert_opens(lane, count, count * WIRE_PLAIN_MAX, OK);
	}
}

static void
a_batch_may_be_opened_in_other_batches_than_it_was_sealed_in(void **state)
{
	struct lane *lane = *state;
	size_t count = seal(lane, 20 * WIRE_PLAIN_MAX + 5), opened, length = 0;

	for (size_t i = 0, n = 1; i < count; i += n, n = n % 4 + 1) {
		uint8_t *wire = lane->wire + i * WIRE_PACKET;

		if (n > count - i)
			n = count - i;
		assert_int_equal(packet_open(&lane->open, lane->engine, lane->out + length, wire, n, &opened), OK);
		length += opened;
	}
	assert_int_equal(length, 20 * WIRE_PLAIN_MAX + 5);
	assert_memory_equal(lane->out, lane->plain, length);
}

static void
short_packets_in_one_batch_come_out_close_together(void **state)
{
	struct lane *lane = *state;
	size_t sealed;

	for (size_t i = 0; i < 10; i++)
		assert_int_equal(packet_seal(&lane->seal, lane->engine, lane->wire + i * WIRE_PACKET,
				     lane->plain + i * 7, 7, &sealed),
		    OK);
	assert_opens(lane, 10, 70, OK);
}

static void
what_is_sealed_is_the_message_zeros_and_its_length(void **state)
{
	struct lane *lane = *state;
	size_t count, good;

	memset(lane->wire, 0xa5, 2 * WIRE_PACKET); /* what the buffer held before goes nowhere */
	count = seal(lane, WIRE_PLAIN_MAX + 3);
	assert_int_equal(engine_open(lane->engine, &lane->open.keys, 0, lane->wire, count, &good), OK);
	assert_memory_equal(lane->wire, lane->plain, WIRE_PLAIN_MAX);
	assert_memory_equal(lane->wire + WIRE_PLAIN_MAX, "\0\0\4\0", 4);
	assert_memory_equal(lane->wire + WIRE_PACKET, lane->plain + WIRE_PLAIN_MAX, 3);
	for (size_t i = 3; i < WIRE_PLAIN_MAX; i++)
		assert_int_equal(lane->wire[WIRE_PACKET + i], 0);
	assert_memory_equal(lane->wire + WIRE_PACKET + WIRE_PLAIN_MAX, "\0\0\0\3", 4);
}

static void
a_length_of_0_or_over_1024_is_refused_even_with_its_mac_right(void **state)
{
	struct lane *lane = *state;
	const uint32_t lengths[] = {0, 1025, 1028, 0x00010001, 0x80000001, UINT32_MAX};

	for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
		uint8_t body[WIRE_PADDED] = {0};

		bytes_put_be32(body + WIRE_LENGTH_AT, lengths[i]);
		forge(lane, 0, body, lane->open.number);
		assert_opens(lane, 1, 0, ERROR_BAD_LENGTH);
	}
}

static void
what_came_before_a_bad_length_is_there_and_nothing_behind_it(void **state)
{
	struct lane *lane = *state;
	uint8_t body[WIRE_PADDED] = {0};

	assert_int_equal(seal(lane, 5 * WIRE_PLAIN_MAX), 5);
	forge(lane, 3, body, 3);
	assert_opens(lane, 5, 3 * WIRE_PLAIN_MAX, ERROR_BAD_LENGTH);
}

static void
a_bad_length_before_a_bad_mac_is_what_is_told(void **state)
{
	struct lane *lane = *state;
	uint8_t body[WIRE_PADDED] = {0};

	assert_int_equal(seal(lane, 5 * WIRE_PLAIN_MAX), 5);
	forge(lane, 1, body, 1);
	lane->wire[3 * WIRE_PACKET] ^= 1;
	assert_opens(lane, 5, WIRE_PLAIN_MAX, ERROR_BAD_LENGTH);
}

static void
the_zeros_behind_the_message_are_not_checked(void **state)
{
	struct lane *lane = *state;
	uint8_t body[WIRE_PADDED];

	memcpy(body, lane->plain, WIRE_PLAIN_MAX);
	bytes_put_be32(body + WIRE_LENGTH_AT, 10);
	forge(lane, 0, body, 0);
	assert_opens(lane, 1, 10, OK);
}

static void
any_bit_that_is_changed_is_a_bad_mac(void **state)
{
	struct lane *lane = *state;
	uint8_t packet[WIRE_PACKET];

	assert_int_equal(seal(lane, 100), 1);
	memcpy(packet, lane->wire, WIRE_PACKET);
	for (size_t bit = 0; bit < 8 * WIRE_PACKET; bit++) {
		size_t opened = 1;

		memcpy(lane->wire, packet, WIRE_PACKET);
		lane->wire[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(
		    packet_open(&lane->open, lane->engine, lane->out, lane->wire, 1, &opened), ERROR_BAD_MAC);
		assert_int_equal(opened, 0);
	}
	memcpy(lane->wire, packet, WIRE_PACKET);
	assert_opens(lane, 1, 100, OK);
}

static void
what_came_before_a_bad_mac_is_there_and_nothing_behind_it(void **state)
{
	struct lane *lane = *state;

	for (size_t bad = 0; bad < 9; bad++) {
		lane->seal.number = lane->open.number = 0;
		assert_int_equal(seal(lane, 9 * WIRE_PLAIN_MAX), 9);
		lane->wire[bad * WIRE_PACKET + 17] ^= 0x20;
		assert_opens(lane, 9, bad * WIRE_PLAIN_MAX, ERROR_BAD_MAC);
	}
}

static void
a_repeated_packet_is_a_bad_mac(void **state)
{
	struct lane *lane = *state;

	assert_int_equal(seal(lane, 3 * WIRE_PLAIN_MAX), 3);
	memcpy(lane->wire + 2 * WIRE_PACKET, lane->wire + WIRE_PACKET, WIRE_PACKET);
	assert_opens(lane, 3, 2 * WIRE_PLAIN_MAX, ERROR_BAD_MAC);
}

static void
swapped_packets_are_a_bad_mac(void **state)
{
	struct lane *lane = *state;

	assert_int_equal(seal(lane, 4 * WIRE_PLAIN_MAX), 4);
	swap_packets(lane, 1, 2);
	assert_opens(lane, 4, WIRE_PLAIN_MAX, ERROR_BAD_MAC);
}

static void
a_skipped_packet_is_a_bad_mac(void **state)
{
	struct lane *lane = *state;

	assert_int_equal(seal(lane, 4 * WIRE_PLAIN_MAX), 4);
	memmove(lane->wire + 2 * WIRE_PACKET, lane->wire + 3 * WIRE_PACKET, WIRE_PACKET);
	assert_opens(lane, 3, 2 * WIRE_PLAIN_MAX, ERROR_BAD_MAC);
}

static void
the_last_number_may_be_used_and_then_none_is_left(void **state)
{
	struct lane *lane = *state;
	size_t n = 1;

	lane->seal.number = lane->open.number = UINT64_MAX - 1;
	assert_int_equal(seal(lane, 2 * WIRE_PLAIN_MAX), 2);
	assert_opens(lane, 2, 2 * WIRE_PLAIN_MAX, OK);
	assert_int_equal(packet_seal(&lane->seal, lane->engine, lane->wire, lane->plain, 1, &n), ERROR_NUMBERS_USED_UP);
	assert_int_equal(n, 0);
	assert_opens(lane, 1, 0, ERROR_NUMBERS_USED_UP);
}

static void
a_batch_with_more_packets_than_numbers_is_not_sealed_at_all(void **state)
{
	struct lane *lane = *state;
	size_t n = 1;

	lane->seal.number = UINT64_MAX - 1;
	memset(lane->wire, 0xa5, sizeof lane->wire);
	assert_int_equal(packet_seal(&lane->seal, lane->engine, lane->wire, lane->plain, 2 * WIRE_PLAIN_MAX + 1, &n),
	    ERROR_NUMBERS_USED_UP);
	assert_int_equal(n, 0);
	assert_int_equal(lane->wire[0], 0xa5);
	assert_int_equal(seal(lane, 2 * WIRE_PLAIN_MAX), 2);
}

static void
of_a_batch_with_more_packets_than_numbers_those_that_have_one_are_opened(void **state)
{
	struct lane *lane = *state;

	lane->seal.number = lane->open.number = UINT64_MAX - 1;
	assert_int_equal(seal(lane, 2 * WIRE_PLAIN_MAX), 2);
	assert_opens(lane, 5, 2 * WIRE_PLAIN_MAX, ERROR_NUMBERS_USED_UP);
	assert_opens(lane, 1, 0, ERROR_NUMBERS_USED_UP);
}

/* From a batch that leaves a number over to one that needs one more than there are. */
/* Whoever has a buffer for a batch relies on it. */
static void
a_batch_is_256_packets(void **state)
{
	(void)state;
	assert_int_equal(PACKET_BATCH_MAX, 256);
	assert_int_equal(PACKET_BATCH_PLAIN, 262144);
	assert_int_equal(PACKET_BATCH_WIRE, 271360);
}

static void
numbers_are_counted_to_the_last_one(void **state)
{
	struct lane *lane = *state;

	for (uint64_t left = 6; left >= 4; left--) {
		lane->seal.number = lane->open.number = UINT64_MAX - (left - 1);
		lane->seal.used_up = lane->open.used_up = false;
		seal(lane, 4 * WIRE_PLAIN_MAX);
		assert_opens(lane, 4, 4 * WIRE_PLAIN_MAX, OK);
		assert_int_equal(lane->open.number, UINT64_MAX - (left - 1) + 4);
		assert_int_equal(lane->open.used_up, left == 4);
	}
}

static void
a_bad_mac_before_the_numbers_end_is_what_is_told(void **state)
{
	struct lane *lane = *state;

	lane->seal.number = lane->open.number = UINT64_MAX - 1;
	assert_int_equal(seal(lane, 2 * WIRE_PLAIN_MAX), 2);
	lane->wire[WIRE_PACKET] ^= 1;
	assert_opens(lane, 3, WIRE_PLAIN_MAX, ERROR_BAD_MAC);
}

static void
a_direction_begins_with_number_0_in_whatever_memory(void **state)
{
	struct lane *lane = *state;

	memset(&lane->seal, 0xa5, sizeof lane->seal);
	assert_int_equal(packet_direction_start(&lane->seal, lane->engine, e, h), OK);
	seal(lane, 1);
	assert_opens(lane, 1, 1, OK);
}

static void
a_wiped_direction_holds_nothing(void **state)
{
	static const uint8_t nothing[sizeof(struct packet_direction)];
	struct lane *lane = *state;

	seal(lane, 1);
	packet_direction_wipe(&lane->seal, lane->engine);
	assert_memory_equal(&lane->seal, nothing, sizeof nothing);
}

#define LANE_TEST(name) cmocka_unit_test_setup_teardown(name, lane_setup, lane_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    LANE_TEST(every_length_up_to_a_few_packets_comes_out_as_it_went_in),
	    LANE_TEST(a_batch_of_any_size_comes_out_as_it_went_in),
	    LANE_TEST(a_batch_may_be_opened_in_other_batches_than_it_was_sealed_in),
	    LANE_TEST(short_packets_in_one_batch_come_out_close_together),
	    LANE_TEST(what_is_sealed_is_the_message_zeros_and_its_length),
	    LANE_TEST(a_length_of_0_or_over_1024_is_refused_even_with_its_mac_right),
	    LANE_TEST(what_came_before_a_bad_length_is_there_and_nothing_behind_it),
	    LANE_TEST(a_bad_length_before_a_bad_mac_is_what_is_told),
	    LANE_TEST(the_zeros_behind_the_message_are_not_checked),
	    LANE_TEST(any_bit_that_is_changed_is_a_bad_mac),
	    LANE_TEST(what_came_before_a_bad_mac_is_there_and_nothing_behind_it),
	    LANE_TEST(a_repeated_packet_is_a_bad_mac),
	    LANE_TEST(swapped_packets_are_a_bad_mac),
	    LANE_TEST(a_skipped_packet_is_a_bad_mac),
	    LANE_TEST(the_last_number_may_be_used_and_then_none_is_left),
	    LANE_TEST(a_batch_with_more_packets_than_numbers_is_not_sealed_at_all),
	    LANE_TEST(of_a_batch_with_more_packets_than_numbers_those_that_have_one_are_opened),
	    LANE_TEST(a_batch_is_256_packets),
	    LANE_TEST(numbers_are_counted_to_the_last_one),
	    LANE_TEST(a_bad_mac_before_the_numbers_end_is_what_is_told),
	    LANE_TEST(a_wiped_direction_holds_nothing),
	    LANE_TEST(a_direction_begins_with_number_0_in_whatever_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
