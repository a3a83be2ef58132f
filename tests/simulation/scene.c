/* scene.c: plays a seed: whatever can happen now happens, in any order; then time passes; and all comes to an end. */
#include <stdlib.h>
#include <string.h>

#include "quick.h"
#include "sim.h"

enum { STEPS_MOST = 2000000, PATIENCE = 20 /* timeouts, then everybody is told to come to an end */ };

/* What can happen to a link: things of its flows, of its applications, of its sides, and its trouble. */
enum {
	LINK_APPS = FLOWS,
	LINK_SIDES = LINK_APPS + 2 * APP_THINGS,
	LINK_TROUBLE = LINK_SIDES + SIDES * SIDE_THINGS,
	LINK_THINGS
};

bool
scene_start(struct scene *scene)
{
	uint8_t *text = malloc((size_t)2 * TEXT);

	memset(scene, 0, sizeof *scene);
	if (group14_start() != OK)
		return false;
	scene->text = text;
	scene->engine = engine_new(ENGINE_BEST);
	scene->in = malloc(PIPE_IN_SIZE);
	scene->links = calloc(LINKS, sizeof *scene->links);
	scene->trace = trace_new();
	for (int i = 0; i < SIDES; i++) {
		scene->daemons[i].admission_memory = malloc(admission_size(LINKS));
		if (scene->daemons[i].admission_memory == NULL)
			return false;
	}
	if (text == NULL || scene->engine == NULL || scene->in == NULL || scene->links == NULL || scene->trace == NULL)
		return false;
	for (size_t i = 0; i < (size_t)2 * TEXT; i++)
		text[i] = (uint8_t)draw(scene, 256);
	return quick_check();
}

void
scene_stop(struct scene *scene)
{
	for (int i = 0; i < LINKS; i++) {
		for (int j = 0; j < FLOWS; j++)
			free(scene->links[i].flows[j].bytes);
		for (int j = 0; j < SIDES; j++)
			free(scene->links[i].sides[j].plain_at);
	}
	for (int i = 0; i < SIDES; i++)
		free(scene->daemons[i].admission_memory);
	buffer_free_idle(scene);
	engine_free(scene->engine);
	free(scene->in);
	free(scene->links);
	free(scene->trace);
	free((void *)(uintptr_t)scene->text);
	group14_stop();
}

/* Somebody comes: a client to the encrypter, a stranger straight to the decrypter. */
static void
arrive(struct scene *scene, struct link *link)
{
	bool is_stranger = link->trouble == STRANGER;
	size_t other = (size_t)draw(scene, scene->link_count);

	link->arrived = true;
	trace_link(scene, link, is_stranger ? "stranger comes" : "client comes", link->trouble);
	if (!daemon_connect(scene, &scene->daemons[is_stranger ? D : E], link)) {
		link->is_harmed = true;
		return;
	}
	link->client.there = true;
	link->client.say_at += scene->now;
	if (!is_stranger)
		return;
	happens(scene, HAPPENS_STRANGER);
	for (size_t i = 0; link->client.to_say == HANDSHAKE && i < scene->link_count; i++) {
		struct side *side = &scene->links[(other + i) % scene->link_count].sides[E];

		if (cipher_of(side)->wrote < HANDSHAKE)
			continue;
		link->client.text = side->told;
		happens(scene, HAPPENS_STRANGER_REPLAYS);
		return;
	}
}

static uint64_t
link_time(struct scene *scene, const struct link *link, int thing)
{
	if (thing < LINK_APPS)
		return flow_time(&link->flows[thing]);
	if (thing < LINK_SIDES) {
		thing -= LINK_APPS;
		return app_time(thing < APP_THINGS ? &link->client : &link->target, thing % APP_THINGS);
	}
	if (thing < LINK_TROUBLE) {
		thing -= LINK_SIDES;
		return side_time(scene, &link->sides[thing / SIDE_THINGS], thing % SIDE_THINGS);
	}
	return attack_time(link);
}

static void
link_happen(struct scene *scene, struct link *link, int thing)
{
	if (thing < LINK_APPS) {
		struct flow *flow = &link->flows[thing];
		size_t coming = flow->end - flow->arrived;

		attack_wire(scene, link, thing);
		if (flow_time(flow) > scene->now)
			return;
		flow_move(flow, &link->flows[thing ^ 1],
		    coming > 1 && chance(scene, scene->shortness) ? 1 + (size_t)draw(scene, coming) : SIZE_MAX);
		flow->ready_at = scene->now + setup_delay(scene);
	} else if (thing < LINK_SIDES) {
		thing -= LINK_APPS;
		app_happen(scene, link, thing < APP_THINGS ? &link->client : &link->target, thing % APP_THINGS);
	} else if (thing < LINK_TROUBLE) {
		thing -= LINK_SIDES;
		side_happen(scene, &link->sides[thing / SIDE_THINGS], thing % SIDE_THINGS);
	} else {
		attack_happen(scene, link);
	}
}

static bool
is_done(const struct side *side)
{
	return (side->over || !side->started) && !side->job_out;
}

/* What was not hindered came to a good end, with every byte. */
static void
finish(struct scene *scene, struct link *link)
{
	const struct side *e = &link->sides[E], *d = &link->sides[D];

	link->finished = true;
	if (link->is_harmed || !e->was_accepted || e->settings.end_at_far_end)
		return;
	promise(scene, pipe_reason(&e->pipe) == OK && pipe_reason(&d->pipe) == OK);
	promise(scene, link->client.heard == link->target.said && link->target.heard == link->client.said);
	happens(scene, HAPPENS_HARMLESS);
}

static bool
is_waited_for(const struct scene *scene, const struct link *link)
{
	for (int which = 0; which < SIDES; which++)
		for (size_t i = 0; i < scene->daemons[which].backlog_count; i++)
			if (scene->daemons[which].backlog[i] == link)
				return true;
	return false;
}

/* One thing that can happen to this link now, the first from a random one on; false: it is quiet for a while. */
static bool
step_link(struct scene *scene, struct link *link)
{
	uint64_t others = NEVER;
	int first;

	if (link->quiet_until > scene->now)
		return false;
	if (!link->arrived) {
		arrive(scene, link);
		return true;
	}
	first = (int)draw(scene, LINK_THINGS);
	link->quiet_until = NEVER;
	for (int i = 0; i < LINK_THINGS; i++) {
		int thing = first + i < LINK_THINGS ? first + i : first + i - LINK_THINGS;
		uint64_t at = link_time(scene, link, thing);

		if (at <= scene->now) {
			link->quiet_until = 0;
			link_happen(scene, link, thing);
			return true;
		}
		link->quiet_until = at < link->quiet_until ? at : link->quiet_until;
		if (thing != LINK_SIDES + SIDE_TIMER && thing != LINK_SIDES + SIDE_THINGS + SIDE_TIMER)
			others = at < others ? at : others;
	}
	if (others == NEVER && !is_waited_for(scene, link))
		promise_not_idle(scene, link);
	if ((!link->client.there || link->client.gone) && (!link->target.there || link->target.gone) &&
	    is_done(&link->sides[E]) && is_done(&link->sides[D]) && !is_waited_for(scene, link))
		finish(scene, link);
	return false;
}

static bool
step_daemons(struct scene *scene, uint64_t *next)
{
	int first = (int)draw(scene, SIDES * DAEMON_THINGS);

	for (int i = 0; i < SIDES * DAEMON_THINGS; i++) {
		int thing = (first + i) % (SIDES * DAEMON_THINGS);
		struct daemon *daemon = &scene->daemons[thing / DAEMON_THINGS];
		uint64_t at = daemon_time(daemon, thing % DAEMON_THINGS);

		if (at <= scene->now) {
			daemon_happen(scene, daemon, thing % DAEMON_THINGS);
			return true;
		}
		*next = at < *next ? at : *next;
	}
	return false;
}

static bool
step(struct scene *scene, uint64_t *next)
{
	size_t first = (size_t)draw(scene, scene->link_count + 1);

	*next = NEVER;
	for (size_t i = 0; i <= scene->link_count; i++) {
		size_t number = (first + i) % (scene->link_count + 1);

		if (number == scene->link_count) {
			if (step_daemons(scene, next))
				return true;
			continue;
		}
		if (scene->links[number].finished)
			continue;
		if (step_link(scene, &scene->links[number]))
			return true;
		if (scene->links[number].quiet_until < *next)
			*next = scene->links[number].quiet_until;
	}
	return false;
}

/* Nobody has anything more to say, nobody stalls, and both daemons get their SIGTERM. */
static void
let_go(struct scene *scene)
{
	scene->lets_go = true;
	for (size_t i = 0; i < scene->link_count; i++) {
		struct app *apps[] = {&scene->links[i].client, &scene->links[i].target};

		if (scene->links[i].arrived)
			scene->links[i].quiet_until = 0;
		for (int j = 0; j < 2; j++) {
			apps[j]->say_at = apps[j]->read_at = apps[j]->there ? scene->now : 0;
			apps[j]->stall = apps[j]->every = 0;
			apps[j]->to_say = apps[j]->said;
			apps[j]->end = ENDS_AFTER_SAYING;
		}
	}
	for (int which = 0; which < SIDES; which++)
		scene->daemons[which].drain_at = scene->now;
}

static bool
is_over(const struct scene *scene)
{
	for (size_t i = 0; i < scene->link_count; i++)
		if (!scene->links[i].finished)
			return false;
	for (int which = 0; which < SIDES; which++)
		if (scene->daemons[which].to_acceptor.count + scene->daemons[which].to_worker.count > 0)
			return false;
	return true;
}

static void
pass_time(struct scene *scene, uint64_t next)
{
	if (!scene->lets_go && (next == NEVER || next > scene->now + PATIENCE * scene->timeout ||
				   scene->now > 1000 + PATIENCE * scene->timeout)) {
		let_go(scene);
		return;
	}
	promise(scene, next != NEVER); /* else somebody waits for nothing */
	scene->now = next;
	for (size_t i = 0; i < scene->link_count; i++)
		for (int which = 0; which < SIDES; which++)
			promise_in_time(scene, &scene->links[i].sides[which]);
}

void
scene_play(struct scene *scene, uint64_t seed, bool prints)
{
	uint64_t next;

	trace_start(scene, prints);
	setup_scene(scene, seed);
	keys_start(scene);
	while (!is_over(scene)) {
		promise(scene, ++scene->steps < STEPS_MOST);
		if (!step(scene, &next) && !is_over(scene))
			pass_time(scene, next);
	}
	promise(scene, scene->handed_out == 0);
	keys_stop(scene);
	for (int which = 0; which < SIDES; which++) {
		promise_counts(scene, &scene->daemons[which]);
		promise(scene, scene->daemons[which].admission.admitted == 0 && scene->daemons[which].count == 0);
		promise(scene, scene->daemons[which].admission.strangers == 0);
	}
}
