/* app.c: whoever is beside a daemon: says its text, reads, stalls, and ends in one way or another. */
#include "sim.h"

enum { SIP = 400 };

static bool
wants_to_end(const struct app *app)
{
	if (app->ended || app->said < app->to_say)
		return false;
	return app->end != ENDS_AFTER_HEARING || app->saw_end || app->saw_reset;
}

uint64_t
app_time(const struct app *app, int thing)
{
	if (!app->there || app->gone)
		return NEVER;
	switch (thing) {
	case APP_SAY:
		return app->said < app->to_say && (app->out->dead || flow_room(app->out) > 0) ? app->say_at : NEVER;
	case APP_END:
		return wants_to_end(app) ? app->say_at : NEVER;
	default:
		if (app->saw_end || app->saw_reset)
			return NEVER;
		return flow_ready(app->in) > 0 || app->in->fin_arrived || app->in->broken ? app->read_at : NEVER;
	}
}

static uint64_t
pause(struct scene *scene, const struct app *app)
{
	return scene->now + (app->pace > 0 && chance(scene, 300) ? draw(scene, app->pace) : 0);
}

/* Nothing that it wrote from now on would be read by anybody. */
static void
leave(struct scene *scene, struct link *link, struct app *app, bool reset)
{
	reset &= !app->out->is_unix;
	trace_link(scene, link, reset ? "app resets" : "app closes", app == &link->target);
	app->gone = true;
	flow_close(app->out, app->in, reset);
}

/* It hears nothing any more, and says what it has to say: shutdown(SHUT_RD) of a UNIX socket does that to its peer. */
static void
deafen(struct scene *scene, struct link *link, struct app *app)
{
	trace_link(scene, link, "app goes deaf", app == &link->target);
	happens(scene, HAPPENS_APP_DEAF);
	link->is_harmed = true;
	app->end = ENDS_AFTER_SAYING;
	app->saw_end = true;
	app->in->deaf = app->in->dead = true;
	app->in->start = app->in->arrived = app->in->end;
}

static void
say(struct scene *scene, struct link *link, struct app *app)
{
	size_t length = (size_t)(app->to_say - app->said), room = flow_room(app->out);

	app->say_at = pause(scene, app);
	if (app->out->dead) { /* what it did not say, it won't */
		app->to_say = app->said;
		return;
	}
	length = length < room ? length : room;
	if (length > 1 && chance(scene, 300))
		length = 1 + (size_t)draw(scene, length - 1);
	trace_link(scene, link, app == &link->target ? "target says" : "client says", length);
	flow_put(app->out, app->text + app->said, length);
	app->said += length;
}

static void
hear(struct scene *scene, struct link *link, struct app *app)
{
	size_t length = flow_ready(app->in);

	app->read_at = pause(scene, app);
	if (length == 0) {
		app->saw_reset = app->in->broken;
		app->saw_end = !app->in->broken;
		trace_link(scene, link, app->saw_end ? "app sees end" : "app sees reset", app == &link->target);
		return;
	}
	if (app->stall > 0 && app->heard + length >= app->trigger) {
		happens(scene, HAPPENS_APP_STALL);
		trace_link(scene, link, "app stalls", app->stall);
		app->read_at = scene->now + app->stall;
		app->stall = 0;
		return;
	}
	if (length > 1 && chance(scene, scene->shortness))
		length = 1 + (size_t)draw(scene, length - 1);
	if (app->every > 0) {
		app->read_at = scene->now + app->every;
		length = length < SIP ? length : SIP;
	}
	flow_take(app->in, NULL, length);
	app->heard += length;
}

void
app_happen(struct scene *scene, struct link *link, struct app *app, int thing)
{
	if (thing == APP_SAY)
		say(scene, link, app);
	else if (thing == APP_READ)
		hear(scene, link, app);
	else {
		trace_link(scene, link, app == &link->target ? "target ends" : "client ends", app->said);
		app->ended = app->out->fin = true;
	}
	if (app->end == DEAFENS && app->said + app->heard >= app->trigger && !app->in->broken && !app->in->fin)
		deafen(scene, link, app);
	if ((app->end == RESETS || app->end == CLOSES) && app->said + app->heard >= app->trigger && !app->gone) {
		link->is_harmed = true;
		happens(scene, app->end == RESETS && !app->out->is_unix ? HAPPENS_APP_RESET : HAPPENS_APP_CLOSE);
		leave(scene, link, app, app->end == RESETS);
	} else if (app->saw_reset || (app->ended && app->saw_end)) {
		leave(scene, link, app, false);
	}
}
