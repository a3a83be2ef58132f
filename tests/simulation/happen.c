/* happen.c: what can happen to a side, and when; net/ would come to know it from epoll and timers. */
#include "sim.h"

enum { LEG_HANGS_UP, LEG_READABLE, LEG_WRITABLE, LEG_DELIVERED };

static uint64_t
readable_time(const struct side *side, const struct leg *leg, unsigned wants)
{
	if ((wants & PIPE_WANT_READ) == 0 || leg->hung_up)
		return NEVER;
	if (flow_ready(leg->in) == 0 && !leg->in->fin_arrived && !leg->in->broken)
		return NEVER;
	return side->retry_at;
}

static uint64_t
leg_time(const struct side *side, int thing)
{
	enum pipe_leg which = (enum pipe_leg)(thing % PIPE_LEGS);
	const struct leg *leg = &side->legs[which];

	if (!leg->connected || leg->closed)
		return NEVER;
	switch (thing / PIPE_LEGS) {
	case LEG_HANGS_UP:
		return leg->in->broken && !leg->hung_up ? 0 : NEVER;
	case LEG_READABLE:
		return readable_time(side, leg, pipe_wants(&side->pipe, which));
	case LEG_WRITABLE:
		if ((pipe_wants(&side->pipe, which) & PIPE_WANT_WRITE) == 0 || leg->hung_up)
			return NEVER;
		return flow_room(leg->out) > 0 || leg->out->dead ? 0 : NEVER;
	default:
		return leg->awaiting && (leg->out->end == leg->out->arrived || leg->hung_up || leg->out->dead) ? 0
													       : NEVER;
	}
}

uint64_t
side_time(struct scene *scene, const struct side *side, int thing)
{
	uint64_t deadline;

	if (thing == SIDE_JOB)
		return side->job_wanted || side->job_out ? side->job_at : NEVER;
	if (!side->started || side->over)
		return NEVER;
	switch (thing) {
	case SIDE_TIMER:
		deadline = pipe_deadline(&side->pipe);
		return deadline == NEVER ? NEVER : deadline + side->late;
	case SIDE_DIAL:
		return dial_time(side);
	case SIDE_RETRY:
		return side->retries ? side->retry_at : NEVER;
	case SIDE_SPURIOUS:
		return side->spurious_left > 0 && !scene->lets_go ? side->spurious_at : NEVER;
	default:
		return leg_time(side, thing - SIDE_OF_LEGS);
	}
}

/* As net/job_queue.c: the connection may go meanwhile, and what it holds. */
static void
hold_ring(struct side *side)
{
	side->job_ring = side->job.match.keyring;
	counted_take(&side->job_ring->counted);
}

/* The job is taken when there is somebody to run it, and its result may find nobody. */
static void
do_job(struct scene *scene, struct side *side)
{
	if (side->job_wanted) {
		side->job_wanted = false;
		side->job_out = true;
		side->job_at = scene->now + (chance(scene, 80) ? draw(scene, scene->timeout) : setup_delay(scene));
		pipe_job(&side->pipe, &side->job);
		if (side->job.kind == JOB_MATCH)
			hold_ring(side);
		return;
	}
	side->job_out = false;
	attack_job(scene, side, &side->job); /* as late as may be: its connection may have gone long ago */
	if (side->over) {
		happens(scene, side->job.kind == JOB_MATCH ? HAPPENS_MATCH_ORPHANED : HAPPENS_JOB_ORPHANED);
	} else {
		side->jobs_done += side->job.kind == JOB_POWERS;
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = &side->job});
	}
	if (side->job_ring != NULL)
		counted_drop(&side->job_ring->counted);
	side->job_ring = NULL;
	job_wipe(&side->job);
}

/* What comes without anybody having asked changes nothing. */
static void
do_spurious(struct scene *scene, struct side *side)
{
	enum pipe_leg which = (enum pipe_leg)draw(scene, PIPE_LEGS);

	side->spurious_left--;
	side->spurious_at = scene->now + setup_delay(scene);
	happens(scene, HAPPENS_SPURIOUS);
	if (chance(scene, 300)) {
		if (scene->now < pipe_deadline(&side->pipe))
			side_hear(scene, side, (struct pipe_event){.kind = PIPE_TIME});
	} else if (side->legs[which].connected && !side->legs[which].closed) {
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
	}
}

static void
do_leg(struct scene *scene, struct side *side, int thing)
{
	enum pipe_leg which = (enum pipe_leg)(thing % PIPE_LEGS);
	struct leg *leg = &side->legs[which];

	if (thing / PIPE_LEGS == LEG_HANGS_UP &&
	    readable_time(side, leg, pipe_wants(&side->pipe, which)) <= scene->now && chance(scene, 500))
		thing += (LEG_READABLE - LEG_HANGS_UP) * PIPE_LEGS; /* a read finds it before anything else tells */
	switch (thing / PIPE_LEGS) {
	case LEG_HANGS_UP:
		leg->hung_up = true; /* a write that waits will fail now, and so be known */
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
		if (chance(scene, 500))
			(void)side_tell_hang_up(scene, side);
		break;
	case LEG_READABLE:
		/* both at once: nothing is done about the first before the second is told */
		if ((pipe_wants(&side->pipe, which) & PIPE_WANT_WRITE) != 0 && flow_room(leg->out) > 0)
			side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
		(void)side_read(scene, side, which);
		break;
	case LEG_WRITABLE:
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
		break;
	default:
		leg->awaiting = false;
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_DELIVERED, .leg = which});
	}
}

void
side_happen(struct scene *scene, struct side *side, int thing)
{
	uint64_t deadline;

	switch (thing) {
	case SIDE_TIMER:
		if (side->late > 0)
			happens(scene, HAPPENS_LATE_TIMER);
		side_check_delivery(scene, side);
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_TIME});
		break;
	case SIDE_DIAL:
		dial_happen(scene, side);
		break;
	case SIDE_JOB:
		do_job(scene, side);
		break;
	case SIDE_RETRY:
		side->retries = false;
		break;
	case SIDE_SPURIOUS:
		do_spurious(scene, side);
		break;
	default:
		do_leg(scene, side, thing - SIDE_OF_LEGS);
	}
	side_settle(scene, side);
	deadline = pipe_deadline(&side->pipe);
	promise(
	    scene, thing != SIDE_TIMER || deadline > scene->now || side->over); /* else it would come again at once */
}
