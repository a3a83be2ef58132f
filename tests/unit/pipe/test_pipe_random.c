/* test_pipe_random.c: anything that can happen, in any order, from a seed; then all is let go and must come to an end.
 */
#include <stdio.h>
#include <stdlib.h>

#include "world.h"

enum { SEEDS = 500, ACTS = 150 };

static size_t
draw(uint64_t *seed, size_t below)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (size_t)((*seed >> 11) % below);
}

/* Nothing, around a packet, a few, many, all. Single bytes would take long, and have tests of their own. */
static size_t
draw_size(uint64_t *seed)
{
	static const size_t sizes[] = {0, 299, 1023, 1024, 1025, 1061, 20000, 100000, ROOMY};

	return sizes[draw(seed, sizeof(sizes) / sizeof(sizes[0]))];
}

/* What a peer, a network or a user may do that no connection survives. */
static void
harm(struct world *world, uint64_t *seed, int i)
{
	struct leg *leg = &world->ends[i].legs[draw(seed, PIPE_LEGS)];
	struct stream *wire = &world->wire[i];

	switch (draw(seed, 7)) {
	case 0:
		stream_break(leg->in, leg->out);
		break;
	case 1:
		leg->out->is_deaf = true;
		break;
	case 2:
		leg->read_fails = true;
		break;
	case 3:
		leg->write_fails = true;
		break;
	case 4:
		world->is_tampered = true;
		if (wire->length > 0)
			wire->bytes[wire->start + draw(seed, wire->length)] ^= 0x10;
		break;
	case 5:
		world->is_tampered = wire->ended = true;
		wire->length = wire->length > 0 ? draw(seed, wire->length) : 0;
		break;
	default:
		if (world->ends[i].started && !world->ends[i].over)
			world_tell(world, i, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_EVICTED});
	}
}

/* What only changes how long it takes. */
static void
hinder(struct world *world, uint64_t *seed, int i)
{
	struct end *end = &world->ends[i];
	struct leg *leg = &end->legs[draw(seed, PIPE_LEGS)];
	bool on = draw(seed, 2) == 0;

	switch (draw(seed, 13)) {
	case 0:
		end->hold_dial = on;
		break;
	case 1:
		end->hold_admission = on;
		break;
	case 2:
		end->hold_job = on;
		break;
	case 3:
		end->hold_delivery = on;
		break;
	case 4:
		world->is_stalled[i] = on;
		break;
	case 5:
		leg->read_most = draw_size(seed);
		break;
	case 6:
		leg->write_most = draw_size(seed);
		break;
	case 7:
		leg->out->capacity = draw_size(seed);
		break;
	case 8:
		world->is_pressing = on;
		break;
	case 9:
		leg->wakes_for_nothing = true;
		break;
	case 10:
		end->hold_match = on;
		break;
	case 11:
		if (end->started && !end->over)
			world_tell(world, i, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = leg == end->legs});
		break;
	default:
		if (end->started && !end->over)
			world_tell(world, i, (struct pipe_event){.kind = PIPE_TIME});
	}
}

static void
act(struct world *world, uint64_t *seed, bool may_harm)
{
	int i = (int)draw(seed, ENDS);

	switch (draw(seed, 8)) {
	case 0:
		if (!world->from_app[i].ended && !world->from_app[i].broken && world->from_app[i].length < ROOMY / 4)
			world_say(world, i, draw_size(seed) / 4);
		break;
	case 1:
		if (draw(seed, 10) == 0)
			world_end(world, i);
		break;
	case 2:
		if (may_harm && draw(seed, 20) == 0)
			harm(world, seed, i);
		break;
	case 3:
		world_wait(world, draw(seed, draw(seed, 10) == 0 ? TIMEOUT : 10));
		break;
	case 4:
	case 5:
		hinder(world, seed, i);
		break;
	default:
		for (size_t steps = draw(seed, 50); steps > 0; steps--) {
			world->first = draw(seed, (size_t)ENDS * WORLD_THINGS);
			world_step(world);
		}
	}
}

static void
let_go(struct world *world)
{
	for (int i = 0; i < ENDS; i++) {
		struct end *end = &world->ends[i];

		end->hold_dial = end->hold_admission = end->hold_match = end->hold_job = end->hold_delivery = false;
		world->is_stalled[i] = false;
		world->wire[i].capacity = world->to_app[i].capacity = ROOMY;
		for (int which = 0; which < PIPE_LEGS; which++)
			end->legs[which].read_most = end->legs[which].write_most = SIZE_MAX;
		world_end(world, i);
	}
	world_wait(world, 3 * TIMEOUT);
}

static void
one_life(struct world *world, uint64_t seed)
{
	bool may_harm = draw(&seed, 2) == 0;

	for (int i = 0; i < ENDS; i++)
		world->ends[i].settings.asks_admission = draw(&seed, 2) == 0 && i == DECRYPTER;
	world->ends[ENCRYPTER].settings.end_at_far_end = draw(&seed, 8) == 0;
	world_start(world);
	for (int acts = 0; acts < ACTS; acts++)
		act(world, &seed, may_harm);
	let_go(world);
	for (int i = 0; i < ENDS; i++) {
		const struct end *end = &world->ends[i];

		assert_true(end->over || !end->started);
		/* without harm nothing ends an open connection but its applications */
		if (!may_harm && world->ends[ENCRYPTER].opened && !world->ends[ENCRYPTER].settings.end_at_far_end)
			assert_reason(world, i, OK);
	}
}

static void
whatever_happens_every_promise_is_kept(void **state)
{
	struct world *world = *state;
	const char *first = getenv("PIPE_SEED");
	uint64_t seed = first == NULL ? 1 : strtoull(first, NULL, 10), until = first == NULL ? SEEDS : seed;

	for (; seed <= until; seed++) {
		print_message("\rPIPE_SEED=%llu ", (unsigned long long)seed);
		one_life(world, seed * 0x9e3779b97f4a7c15);
	}
	print_message("\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(whatever_happens_every_promise_is_kept)};

	return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
