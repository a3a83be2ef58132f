/* test_pipe_break.c: a leg that breaks, and an end that is stopped, at each stage of a connection's life. */
#include "world.h"

enum stage { DIALLING, SHAKING, MATCHING, WAITING, WORKING, CONNECTING, OPEN, BUSY, HALF_CLOSED, ENDING, STAGES };

static void
set_admission(struct world *world, bool asks)
{
	world->ends[DECRYPTER].settings.asks_admission = asks;
}

/* Brings this end to a stage of its life; false if it has no such stage. */
static bool
bring_to(struct world *world, int i, enum stage stage)
{
	struct end *end = &world->ends[i];

	if ((stage == MATCHING || stage == WAITING || stage == CONNECTING) && i == ENCRYPTER)
		return false;
	if (stage == DIALLING && i == DECRYPTER)
		return false;
	set_admission(world, stage == WAITING);
	world_start(world);
	end->hold_admission = stage == WAITING;
	end->hold_dial = stage == DIALLING || stage == CONNECTING;
	end->hold_match = stage == MATCHING;
	end->hold_job = stage == WORKING;
	if (stage == SHAKING)
		end->legs[PIPE_CIPHER].read_most = 0;
	world_run(world);
	end->legs[PIPE_CIPHER].read_most = SIZE_MAX;
	assert_true(end->opened == (stage >= OPEN) && !end->over);
	if (stage == BUSY || stage == ENDING) {
		world->wire[ENCRYPTER].capacity = world->wire[DECRYPTER].capacity = 5000;
		world->is_stalled[0] = world->is_stalled[1] = true;
		world->to_app[0].capacity = world->to_app[1].capacity = 100;
		world_say(world, ENCRYPTER, 20000);
		world_say(world, DECRYPTER, 20000);
	}
	if (stage == HALF_CLOSED)
		world_end(world, i);
	world_run(world);
	if (stage == ENDING)
		world_tell(world, i, (struct pipe_event){.kind = PIPE_READ_FAILED, .leg = PIPE_PLAIN});
	return true;
}

/* Nothing on the plain leg's side may look like an end. */
static void
assert_broken_in_time(struct world *world, int i, const char *before)
{
	struct end *end = &world->ends[i];

	world_wait(world, TIMEOUT);
	assert_true(end->over);
	assert_int_not_equal(pipe_reason(&end->pipe), OK);
	assert_memory_equal(end->did, before, strlen(before));
	assert_null(strpbrk(end->did + strlen(before), "scDAHOS"));
	assert_true(!end->legs[PIPE_PLAIN].connected || strchr(end->did, 'r') != NULL);
}

static void
a_leg_that_breaks_at_any_stage_ends_both_as_broken(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (enum stage stage = DIALLING; stage < STAGES; stage++) {
			for (int which = 0; which < PIPE_LEGS; which++) {
				struct leg *leg = &world->ends[i].legs[which];
				char before[DID_MAX + 1];

				if (!bring_to(world, i, stage) || !leg->connected || leg->closed)
					continue;
				strcpy(before, world->ends[i].did);
				stream_break(leg->in, leg->out);
				assert_broken_in_time(world, i, before);
				if (stage != ENDING && stage != BUSY)
					assert_reason(
					    world, i, which == PIPE_PLAIN ? ERROR_PLAIN_RESET : ERROR_CIPHER_RESET);
			}
		}
	}
	set_admission(world, false);
}

static void
one_who_is_stopped_at_any_stage_is_over_at_once(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (enum stage stage = DIALLING; stage < STAGES; stage++) {
			char before[DID_MAX + 1];

			if (!bring_to(world, i, stage))
				continue;
			strcpy(before, world->ends[i].did);
			world_tell(world, i, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_EVICTED});
			assert_true(world->ends[i].over);
			assert_broken_in_time(world, i, before);
			assert_reason(world, i, stage == ENDING ? ERROR_PLAIN_RESET : ERROR_EVICTED);
		}
	}
	set_admission(world, false);
}

static void
a_write_or_a_read_that_fails_while_data_flows_breaks_both(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (int which = 0; which < PIPE_LEGS; which++) {
			for (int reads = 0; reads < 2; reads++) {
				struct leg *leg = &world->ends[i].legs[which];
				int far = i == ENCRYPTER ? DECRYPTER : ENCRYPTER;
				char before[DID_MAX + 1];

				bring_to(world, i, OPEN);
				strcpy(before, world->ends[i].did);
				leg->read_most = 0;
				world_say(world, far, 3000);
				world_run(world);
				leg->read_most = SIZE_MAX;
				leg->read_fails = reads;
				leg->write_fails = !reads;
				world_say(world, i, 3000);
				world_say(world, far, 10);
				assert_broken_in_time(world, i, before);
				assert_reason(world, i, which == PIPE_PLAIN ? ERROR_PLAIN_RESET : ERROR_CIPHER_RESET);
				/* what the leg had sent before it failed is not lost */
				assert_true(world->ends[which == PIPE_CIPHER ? i : far].legs[PIPE_PLAIN].wrote >= 3000);
			}
		}
	}
}

static void
a_write_that_fails_in_the_handshake_ends_it(void **state)
{
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		for (uint64_t goes = 10; goes < HANDSHAKE; goes += 100) {
			world_start(world);
			world->ends[i].legs[PIPE_CIPHER].write_until = goes;
			world_run(world);
			world->ends[i].legs[PIPE_CIPHER].write_until = UINT64_MAX;
			world->ends[i].legs[PIPE_CIPHER].write_fails = true;
			world_run(world);
			assert_reason(world, i, ERROR_CIPHER_RESET);
			assert_true(world->ends[i].over);
		}
	}
}

static void
two_legs_that_take_nothing_any_more_end_at_once(void **state)
{
	struct world *world = *state;

	bring_to(world, DECRYPTER, BUSY);
	world->to_app[DECRYPTER].is_deaf = true;
	world_run(world);
	assert_false(world->ends[DECRYPTER].over);
	world->ends[ENCRYPTER].legs[PIPE_CIPHER].read_most = 0;
	world->wire[DECRYPTER].is_deaf = true;
	world_run(world);
	assert_true(world->ends[DECRYPTER].over);
	assert_reason(world, DECRYPTER, ERROR_CIPHER_RESET);
}

/* One read that is told although nobody wanted it: its buffer comes back, its bytes go nowhere. */
static void
read_out_of_turn(struct world *world, int i, enum pipe_leg which, size_t times)
{
	struct end *end = &world->ends[i];

	for (size_t time = 0; time < times; time++)
		pipe_event(&end->pipe,
		    &(struct pipe_event){.kind = PIPE_READ,
			.leg = which,
			.in = world->in,
			.length = 10,
			.out = world_hand_in(end, PIPE_READ_SMALL)},
		    world->now);
	world_settle(world, end);
	for (size_t place = 0; place < PIPE_RELEASES; place++)
		assert_true(end->held[place] == NULL || !end->over);
}

static void
events_that_no_longer_matter_are_ignored_and_buffers_come_back(void **state)
{
	static const enum pipe_event_kind kinds[] = {PIPE_DIALLED, PIPE_DIAL_FAILED, PIPE_ADMITTED, PIPE_END,
	    PIPE_READ_FAILED, PIPE_DELIVERED, PIPE_JOB_DONE, PIPE_TIME};
	struct world *world = *state;

	for (int i = 0; i < ENDS; i++) {
		char before[DID_MAX + 1];

		bring_to(world, i, HALF_CLOSED);
		read_out_of_turn(world, i, PIPE_PLAIN, 3); /* as many as can be out: two legs' and an event's */
		for (size_t place = 0; place < PIPE_RELEASES; place++)
			assert_null(world->ends[i].held[place]);
		bring_to(world, i, ENDING);
		strcpy(before, world->ends[i].did);
		for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++)
			world_tell(world, i, (struct pipe_event){.kind = kinds[kind], .leg = PIPE_CIPHER});
		read_out_of_turn(world, i, PIPE_CIPHER, 1);
		assert_did(world, i, before);
		assert_broken_in_time(world, i, before);
		assert_reason(world, i, ERROR_PLAIN_RESET);
	}
}

static void
to_be_told_twice_that_a_leg_broke_gives_it_no_more_time(void **state)
{
	struct world *world = *state;

	bring_to(world, DECRYPTER, BUSY);
	world_break(world, DECRYPTER);
	world_wait(world, TIMEOUT - 1);
	assert_false(world->ends[DECRYPTER].over);
	world_tell(world, DECRYPTER, (struct pipe_event){.kind = PIPE_HANGUP, .leg = PIPE_PLAIN});
	world_wait(world, 1);
	assert_true(world->ends[DECRYPTER].over);
	assert_reason(world, DECRYPTER, ERROR_STALLED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_leg_that_breaks_at_any_stage_ends_both_as_broken),
	    cmocka_unit_test(one_who_is_stopped_at_any_stage_is_over_at_once),
	    cmocka_unit_test(a_write_or_a_read_that_fails_while_data_flows_breaks_both),
	    cmocka_unit_test(a_write_that_fails_in_the_handshake_ends_it),
	    cmocka_unit_test(two_legs_that_take_nothing_any_more_end_at_once),
	    cmocka_unit_test(events_that_no_longer_matter_are_ignored_and_buffers_come_back),
	    cmocka_unit_test(to_be_told_twice_that_a_leg_broke_gives_it_no_more_time),
	};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
