/* test_pipe_open.c: from accept to open: every cut of the wire, what comes only after what, and what ends it there. */
#include "world.h"

static bool
ends_with(const char *text, const char *end)
{
	return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* Both applications say something and end; all of it arrives, and both ends see an end and no break. */
static void
assert_carries(struct world *world, size_t length)
{
	for (int i = 0; i < ENDS; i++) {
		world_say(world, i, length);
		world_end(world, i);
	}
	world_run(world);
	for (int i = 0; i < ENDS; i++) {
		assert_heard(world, i, world->said[i == ENCRYPTER ? DECRYPTER : ENCRYPTER]);
		assert_reason(world, i, OK);
		assert_true(ends_with(world->ends[i].did, "SsCc.") || ends_with(world->ends[i].did, "sSCc."));
	}
}

static void
the_wire_may_be_cut_at_any_offset(void **state)
{
	struct world *world = *state;
	enum { LENGTH = 1500, WIRE = HANDSHAKE + 2 * WIRE_PACKET };

	for (int direction = 0; direction < ENDS; direction++) {
		for (uint64_t at = 1; at < WIRE; at++) {
			world_start(world);
			world->wire[direction].cut_at = at;
			world->is_pressing = true; /* small buffers are faster */
			assert_carries(world, LENGTH);
			assert_int_equal(world->wire[direction].read, WIRE);
		}
	}
}

static void
the_wire_may_come_in_single_bytes_and_go_in_single_bytes(void **state)
{
	struct world *world = *state;

	for (int how = 0; how < 3; how++) {
		world_start(world);
		for (int i = 0; i < ENDS; i++)
			for (int which = 0; which < PIPE_LEGS; which++) {
				struct leg *leg = &world->ends[i].legs[which];

				leg->read_most = how != 1 ? 1 : SIZE_MAX;
				leg->write_most = how != 0 ? 1 : SIZE_MAX;
			}
		assert_carries(world, 20); /* as many packets */
	}
}

static void
every_wish_for_forward_secrecy_opens_or_is_refused(void **state)
{
	struct world *world = *state;

	for (int mine = 0; mine <= FORWARD_SECRECY_REQUIRED; mine++) {
		for (int theirs = 0; theirs <= FORWARD_SECRECY_REQUIRED; theirs++) {
			world->ends[ENCRYPTER].settings.forward_secrecy = (enum forward_secrecy)mine;
			world->ends[DECRYPTER].settings.forward_secrecy = (enum forward_secrecy)theirs;
			world_start(world);
			if (mine + theirs != FORWARD_SECRECY_OFF + FORWARD_SECRECY_REQUIRED) {
				assert_carries(world, 100);
				continue;
			}
			world_run(world);
			assert_reason(
			    world, mine == FORWARD_SECRECY_OFF ? DECRYPTER : ENCRYPTER, ERROR_NO_FORWARD_SECRECY);
		}
	}
	world->ends[ENCRYPTER].settings.forward_secrecy = world->ends[DECRYPTER].settings.forward_secrecy =
	    FORWARD_SECRECY_OFF;
}

/* A socket can be full even then: 0 to all but one byte of what an end sends go at once, and the rest later. */
static void
a_full_socket_during_the_handshake_is_waited_for(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (uint64_t goes = 0; goes < HANDSHAKE; goes++) {
			world_start(world);
			world->ends[i].legs[PIPE_CIPHER].write_until = goes;
			world_run(world);
			assert_int_equal(world->ends[i].legs[PIPE_CIPHER].wrote, goes);
			assert_false(world->ends[i].opened);
			world->ends[i].legs[PIPE_CIPHER].write_until = UINT64_MAX;
			assert_carries(world, 10);
		}
	}
}

/* The target answers and ends before S5 has all gone: nothing may overtake it, neither a packet nor the end. */
static void
nothing_overtakes_s5(void **state)
{
	struct world *world = *state;
	struct leg *leg = &world->ends[DECRYPTER].legs[PIPE_CIPHER];

	for (size_t length = 0; length < 2; length++) {
		world_start(world);
		leg->write_until = WIRE_NONCE + 100;
		world_say(world, DECRYPTER, length);
		world_end(world, DECRYPTER);
		world_run(world);
		assert_int_equal(leg->wrote, WIRE_NONCE + 100);
		assert_did(world, DECRYPTER, "MDH");
		leg->write_until = UINT64_MAX;
		world_run(world);
		assert_heard(world, ENCRYPTER, length);
		assert_did(world, DECRYPTER, "MDHOS");
	}
}

static void
a_peer_that_does_not_take_s5_is_dropped_in_time(void **state)
{
	struct world *world = *state;

	world_start(world);
	world->ends[DECRYPTER].legs[PIPE_CIPHER].write_until = WIRE_NONCE + 1;
	world_wait(world, TIMEOUT - 1);
	assert_did(world, DECRYPTER, "MDH");
	world_wait(world, 1);
	assert_reason(world, DECRYPTER, ERROR_HANDSHAKE_TIMEOUT);
	assert_did(world, DECRYPTER, "MDHRr.");
}

/* Random bytes, cut anywhere: nothing is dialled, and the stranger is closed and not answered. */
static void
a_stranger_never_causes_a_dial(void **state)
{
	struct world *world = *state;
	uint8_t bytes[HANDSHAKE + 1];

	memset(bytes, 0x42, sizeof(bytes));
	for (size_t length = 0; length <= sizeof(bytes); length++) {
		world_reset(world);
		stream_put(&world->wire[ENCRYPTER], bytes, length);
		world->wire[ENCRYPTER].ended = length % 2 == 0;
		world_accept(world);
		world_run(world);
		if (length < HANDSHAKE && length % 2 != 0) {
			assert_did(world, DECRYPTER, "");
			world_wait(world, TIMEOUT - 1);
			assert_did(world, DECRYPTER, "");
			world_wait(world, 1);
		}
		assert_did(world, DECRYPTER, length < HANDSHAKE ? "C." : "MC.");
		assert_int_equal(world->wire[DECRYPTER].length, WIRE_NONCE);
		if (length >= HANDSHAKE)
			assert_reason(world, DECRYPTER, ERROR_WRONG_KEY);
		else
			assert_reason(world, DECRYPTER, length % 2 == 0 ? ERROR_CUT : ERROR_HANDSHAKE_TIMEOUT);
	}
}

static void
a_wrong_key_ends_both_without_a_dial(void **state)
{
	struct world *world = *state;

	world->keys[ENCRYPTER].k[0] ^= 1;
	world_start(world);
	world_say(world, ENCRYPTER, 5);
	world_run(world);
	assert_reason(world, DECRYPTER, ERROR_WRONG_KEY);
	assert_did(world, DECRYPTER, "MC.");
	assert_did(world, ENCRYPTER, "DHRr.");
	world->keys[ENCRYPTER].k[0] ^= 1;
}

static void
one_who_waits_for_room_is_let_in_or_dropped_in_time(void **state)
{
	struct world *world = *state;

	world->ends[DECRYPTER].settings.asks_admission = true;
	for (int late = 0; late < 2; late++) {
		world_start(world);
		world->ends[DECRYPTER].hold_admission = true;
		world_say(world, ENCRYPTER, 5);
		world_wait(world, TIMEOUT - 1);
		world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_TIME});
		assert_did(world, DECRYPTER, "MA");
		assert_int_equal(world->ends[DECRYPTER].legs[PIPE_CIPHER].wrote, WIRE_NONCE);
		if (late)
			world_wait(world, 1);
		world->ends[DECRYPTER].hold_admission = false;
		world_run(world);
		if (!late)
			assert_carries(world, 5);
		else
			assert_did(world, DECRYPTER, "MAR.");
		assert_reason(world, DECRYPTER, late ? ERROR_NO_ROOM : OK);
	}
	world->ends[DECRYPTER].settings.asks_admission = false;
}

/* An encrypter's job; a decrypter's match, and its powers. */
static const struct kind {
	int end;
	enum job_kind kind;
	const char *did; /* up to it */
} kinds[] = {{ENCRYPTER, JOB_POWERS, "DH"}, {DECRYPTER, JOB_MATCH, "M"}, {DECRYPTER, JOB_POWERS, "MDH"}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* A connection whose job of this kind has been taken, so late that there is hardly time left; nobody has run it. */
static void
take_job_late(struct world *world, const struct kind *kind, struct job *job)
{
	struct end *end = &world->ends[kind->end];

	world_start(world);
	end->hold_match = kind->kind == JOB_MATCH;
	end->hold_job = kind->kind == JOB_POWERS;
	world_wait(world, TIMEOUT - 1);
	assert_true(end->job_asked);
	assert_did(world, kind->end, kind->did);
	pipe_job(&end->pipe, job);
	assert_int_equal(job->kind, kind->kind);
	end->job_asked = end->hold_match = end->hold_job = false;
}

static void
a_result_that_comes_late_is_taken_and_one_after_the_end_is_ignored(void **state)
{
	struct world *world = *state;

	for (int k = 0; k < KINDS; k++) {
		for (int after_end = 0; after_end < 2; after_end++) {
			int i = kinds[k].end;
			struct job job;
			struct pipe_event done = {.kind = PIPE_JOB_DONE, .job = &job};

			take_job_late(world, &kinds[k], &job);
			job_run(&job);
			assert_int_equal(job.error, OK);
			if (after_end) {
				world_tell(world, i, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_KILLED});
				assert_true(world->ends[i].over);
				pipe_event(&world->ends[i].pipe, &done, world->now);
				assert_reason(world, i, ERROR_KILLED);
				continue;
			}
			world_tell(world, i, done);
			assert_carries(world, 3);
		}
	}
}

/* Until its match is there a client is a stranger, whose time is up as any stranger's is, and which is told nothing. */
static void
one_whose_match_takes_too_long_is_dropped_unnamed(void **state)
{
	struct world *world = *state;
	struct job job;

	take_job_late(world, &kinds[1], &job);
	assert_null(pipe_key(&world->ends[DECRYPTER].pipe));
	world_wait(world, 1);
	assert_reason(world, DECRYPTER, ERROR_HANDSHAKE_TIMEOUT);
	assert_did(world, DECRYPTER, "MC.");
	assert_int_equal(world->ends[DECRYPTER].legs[PIPE_CIPHER].wrote, WIRE_NONCE);
}

static void
a_key_is_named_from_its_match_on(void **state)
{
	struct world *world = *state;
	struct job job;

	take_job_late(world, &kinds[1], &job);
	job_run(&job);
	assert_null(pipe_key(&world->ends[DECRYPTER].pipe));
	world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
	assert_ptr_equal(pipe_key(&world->ends[DECRYPTER].pipe), &world->name);
}

static void
a_job_that_failed_ends_the_connection(void **state)
{
	struct world *world = *state;

	static const char *const did[KINDS] = {"DHRr.", "MC.", "MDHRr."};

	for (int k = 0; k < KINDS; k++) {
		struct job job;

		take_job_late(world, &kinds[k], &job);
		job_run(&job);
		job.error = ERROR_CRYPTO;
		world_tell(world, kinds[k].end, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
		assert_reason(world, kinds[k].end, ERROR_CRYPTO);
		assert_did(world, kinds[k].end, did[k]);
	}
}

/* Until there is somebody to shake hands with, the dialling keeps its own time. */
static void
a_dial_may_take_long_and_may_fail(void **state)
{
	struct world *world = *state;
	struct pipe_event failed = {.kind = PIPE_DIAL_FAILED, .error = ERROR_CONNECT};

	for (int i = 0; i < ENDS; i++) {
		for (int fails = 0; fails < 2; fails++) {
			world_start(world);
			world->ends[i].hold_dial = true;
			world_say(world, i, 2000);
			world_wait(world, 100 * TIMEOUT);
			assert_int_equal(pipe_deadline(&world->ends[i].pipe), UINT64_MAX);
			assert_did(world, i, i == ENCRYPTER ? "DH" : "MDH");
			if (fails)
				world_tell(world, i, failed);
			world->ends[i].hold_dial = false;
			if (fails) {
				assert_reason(world, i, ERROR_CONNECT);
				assert_did(world, i, i == ENCRYPTER ? "DHr." : "MDHR.");
			} else if (i == ENCRYPTER) {
				assert_carries(world, 100);
			}
		}
	}
}

static void
answers_that_nobody_asked_for_change_nothing(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (int kind = PIPE_DIALLED; kind <= PIPE_ADMITTED; kind++) {
			world_start(world);
			if (i == DECRYPTER)
				world_accept(world);
			else
				world_run(world);
			world_tell(world, i, (struct pipe_event){.kind = (enum pipe_event_kind)kind});
			assert_did(world, i, i == DECRYPTER ? "" : "DHHO");
		}
	}
	world_open(world);
	world_tell(world, ENCRYPTER, (struct pipe_event){.kind = PIPE_DELIVERED, .leg = PIPE_PLAIN});
	world_tell(world, ENCRYPTER, (struct pipe_event){.kind = PIPE_TIME});
	world_tell(world, ENCRYPTER, (struct pipe_event){.kind = PIPE_WRITTEN, .leg = PIPE_PLAIN, .length = 5});
	assert_carries(world, 10);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_wire_may_be_cut_at_any_offset),
	    cmocka_unit_test(the_wire_may_come_in_single_bytes_and_go_in_single_bytes),
	    cmocka_unit_test(every_wish_for_forward_secrecy_opens_or_is_refused),
	    cmocka_unit_test(a_full_socket_during_the_handshake_is_waited_for),
	    cmocka_unit_test(nothing_overtakes_s5),
	    cmocka_unit_test(a_peer_that_does_not_take_s5_is_dropped_in_time),
	    cmocka_unit_test(a_stranger_never_causes_a_dial),
	    cmocka_unit_test(a_wrong_key_ends_both_without_a_dial),
	    cmocka_unit_test(one_who_waits_for_room_is_let_in_or_dropped_in_time),
	    cmocka_unit_test(a_result_that_comes_late_is_taken_and_one_after_the_end_is_ignored),
	    cmocka_unit_test(one_whose_match_takes_too_long_is_dropped_unnamed),
	    cmocka_unit_test(a_key_is_named_from_its_match_on),
	    cmocka_unit_test(a_job_that_failed_ends_the_connection),
	    cmocka_unit_test(a_dial_may_take_long_and_may_fail),
	    cmocka_unit_test(answers_that_nobody_asked_for_change_nothing),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
