/* setup.c: what a seed makes of everybody. The shares here are such that all that can come up does in a tenth of seeds.
 */
#include <string.h>

#include "quick.h"
#include "sim.h"

enum { CAPACITY = 65536, LARGE = 600000, SMALL = 8000 };

uint64_t
draw(struct scene *scene, uint64_t below)
{
	uint64_t z = scene->random += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

bool
chance(struct scene *scene, unsigned per_mille)
{
	return per_mille > 0 && draw(scene, 1000) < per_mille;
}

/* How long something takes that takes no time mostly. */
uint64_t
setup_delay(struct scene *scene)
{
	return scene->slowness > 0 && chance(scene, 200) ? draw(scene, scene->slowness) : 0;
}

static size_t
draw_connections(struct scene *scene)
{
	uint64_t kind = draw(scene, 100);

	if (kind < 10)
		return 1 + (size_t)draw(scene, 4);
	if (kind < 75)
		return 8 + (size_t)draw(scene, 9);
	return 17 + (size_t)draw(scene, LINKS - 16);
}

static uint64_t
draw_text(struct scene *scene)
{
	static const uint16_t sizes[] = {0, 1, 1023, 1024, 1025, 2048, 3000};

	switch (draw(scene, 8)) {
	case 0:
		return 20000 + draw(scene, 20000);
	case 1:
	case 2:
		return sizes[draw(scene, sizeof sizes / sizeof sizes[0])];
	case 3:
	case 4:
	case 5:
		return draw(scene, 6000);
	default:
		return draw(scene, 300);
	}
}

static void
setup_app(struct scene *scene, struct link *link, struct app *app, int out)
{
	*app = (struct app){.out = &link->flows[out], .in = &link->flows[out ^ 1]};
	app->text = scene->text + draw(scene, TEXT);
	app->to_say = draw_text(scene);
	app->say_at = setup_delay(scene);
	app->end = chance(scene, 150) ? ENDS_AFTER_HEARING : ENDS_AFTER_SAYING;
	app->pace = chance(scene, 300) ? 1 + scene->slowness : 0;
	if (scene->is_crowded && chance(scene, 300))
		app->say_at = 2 * scene->timeout;
	if (chance(scene, 150)) {
		app->end = chance(scene, app->in->is_unix ? 200 : 800) ? RESETS
			   : chance(scene, 500) || !app->in->is_unix   ? CLOSES
								       : DEAFENS;
		app->trigger = draw(scene, 3000);
	} else if (chance(scene, 40)) {
		app->stall = scene->timeout + draw(scene, scene->timeout);
		app->trigger = draw(scene, 1000);
	}
}

static void
setup_stranger(struct scene *scene, struct link *link)
{
	struct app *app = &link->client;

	setup_app(scene, link, app, WIRE_OUT);
	app->to_say = chance(scene, 400) ? draw(scene, 2 * HANDSHAKE) : chance(scene, 700) ? HANDSHAKE : 0;
	if (app->to_say == 0)
		app->end = ENDS_AFTER_HEARING;
	link->is_harmed = true;
}

static void
setup_dial(struct scene *scene, struct side *side, bool fails)
{
	struct dial *dial = &side->dial;
	enum fate all = (enum fate)(1 + draw(scene, 4));
	size_t bad;

	dial->count = chance(scene, 950) ? 1 + (size_t)draw(scene, 3) : 1 + (size_t)draw(scene, RACE_MAX);
	bad = fails ? dial->count : chance(scene, 250) ? (size_t)draw(scene, dial->count) : 0;
	if (!fails && bad > 4)
		bad = 4;
	for (size_t i = 0; i < dial->count; i++) {
		dial->addresses[i].fate = i >= bad ? ANSWERS : fails ? all : (enum fate)(1 + draw(scene, 4));
		dial->addresses[i].delay = setup_delay(scene);
	}
	dial->short_until = fails ? NEVER / 2 : draw(scene, scene->timeout / 2);
	if (fails && chance(scene, 250))
		dial->count = 0;
	else if (fails && chance(scene, 200))
		dial->has_no_memory = true;
}

static void
setup_side(struct scene *scene, struct link *link, int which)
{
	struct side *side = &link->sides[which];
	uint32_t *plain_at = side->plain_at;
	size_t size = side->plain_at_size;
	int in[PIPE_LEGS] = {which == E ? TO_DAEMON : FROM_TARGET, which == E ? WIRE_BACK : WIRE_OUT};

	memset(side, 0, sizeof *side);
	side->plain_at = plain_at;
	side->plain_at_size = size;
	side->link = link;
	side->which = which;
	side->settings = (struct pipe_settings){.kind = which == E ? PIPE_ENCRYPT : PIPE_DECRYPT,
	    .forward_secrecy = FORWARD_SECRECY_OFF,
	    .timeout = scene->timeout,
	    .asks_admission = which == D};
	for (int leg = 0; leg < PIPE_LEGS; leg++) {
		side->legs[leg].in = &link->flows[in[leg]];
		side->legs[leg].out = &link->flows[in[leg] ^ 1];
		side->legs[leg].most = PIPE_READ_LARGE;
	}
	side->broken_at = NEVER;
	side->late = chance(scene, 300) ? draw(scene, 20) : 0;
	side->spurious_left = chance(scene, 200) ? 1 + (int)draw(scene, 3) : 0;
	side->source = (uint32_t)draw(scene, 3);
	for (size_t i = 0; i < SESSION_RANDOM; i += 8) {
		uint64_t bytes = draw(scene, NEVER);

		memcpy(link->random[which] + i, &bytes, 8);
	}
	if (!scene->real_job) {
		memset(link->random[which] + WIRE_NONCE, 0, WIRE_X);
		link->random[which][SESSION_RANDOM - 1] = (uint8_t)(1 + draw(scene, QUICK_X_MOST));
	}
	setup_dial(scene, side, link->trouble == ADDRESSES_FAIL && link->liar == which);
}

static void
setup_secrecy(struct scene *scene, struct link *link)
{
	enum forward_secrecy *e = &link->sides[E].settings.forward_secrecy,
			     *d = &link->sides[D].settings.forward_secrecy;

	switch (draw(scene, 16)) {
	case 0:
		*(chance(scene, 500) ? e : d) = FORWARD_SECRECY;
		break;
	case 1:
		*e = *d = FORWARD_SECRECY;
		break;
	case 2:
		*e = FORWARD_SECRECY_REQUIRED;
		*d = FORWARD_SECRECY;
		break;
	case 3:
		if (chance(scene, 600))
			*(chance(scene, 500) ? e : d) = FORWARD_SECRECY_REQUIRED; /* and the other has -f */
		break;
	default:
		break;
	}
}

/* Which trouble a link has; the numbers are shares of a thousand. */
static enum trouble
draw_trouble(struct scene *scene)
{
	static const struct {
		enum trouble trouble;
		unsigned share;
	} shares[] = {{TAMPERED, 340}, {WIRE_IS_RESET, 35}, {WIRE_STALLS, 40}, {OTHER_KEY, 20}, {LYING_Y, 25},
	    {LYING_LENGTH, 34}, {LAST_NUMBERS, 25}, {JOB_FAILS, 32}, {NO_RANDOM, 20}, {ADDRESSES_FAIL, 130},
	    {GRIDLOCK, 55}, {STRANGER, 110}};
	uint64_t number = draw(scene, 1000);

	for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
		if (number < shares[i].share)
			return shares[i].trouble;
		number -= shares[i].share;
	}
	return NO_TROUBLE;
}

/* What fits a trouble: somebody who says enough for it to show. */
static void
setup_trouble(struct scene *scene, struct link *link)
{
	static const enum tampering tamperings[] = {FLIP, DROP, DROP_PACKET, DROP_PACKET, REPEAT, REPEAT, REPEAT,
	    REPEAT_PACKET, REORDER, REORDER, INJECT, REFLECT, REFLECT, REFLECT, REFLECT, CUT, CUT_PACKET, CUT_PACKET};
	struct app *speaker = link->tampered_way == WIRE_OUT ? &link->client : &link->target;

	switch ((int)link->trouble) {
	case TAMPERED:
		link->tampering = tamperings[draw(scene, sizeof tamperings / sizeof tamperings[0])];
		/* what is sent back twice is what it was */
		link->goes_on = link->tampering != REFLECT && chance(scene, 300);
		if (link->tampering != REFLECT && chance(scene, 750)) {
			link->tamper_at = HANDSHAKE + draw(scene, (uint64_t)4 * WIRE_PACKET);
			speaker->to_say += 3000 + draw(scene, 3000);
		}
		break;
	case LAST_NUMBERS:
		link->client.say_at = link->target.say_at = NEVER / 2;
		speaker = link->liar == E ? &link->client : &link->target;
		speaker->to_say += 3000;
		break;
	case LYING_LENGTH:
		link->tamper_at = HANDSHAKE + draw(scene, (uint64_t)2 * WIRE_PACKET);
		(link->liar == E ? &link->client : &link->target)->to_say += 1500;
		break;
	case GRIDLOCK:
		link->client.to_say += SMALL;
		link->client.stall = 0;
		link->client.end = link->target.end = ENDS_AFTER_SAYING;
		link->target.read_at = chance(scene, 500) ? 0 : NEVER / 2;
		link->target.every = scene->timeout * 3 / 5;
		for (int i = 0; i < FLOWS; i++)
			link->flows[i].capacity = 2000;
		break;
	case WIRE_STALLS:
		link->tamper_at = draw(scene, HANDSHAKE);
		break;
	case OTHER_KEY:
		link->is_harmed = true;
		break;
	default:
		break;
	}
}

static void
setup_link(struct scene *scene, struct link *link, int number)
{
	size_t capacity = CAPACITY;
	bool is_large = chance(scene, 6);

	link->number = number;
	link->trouble = draw_trouble(scene);
	link->goes_on = link->is_done_to = link->is_harmed = link->arrived = link->finished = false;
	link->tampered_way = chance(scene, 500) ? WIRE_OUT : WIRE_BACK;
	link->tamper_at = draw(scene, HANDSHAKE);
	link->liar = (int)draw(scene, SIDES);
	link->quiet_until = scene->now + (chance(scene, 500) ? draw(scene, scene->timeout) : 0); /* then it arrives */
	link->key = link->trouble == OTHER_KEY ? KEYS : (unsigned)draw(scene, scene->key_count);
	if (is_large)
		capacity = LARGE;
	else if (chance(scene, 120))
		capacity = chance(scene, 200) ? 150 + (size_t)draw(scene, 500) : 1500 + (size_t)draw(scene, SMALL);
	for (int i = 0; i < FLOWS; i++)
		flow_reset(&link->flows[i], capacity);
	for (int which = 0; which < SIDES; which++)
		setup_side(scene, link, which);
	setup_secrecy(scene, link);
	link->flows[TO_DAEMON].is_unix = link->flows[FROM_DAEMON].is_unix = chance(scene, 550);
	link->flows[WIRE_OUT].is_unix = link->flows[WIRE_BACK].is_unix = chance(scene, 250);
	link->flows[TO_TARGET].is_unix = link->flows[FROM_TARGET].is_unix = chance(scene, 550);
	setup_app(scene, link, &link->client, TO_DAEMON);
	setup_app(scene, link, &link->target, FROM_TARGET);
	if (chance(scene, 70)) {
		link->sides[E].settings.end_at_far_end = true;
		link->client.end = ENDS_AFTER_HEARING;
	}
	if (is_large)
		(chance(scene, 500) ? &link->client : &link->target)->to_say = LARGE;
	else if (capacity < 1500) {
		link->client.to_say %= SMALL;
		link->target.to_say %= SMALL;
	}
	setup_trouble(scene, link);
	if (link->trouble == STRANGER)
		setup_stranger(scene, link);
}

static void
setup_daemon(struct scene *scene, struct daemon *daemon, int which)
{
	void *memory = daemon->admission_memory;

	memset(daemon, 0, sizeof *daemon);
	daemon->admission_memory = memory;
	daemon->which = which;
	daemon->is_listening = true;
	daemon->unpause_at = daemon->drain_at = daemon->kill_at = daemon->reload_at = NEVER;
	daemon->cap = which == E ? 1 : chance(scene, 200) ? 1 + (uint32_t)draw(scene, 4) : LINKS;
	daemon->limit = chance(scene, 250) ? 1 + (uint32_t)draw(scene, 4) : 0;
	if (which == D && scene->is_crowded) {
		daemon->cap = 1 + (uint32_t)draw(scene, 2);
		daemon->limit = 1 + (uint32_t)draw(scene, 2);
	}
	if (chance(scene, 250)) {
		daemon->short_from = scene->now + draw(scene, scene->timeout);
		daemon->short_until = daemon->short_from + draw(scene, scene->timeout);
	}
	if (chance(scene, 100))
		daemon->drain_at = scene->now + draw(scene, scene->timeout);
	if (chance(scene, 100))
		daemon->kill_at = scene->now + draw(scene, scene->timeout);
	if (which == D && scene->changes_keys) {
		daemon->reload_at = scene->now + draw(scene, scene->timeout);
		daemon->reloads_left = 1 + (int)draw(scene, 3);
	}
	admission_start(&daemon->admission, memory, daemon->cap, daemon->limit, draw(scene, NEVER));
}

/* D's keys, and whether they change. */
static void
setup_keys(struct scene *scene)
{
	scene->changes_keys = chance(scene, 600);
	scene->key_count = scene->changes_keys || chance(scene, 200) ? KEYS : 1;
	scene->keeps = chance(scene, 200) ? 1000 : chance(scene, 250) ? 0 : 500;
	scene->closes_revoked = chance(scene, 550);
}

void
setup_scene(struct scene *scene, uint64_t seed)
{
	static const uint64_t timeouts[] = {100, 300, 1000, 5000}, slownesses[] = {0, 2, 10, 40};
	static const unsigned shortnesses[] = {0, 20, 100, 400};

	scene->seed = scene->random = seed;
	scene->random = draw(scene, NEVER); /* neighbours have nothing in common */
	scene->now = 1000;
	scene->steps = 0;
	scene->lets_go = false;
	scene->timeout = timeouts[draw(scene, 4)];
	scene->slowness = slownesses[draw(scene, 4)];
	scene->shortness = shortnesses[draw(scene, 4)];
	scene->real_job = chance(scene, 20);
	scene->is_crowded = chance(scene, 430);
	setup_keys(scene);
	scene->no_buffer_from = scene->no_buffer_until = scene->pressure_until = 0;
	if (chance(scene, 250)) {
		scene->no_buffer_from = scene->now + draw(scene, 100);
		scene->no_buffer_until = scene->no_buffer_from + draw(scene, scene->timeout);
	}
	if (chance(scene, 250))
		scene->pressure_until = scene->now + draw(scene, 2 * scene->timeout);
	memset(scene->seen, 0, sizeof scene->seen);
	for (int which = 0; which < SIDES; which++)
		setup_daemon(scene, &scene->daemons[which], which);
	scene->link_count = draw_connections(scene);
	if (scene->real_job && scene->link_count > 8)
		scene->link_count = 8;
	for (size_t i = 0; i < scene->link_count; i++)
		setup_link(scene, &scene->links[i], (int)i);
}
