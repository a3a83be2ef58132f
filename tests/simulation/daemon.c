/* daemon.c: accepts, keeps to the limits, drains and is killed: does what admission.h decides, as net/acceptor.c. */
#include <string.h>

#include "sim.h"

static struct side *
side_of(const struct daemon *daemon, struct link *link)
{
	return &link->sides[daemon->which];
}

static void
post(struct scene *scene, struct mailbox *mailbox, enum mail_kind kind, struct link *link)
{
	promise(scene, mailbox->count < MAILS);
	mailbox->mails[(mailbox->first + mailbox->count++) % MAILS] = (struct mail){.kind = kind,
	    .link = link,
	    .at = scene->now + (scene->is_crowded && chance(scene, 300) ? draw(scene, 30) : setup_delay(scene))};
}

void
daemon_hears_of(struct scene *scene, struct side *side, enum mail_kind kind)
{
	post(scene, &scene->daemons[side->which].to_acceptor, kind, side->link);
}

/* What its own books say is what is so. */
void
promise_counts(struct scene *scene, const struct daemon *daemon)
{
	uint32_t strangers = 0, admitted = 0;

	for (size_t i = 0; i < scene->link_count; i++) {
		const struct side *side = &scene->links[i].sides[daemon->which];

		strangers += !side->is_gone && (side->standing == STRANGE || side->standing == WAITING);
		admitted += !side->is_gone && side->standing == ADMITTED;
	}
	promise(scene, daemon->admission.strangers == strangers && strangers <= daemon->cap);
	promise(scene, daemon->admission.admitted == admitted);
	promise(scene, daemon->limit == 0 || admitted <= daemon->limit);
	promise(scene, admission_is_full(&daemon->admission) == (daemon->limit != 0 && admitted == daemon->limit));
}

bool
daemon_connect(struct scene *scene, struct daemon *daemon, struct link *link)
{
	if (!daemon->is_listening)
		return false;
	if (daemon->backlog_count == 0)
		daemon->accept_at = scene->now + setup_delay(scene);
	daemon->backlog[daemon->backlog_count++] = link;
	return true;
}

/* It goes without ever having been a connection of ours. */
static void
turn_away(struct scene *scene, struct daemon *daemon, struct link *link)
{
	struct side *side = side_of(daemon, link);
	int in = daemon->which == E ? TO_DAEMON : WIRE_OUT;

	trace_note(scene, side, "turned away", -1, 0);
	link->is_harmed = true;
	link->quiet_until = 0;
	flow_close(&link->flows[in ^ 1], &link->flows[in], true);
}

static void
evict(struct scene *scene, struct daemon *daemon, uint32_t slot)
{
	struct link *link = daemon->by_slot[slot];

	promise(scene, link != NULL && side_of(daemon, link)->standing == STRANGE);
	trace_note(scene, side_of(daemon, link), "evict", -1, slot);
	if (side_of(daemon, link)->admit_asked)
		happens(scene, HAPPENS_EVICTED_PROVED);
	side_of(daemon, link)->standing = EVICTED;
	daemon->by_slot[slot] = NULL;
	link->is_harmed = true;
	post(scene, &daemon->to_worker, MAIL_EVICTED, link);
}

/* Of one source, the newcomer counted with its own; those who wait for room don't count. */
static uint32_t
strangers_of(const struct scene *scene, const struct daemon *daemon, uint32_t source, uint32_t newcomer)
{
	uint32_t count = source == newcomer;

	for (size_t i = 0; i < scene->link_count; i++) {
		const struct side *side = &scene->links[i].sides[daemon->which];

		count += !side->is_gone && side->standing == STRANGE && side->source == source;
	}
	return count;
}

/* Who makes room is the oldest of a source that has the most. */
static void
promise_fair(struct scene *scene, const struct daemon *daemon, const struct side *goes, uint32_t newcomer)
{
	uint32_t most = strangers_of(scene, daemon, goes->source, newcomer);

	promise(scene, goes->standing == STRANGE);
	for (size_t i = 0; i < scene->link_count; i++) {
		const struct side *side = &scene->links[i].sides[daemon->which];

		if (side->is_gone || side->standing != STRANGE)
			continue;
		promise(scene, strangers_of(scene, daemon, side->source, newcomer) <= most);
		promise(scene, side->source != goes->source || side->entered >= goes->entered);
	}
}

static bool
enter(struct scene *scene, struct daemon *daemon, struct link *link)
{
	struct side *side = side_of(daemon, link);
	struct admission_source source = {{0}};
	uint32_t evicted, slot;

	if (daemon->which == E) {
		side->standing = ADMITTED;
		return true;
	}
	memcpy(source.bytes, &side->source, sizeof side->source);
	slot = admission_enter(&daemon->admission, &source, &evicted);
	if (evicted != ADMISSION_NONE) {
		promise(scene, evicted == slot && slot < daemon->cap && daemon->by_slot[evicted] != NULL);
		promise_fair(scene, daemon, side_of(daemon, daemon->by_slot[evicted]), side->source);
		evict(scene, daemon, evicted);
	}
	if (slot == ADMISSION_NONE) {
		promise(scene, daemon->admission.strangers == daemon->cap);
		happens(scene, HAPPENS_NO_SLOT);
		scene->seen[MARK_VERDICTS + ERROR_NO_ROOM] = 1; /* and a pipe says it of one that waited too long */
		return false;
	}
	promise(scene, slot < daemon->cap && daemon->by_slot[slot] == NULL);
	side->standing = STRANGE;
	side->slot = slot;
	side->entered = scene->steps;
	daemon->by_slot[slot] = link;
	return true;
}

static void
on_shortage(struct scene *scene, struct daemon *daemon)
{
	uint32_t slot = daemon->which == E ? ADMISSION_NONE : admission_evict(&daemon->admission);

	happens(scene, HAPPENS_SHORTAGE);
	if (slot != ADMISSION_NONE) {
		promise_fair(scene, daemon, side_of(daemon, daemon->by_slot[slot]), UINT32_MAX);
		evict(scene, daemon, slot);
	}
	daemon->is_paused = true;
	daemon->unpause_at = scene->now + 1000;
}

static void
accept_one(struct scene *scene, struct daemon *daemon)
{
	struct link *link = daemon->backlog[0];

	if (daemon->which == E && !admission_take(&daemon->admission)) {
		happens(scene, HAPPENS_PAUSED);
		daemon->is_paused = true;
		return;
	}
	if (scene->now >= daemon->short_from && scene->now < daemon->short_until) {
		if (daemon->which == E)
			admission_end(&daemon->admission);
		on_shortage(scene, daemon);
		return;
	}
	daemon->backlog_count--;
	memmove(daemon->backlog, daemon->backlog + 1, daemon->backlog_count * sizeof daemon->backlog[0]);
	daemon->accept_at = scene->now + setup_delay(scene);
	if (!enter(scene, daemon, link)) {
		turn_away(scene, daemon, link);
		return;
	}
	daemon->count++;
	side_of(daemon, link)->was_accepted = true;
	if (link->trouble == NO_RANDOM && link->liar == daemon->which) {
		scene->seen[MARK_VERDICTS + ERROR_RANDOM] = 1; /* no pipe says so: it is never started */
		turn_away(scene, daemon, link);
		side_of(daemon, link)->over = true;
		post(scene, &daemon->to_acceptor, MAIL_GONE, link);
		return;
	}
	side_start(scene, side_of(daemon, link));
}

static void
admit(struct scene *scene, struct daemon *daemon, struct link *link)
{
	side_of(daemon, link)->standing = ADMITTED;
	daemon->by_slot[side_of(daemon, link)->slot] = NULL;
	post(scene, &daemon->to_worker, MAIL_ADMITTED, link);
}

static void
on_proved(struct scene *scene, struct daemon *daemon, struct link *link)
{
	struct side *side = side_of(daemon, link);

	if (side->standing != STRANGE) /* evicted meanwhile */
		return;
	if (admission_authenticated(&daemon->admission, side->slot)) {
		admit(scene, daemon, link);
		return;
	}
	happens(scene, HAPPENS_WAITS_FOR_ROOM);
	side->standing = WAITING;
	side->entered = scene->steps;
}

/* Room goes to the one who has waited longest. */
static void
promise_first(struct scene *scene, const struct daemon *daemon, const struct side *gets)
{
	promise(scene, gets->standing == WAITING);
	for (size_t i = 0; i < scene->link_count; i++) {
		const struct side *side = &scene->links[i].sides[daemon->which];

		promise(scene, side->is_gone || side->standing != WAITING || side->entered >= gets->entered);
	}
}

static void
on_gone(struct scene *scene, struct daemon *daemon, struct link *link)
{
	struct side *side = side_of(daemon, link);
	uint32_t next;

	side->is_gone = true;
	daemon->count--;
	daemon->is_paused = false;
	if (side->standing == ADMITTED) {
		next = admission_end(&daemon->admission);
		if (next != ADMISSION_NONE) {
			happens(scene, HAPPENS_ROOM_CAME);
			promise_first(scene, daemon, side_of(daemon, daemon->by_slot[next]));
			admit(scene, daemon, daemon->by_slot[next]);
		}
	} else if (side->standing != EVICTED) {
		daemon->by_slot[side->slot] = NULL;
		admission_leave(&daemon->admission, side->slot);
	}
}

static void
tell_revoked(struct scene *scene, struct daemon *daemon)
{
	for (size_t i = 0; i < scene->link_count; i++) {
		struct side *side = side_of(daemon, &scene->links[i]);

		if (!side->started || side->over)
			continue;
		keys_check(scene, side);
		side_settle(scene, side);
	}
	daemon->revoked_known = scene->generation;
}

/* New connections are on the new keys at once; the worker hears of those that are gone. */
static void
reload(struct scene *scene, struct daemon *daemon)
{
	daemon->reload_at = daemon->reloads_left > 0 ? scene->now + draw(scene, scene->timeout) : NEVER;
	daemon->reloads_left--;
	keys_change(scene);
	post(scene, &daemon->to_worker, MAIL_REVOKED, NULL);
}

static void
take_mail(struct scene *scene, struct daemon *daemon, struct mailbox *mailbox)
{
	struct mail mail = mailbox->mails[mailbox->first];
	struct side *side = mail.link != NULL ? side_of(daemon, mail.link) : NULL;

	mailbox->first = (mailbox->first + 1) % MAILS;
	mailbox->count--;
	switch (mail.kind) {
	case MAIL_PROVED:
		on_proved(scene, daemon, mail.link);
		break;
	case MAIL_GONE:
		on_gone(scene, daemon, mail.link);
		break;
	case MAIL_ADMITTED:
		if (!side->over)
			side_admitted(scene, side);
		break;
	case MAIL_EVICTED:
		if (!side->over)
			side_stop(scene, side, ERROR_EVICTED);
		break;
	case MAIL_REVOKED:
		tell_revoked(scene, daemon);
		break;
	}
}

static bool
is_busy(const struct scene *scene, const struct daemon *daemon)
{
	for (size_t i = 0; i < scene->link_count; i++)
		if (scene->links[i].sides[daemon->which].started && !scene->links[i].sides[daemon->which].over)
			return true;
	return false;
}

void
daemon_drain(struct scene *scene, struct daemon *daemon)
{
	daemon->drain_at = NEVER;
	if (daemon->is_draining)
		return;
	if (is_busy(scene, daemon) && !scene->lets_go)
		happens(scene, HAPPENS_DRAIN_IN_FLIGHT);
	while (!daemon->is_paused && daemon->backlog_count > 0)
		accept_one(scene, daemon);
	for (; daemon->backlog_count > 0; daemon->backlog_count--)
		turn_away(scene, daemon, daemon->backlog[daemon->backlog_count - 1]);
	daemon->is_draining = true;
	daemon->is_listening = false;
}

static void
kill(struct scene *scene, struct daemon *daemon)
{
	daemon->kill_at = NEVER;
	daemon_drain(scene, daemon);
	daemon->is_killed = true;
	if (is_busy(scene, daemon))
		happens(scene, HAPPENS_KILL_IN_FLIGHT);
	for (size_t i = 0; i < scene->link_count; i++) {
		struct side *side = side_of(daemon, &scene->links[i]);

		if (!side->started || side->over)
			continue;
		scene->links[i].is_harmed = true;
		side_stop(scene, side, ERROR_KILLED);
		promise(scene, side->over);
	}
}

uint64_t
daemon_time(const struct daemon *daemon, int thing)
{
	switch (thing) {
	case DAEMON_ACCEPT:
		return daemon->is_listening && !daemon->is_paused && daemon->backlog_count > 0 ? daemon->accept_at
											       : NEVER;
	case DAEMON_UNPAUSE:
		return daemon->is_paused ? daemon->unpause_at : NEVER;
	case DAEMON_MAIL_IN:
		return daemon->to_acceptor.count > 0 ? daemon->to_acceptor.mails[daemon->to_acceptor.first].at : NEVER;
	case DAEMON_MAIL_OUT:
		return daemon->to_worker.count > 0 ? daemon->to_worker.mails[daemon->to_worker.first].at : NEVER;
	case DAEMON_DRAIN:
		return daemon->drain_at;
	case DAEMON_RELOAD:
		return daemon->reload_at;
	default:
		return daemon->kill_at;
	}
}

void
daemon_happen(struct scene *scene, struct daemon *daemon, int thing)
{
	switch (thing) {
	case DAEMON_ACCEPT:
		accept_one(scene, daemon);
		break;
	case DAEMON_UNPAUSE:
		daemon->is_paused = false;
		daemon->unpause_at = NEVER;
		break;
	case DAEMON_MAIL_IN:
		take_mail(scene, daemon, &daemon->to_acceptor);
		break;
	case DAEMON_MAIL_OUT:
		take_mail(scene, daemon, &daemon->to_worker);
		break;
	case DAEMON_DRAIN:
		daemon_drain(scene, daemon);
		break;
	case DAEMON_RELOAD:
		reload(scene, daemon);
		break;
	default:
		kill(scene, daemon);
	}
	promise_counts(scene, daemon);
}
