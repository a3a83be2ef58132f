/* test_pipe_end.c: how open connections end: what is delivered first, how each leg goes, and when at the latest. */
#include "world.h"

static void
each_direction_ends_by_itself(void **state)
{
	struct world *world = *state;

	for (int first = 0; first < ENDS; first++) {
		int second = first == ENCRYPTER ? DECRYPTER : ENCRYPTER;

		world_open(world);
		world_say(world, first, 5000);
		world_end(world, first);
		world_wait(world, 100 * TIMEOUT);
		assert_heard(world, second, 5000);
		assert_did(world, first, first == ENCRYPTER ? "DHHOS" : "MDHOS");
		assert_did(world, second, second == ENCRYPTER ? "DHHOs" : "MDHOs");
		world_say(world, second, 300000);
		world_run(world);
		assert_heard(world, first, 300000);
		world_end(world, second);
		world_run(world);
		assert_did(world, first, first == ENCRYPTER ? "DHHOSsCc." : "MDHOSsCc.");
		assert_did(world, second, second == ENCRYPTER ? "DHHOsSCc." : "MDHOsSCc.");
	}
}

/* A broken wire's end delivers what was whole, waits until it has gone, and then resets: never an end. */
static void
a_wire_cut_inside_a_packet_is_no_end(void **state)
{
	struct world *world = *state;

	for (size_t at = 0; at <= 2 * WIRE_PACKET; at++) {
		bool is_whole = at % WIRE_PACKET == 0;

		world_open(world);
		world->is_tampered = true;
		world->ends[DECRYPTER].legs[PIPE_CIPHER].read_most = 0;
		world_say(world, ENCRYPTER, 2 * WIRE_PLAIN_MAX);
		world_run(world);
		world->wire[ENCRYPTER].length = at;
		world->wire[ENCRYPTER].ended = true;
		world->ends[DECRYPTER].legs[PIPE_CIPHER].read_most = SIZE_MAX;
		world_run(world);
		assert_heard(world, DECRYPTER, at / WIRE_PACKET * WIRE_PLAIN_MAX);
		assert_did(world, DECRYPTER, is_whole ? "MDHOs" : "MDHORwr.");
		assert_reason(world, DECRYPTER, is_whole ? OK : ERROR_CUT);
	}
}

/* Four packets are on the wire to this end, one of them bad; it has not read them yet. */
static void
send_bad_packet(struct world *world, int to, size_t good)
{
	int from = to == ENCRYPTER ? DECRYPTER : ENCRYPTER;
	struct stream *wire = &world->wire[from];

	world_open(world);
	world->is_tampered = true;
	world->ends[to].legs[PIPE_CIPHER].read_most = 0;
	world_say(world, from, 4 * WIRE_PLAIN_MAX);
	world_run(world);
	wire->bytes[wire->start + good * WIRE_PACKET + 77] ^= 1;
	world->ends[to].legs[PIPE_CIPHER].read_most = SIZE_MAX;
}

static void
good_packets_before_a_bad_one_are_delivered_before_the_reset(void **state)
{
	struct world *world = *state;

	for (int to = 0; to < ENDS; to++) {
		for (size_t good = 0; good < 4; good++) {
			send_bad_packet(world, to, good);
			world_run(world);
			assert_heard(world, to, good * WIRE_PLAIN_MAX);
			assert_did(world, to, to == ENCRYPTER ? "DHHORwr." : "MDHORwr.");
			assert_reason(world, to, ERROR_BAD_MAC);
		}
	}
}

/* However slowly the application takes them, and whether the kernel tells that it has sent them or not. */
static void
a_reset_waits_no_longer_than_its_time(void **state)
{
	struct world *world = *state;

	for (int held = 0; held < 2; held++) {
		send_bad_packet(world, DECRYPTER, 3);
		world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_HANGUP, .leg = PIPE_CIPHER});
		world->ends[DECRYPTER].hold_delivery = held;
		world->is_stalled[DECRYPTER] = !held;
		world->to_app[DECRYPTER].capacity = held ? ROOMY : 100;
		world_wait(world, TIMEOUT - 1);
		assert_false(world->ends[DECRYPTER].over);
		assert_did(world, DECRYPTER, held ? "MDHORw" : "MDHOR");
		world->to_app[DECRYPTER].capacity += 100;
		world_run(world);
		world_wait(world, 1);
		assert_did(world, DECRYPTER, held ? "MDHORwr." : "MDHORr.");
	}
}

static void
a_leg_that_breaks_while_its_delivery_is_awaited_is_not_waited_for(void **state)
{
	struct world *world = *state;

	send_bad_packet(world, DECRYPTER, 3);
	world->is_stalled[DECRYPTER] = true;
	world_run(world);
	assert_did(world, DECRYPTER, "MDHORw");
	world_break(world, DECRYPTER);
	world_run(world);
	assert_did(world, DECRYPTER, "MDHORwr.");
	assert_reason(world, DECRYPTER, ERROR_BAD_MAC);
}

/* The same when a write to it fails, or both ends of it are known to be gone. */
static void
a_leg_that_fails_with_bytes_unwritten_at_the_end_is_not_waited_for(void **state)
{
	struct world *world = *state;

	send_bad_packet(world, DECRYPTER, 3);
	world->is_stalled[DECRYPTER] = true;
	world->to_app[DECRYPTER].capacity = 100;
	world_run(world);
	assert_did(world, DECRYPTER, "MDHOR");
	world->to_app[DECRYPTER].is_deaf = true;
	world_run(world);
	assert_did(world, DECRYPTER, "MDHORr.");
}

/* An application that writes much and then breaks, while the wire is full: what its kernel holds is still read. */
static void
what_a_broken_leg_still_holds_is_delivered_before_the_reset(void **state)
{
	struct world *world = *state;
	enum { LENGTH = 600000 };

	world_open(world);
	world->wire[DECRYPTER].capacity = 3000;
	world->is_stalled[ENCRYPTER] = true;
	world->to_app[ENCRYPTER].capacity = 50000;
	world_say(world, DECRYPTER, LENGTH);
	world_run(world);
	world_break(world, DECRYPTER);
	/* each time at the last moment, it goes on a little */
	while (world->ends[ENCRYPTER].legs[PIPE_PLAIN].wrote < LENGTH) {
		world_wait(world, TIMEOUT - 1);
		world->to_app[ENCRYPTER].length = 0;
		world_run(world);
	}
	assert_true(world->ends[DECRYPTER].over);
	assert_reason(world, DECRYPTER, ERROR_PLAIN_RESET);
	assert_reason(world, ENCRYPTER, ERROR_CIPHER_RESET);
	world->is_stalled[ENCRYPTER] = false;
	world_run(world);
	assert_did(world, ENCRYPTER, "DHHORwr.");
}

/*
 * The decrypter's wire is full, and its application is broken: it has reset the connection, which a write to it shows
 * or the system tells by itself, or (is_deaf) it only takes nothing any more but has much to say.
 */
static void
break_one_side(struct world *world, bool is_deaf, bool is_written_to)
{
	world_open(world);
	world->wire[DECRYPTER].capacity = 3000;
	world->ends[ENCRYPTER].legs[PIPE_CIPHER].read_most = 0;
	world_say(world, DECRYPTER, 10000);
	world_run(world);
	world->to_app[DECRYPTER].is_deaf = true;
	world->from_app[DECRYPTER].broken = !is_deaf;
	world_say(world, ENCRYPTER, is_written_to);
}

static void
when_one_side_broke_and_the_other_takes_nothing_time_ends_it(void **state)
{
	struct world *world = *state;

	for (int way = 0; way < 3; way++) {
		break_one_side(world, way == 1, way < 2);
		world_wait(world, TIMEOUT - 1);
		/* to look again whether it takes something is not progress */
		world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = PIPE_CIPHER});
		assert_did(world, DECRYPTER, "MDHO");
		world_wait(world, 1);
		assert_reason(world, DECRYPTER, ERROR_STALLED);
		assert_did(world, DECRYPTER, "MDHORr.");
	}
}

/* Whichever of the two legs it is: nobody is told of a slow handshake. */
static void
when_the_wire_broke_and_the_application_takes_nothing_time_ends_it(void **state)
{
	struct world *world = *state;

	world_open(world);
	world->is_stalled[DECRYPTER] = true;
	world->to_app[DECRYPTER].capacity = 100;
	world_say(world, ENCRYPTER, 10000);
	world_run(world);
	world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_HANGUP, .leg = PIPE_CIPHER});
	world_wait(world, TIMEOUT - 1);
	assert_did(world, DECRYPTER, "MDHO");
	world_wait(world, 1);
	assert_reason(world, DECRYPTER, ERROR_STALLED);
	assert_did(world, DECRYPTER, "MDHORr.");
}

/* Both ways to be broken; a byte is enough. */
static void
as_long_as_the_other_takes_a_byte_in_time_a_broken_leg_is_waited_for(void **state)
{
	struct world *world = *state;

	for (int is_deaf = 0; is_deaf < 2; is_deaf++) {
		break_one_side(world, is_deaf, is_deaf);
		for (int round = 0; round < 4; round++) {
			world_wait(world, TIMEOUT - 1);
			assert_false(world->ends[DECRYPTER].over);
			world->wire[DECRYPTER].capacity += round < 3;
			world_run(world);
		}
		world_wait(world, 1);
		assert_reason(world, DECRYPTER, ERROR_STALLED);
		assert_did(world, DECRYPTER, "MDHORr.");
	}
}

/* What was sent is lost with the leg that failed: the end that came behind it is not passed on. */
static void
an_end_is_not_passed_to_a_leg_that_failed(void **state)
{
	struct world *world = *state;

	world_open(world);
	world->ends[ENCRYPTER].legs[PIPE_CIPHER].write_until = HANDSHAKE + 3;
	world_say(world, ENCRYPTER, 10);
	world_end(world, ENCRYPTER);
	world_run(world);
	/* out of turn, too: nothing overtakes what waits to be written */
	world_tell(world, ENCRYPTER, (struct pipe_event){.kind = PIPE_END, .leg = PIPE_PLAIN});
	assert_did(world, ENCRYPTER, "DHHO");
	world->ends[ENCRYPTER].legs[PIPE_CIPHER].write_fails = true;
	world->ends[ENCRYPTER].legs[PIPE_CIPHER].write_until = UINT64_MAX;
	world_run(world);
	assert_reason(world, ENCRYPTER, ERROR_CIPHER_RESET);
	assert_did(world, ENCRYPTER, "DHHORwr.");
}

/* Told that it is broken, and then there is nothing to read or an end where an error should be: do not ask again. */
static void
a_leg_known_to_be_broken_with_nothing_to_read_is_at_its_end(void **state)
{
	struct world *world = *state;

	for (int ended = 0; ended < 2; ended++) {
		world_open(world);
		world->from_app[DECRYPTER].ended = ended;
		world->ends[DECRYPTER].legs[PIPE_PLAIN].hung_up = true;
		world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_HANGUP, .leg = PIPE_PLAIN});
		world_run(world);
		assert_reason(world, DECRYPTER, ERROR_PLAIN_RESET);
		assert_did(world, DECRYPTER, "MDHOWrR.");
	}
}

/* It has ended and we could not write to it any more: what it was sent is lost, so it was no clean end. */
static void
an_application_that_ended_and_does_not_listen_breaks_the_connection(void **state)
{
	struct world *world = *state;

	for (int before = 0; before < 2; before++) {
		world_open(world);
		world->to_app[DECRYPTER].is_deaf = true;
		world->from_app[DECRYPTER].ended = before;
		world_run(world);
		world_say(world, ENCRYPTER, 10);
		world->ends[DECRYPTER].legs[PIPE_PLAIN].read_most = 0;
		world->from_app[DECRYPTER].ended = true;
		world_run(world);
		assert_reason(world, DECRYPTER, ERROR_PLAIN_RESET);
		assert_reason(world, ENCRYPTER, ERROR_CIPHER_RESET);
	}
}

/* And what it could not send by then is a break for the other side, not an end. */
static void
spipe_may_end_at_the_far_end(void **state)
{
	struct world *world = *state;

	world->ends[ENCRYPTER].settings.end_at_far_end = true;
	for (int full = 0; full < 2; full++) {
		world_open(world);
		if (full)
			world->wire[ENCRYPTER].capacity = 0;
		world_say(world, ENCRYPTER, 7);
		world_run(world);
		world_say(world, DECRYPTER, 5000);
		world_end(world, DECRYPTER);
		world_run(world);
		assert_heard(world, ENCRYPTER, 5000);
		assert_reason(world, ENCRYPTER, OK);
		assert_did(world, ENCRYPTER, full ? "DHHOsRc." : "DHHOsCc.");
		assert_reason(world, DECRYPTER, full ? ERROR_CIPHER_RESET : OK);
	}
	world->ends[ENCRYPTER].settings.end_at_far_end = false;
}

static void
a_direction_out_of_numbers_ends_the_connection(void **state)
{
	struct world *world = *state;

	world_open(world);
	world->ends[ENCRYPTER].pipe.session.data.seal.used_up = true;
	world_say(world, ENCRYPTER, 10);
	world_run(world);
	assert_reason(world, ENCRYPTER, ERROR_NUMBERS_USED_UP);
	assert_did(world, ENCRYPTER, "DHHORwr.");
}

/* 256 packets a read when all is well, 16 after a socket was full or when memory is short, and doubling after. */
static void
reads_are_small_while_the_other_side_is_slow(void **state)
{
	struct world *world = *state;
	struct end *end = &world->ends[ENCRYPTER];
	struct leg *leg = &end->legs[PIPE_PLAIN];

	world_open(world);
	for (int pass = 0; pass < 2; pass++) {
		world->is_pressing = pass > 0;
		world_say(world, ENCRYPTER, 10);
		world_run(world);
		assert_int_equal(leg->packets, pass > 0 ? PIPE_READ_SMALL : PIPE_READ_LARGE);
	}
	world->is_pressing = false;
	end->legs[PIPE_CIPHER].write_most = 1000;
	world_say(world, ENCRYPTER, 10000);
	world_run(world);
	end->legs[PIPE_CIPHER].write_most = SIZE_MAX;
	for (size_t packets = PIPE_READ_SMALL; packets <= 2 * PIPE_READ_LARGE; packets *= 2) {
		world_say(world, ENCRYPTER, 10);
		world_run(world);
		assert_int_equal(leg->packets, packets < PIPE_READ_LARGE ? packets : PIPE_READ_LARGE);
	}
}

static void
a_read_that_finds_nothing_changes_nothing(void **state)
{
	struct world *world = *state;

	world_start(world);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < ENDS; i++)
			for (int which = 0; which < PIPE_LEGS; which++)
				world->ends[i].legs[which].wakes_for_nothing = true;
		world_run(world);
	}
	assert_did(world, ENCRYPTER, "DHHO");
	assert_did(world, DECRYPTER, "MDHO");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_direction_ends_by_itself),
	    cmocka_unit_test(a_wire_cut_inside_a_packet_is_no_end),
	    cmocka_unit_test(good_packets_before_a_bad_one_are_delivered_before_the_reset),
	    cmocka_unit_test(a_reset_waits_no_longer_than_its_time),
	    cmocka_unit_test(a_leg_that_breaks_while_its_delivery_is_awaited_is_not_waited_for),
	    cmocka_unit_test(a_leg_that_fails_with_bytes_unwritten_at_the_end_is_not_waited_for),
	    cmocka_unit_test(what_a_broken_leg_still_holds_is_delivered_before_the_reset),
	    cmocka_unit_test(when_one_side_broke_and_the_other_takes_nothing_time_ends_it),
	    cmocka_unit_test(when_the_wire_broke_and_the_application_takes_nothing_time_ends_it),
	    cmocka_unit_test(as_long_as_the_other_takes_a_byte_in_time_a_broken_leg_is_waited_for),
	    cmocka_unit_test(an_end_is_not_passed_to_a_leg_that_failed),
	    cmocka_unit_test(a_leg_known_to_be_broken_with_nothing_to_read_is_at_its_end),
	    cmocka_unit_test(an_application_that_ended_and_does_not_listen_breaks_the_connection),
	    cmocka_unit_test(spipe_may_end_at_the_far_end),
	    cmocka_unit_test(a_direction_out_of_numbers_ends_the_connection),
	    cmocka_unit_test(reads_are_small_while_the_other_side_is_slow),
	    cmocka_unit_test(a_read_that_finds_nothing_changes_nothing),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
