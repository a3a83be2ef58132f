/* tally.c: what came up, in how many seeds; see tally.h. */
#include "tally.h"

#include <stdio.h>

/* Those of one leg only, or of none, have one place. */
enum { NO_LEG, BOTH_LEGS };

static const struct {
	const char *name;
	int legs;
} events[PIPE_STOP + 1] = {
    [PIPE_DIALLED] = {"DIALLED", BOTH_LEGS},
    [PIPE_DIAL_FAILED] = {"DIAL_FAILED", BOTH_LEGS},
    [PIPE_ADMITTED] = {"ADMITTED", NO_LEG},
    [PIPE_READ] = {"READ", BOTH_LEGS},
    [PIPE_END] = {"END", BOTH_LEGS},
    [PIPE_HANGUP] = {"HANGUP", BOTH_LEGS},
    [PIPE_READ_FAILED] = {"READ_FAILED", BOTH_LEGS},
    [PIPE_WRITTEN] = {"WRITTEN", BOTH_LEGS},
    [PIPE_WRITABLE] = {"WRITABLE", BOTH_LEGS},
    [PIPE_WRITE_FAILED] = {"WRITE_FAILED", BOTH_LEGS},
    [PIPE_DELIVERED] = {"DELIVERED", BOTH_LEGS},
    [PIPE_JOB_DONE] = {"JOB_DONE", NO_LEG},
    [PIPE_TIME] = {"TIME", NO_LEG},
    [PIPE_STOP] = {"STOP", NO_LEG},
};

static const struct {
	const char *name;
	int legs;
} actions[PIPE_OVER + 1] = {
    [PIPE_DIAL] = {"DIAL", NO_LEG},
    [PIPE_ADMIT] = {"ADMIT", NO_LEG},
    [PIPE_JOB] = {"JOB", NO_LEG},
    [PIPE_OPENED] = {"OPENED", NO_LEG},
    [PIPE_SEND] = {"SEND", BOTH_LEGS},
    [PIPE_SHUTDOWN] = {"SHUTDOWN", BOTH_LEGS},
    [PIPE_AWAIT_DELIVERY] = {"AWAIT_DELIVERY", BOTH_LEGS},
    [PIPE_CLOSE] = {"CLOSE", BOTH_LEGS},
    [PIPE_RESET] = {"RESET", BOTH_LEGS},
    [PIPE_RELEASE] = {"RELEASE", NO_LEG},
    [PIPE_OVER] = {"OVER", NO_LEG},
};

static const char *const happenings[HAPPENINGS_COUNT] = {
#define X(name, text) text,
    HAPPENINGS(X)
#undef X
};

const char *
tally_event(enum pipe_event_kind kind)
{
	return events[kind].name;
}

const char *
tally_action(enum pipe_action_kind kind)
{
	return actions[kind].name;
}

int
tally_event_leg(enum pipe_event_kind kind, enum pipe_leg leg)
{
	return events[kind].legs == NO_LEG ? -1 : (int)leg;
}

int
tally_action_leg(enum pipe_action_kind kind, enum pipe_leg leg)
{
	return actions[kind].legs == NO_LEG ? -1 : (int)leg;
}

void
tally_add(struct tally *tally, const uint8_t seen[MARKS])
{
	tally->seeds++;
	for (int i = 0; i < MARKS; i++)
		tally->count[i] += seen[i];
}

void
tally_join(struct tally *tally, const struct tally *other)
{
	tally->seeds += other->seeds;
	tally->connections += other->connections;
	tally->steps += other->steps;
	tally->bytes += other->bytes;
	for (int i = 0; i < MARKS; i++)
		tally->count[i] += other->count[i];
}

/* One line; returns whether it came up often enough. */
static bool
print(const struct tally *tally, int mark, const char *what, const char *name, const char *leg)
{
	bool often = tally->count[mark] * 10 >= tally->seeds;

	printf("%6.1f %%  %s%s%s%s\n", 100 * (double)tally->count[mark] / (double)tally->seeds, what, name, leg,
	    often ? "" : "   <-- in less than a tenth of the seeds");
	return often;
}

static bool
print_with_legs(const struct tally *tally, int mark, const char *what, const char *name, int legs)
{
	static const char *const of[PIPE_LEGS] = {[PIPE_PLAIN] = " plain", [PIPE_CIPHER] = " cipher"};
	bool often = true;

	if (legs == NO_LEG)
		return print(tally, mark, what, name, "");
	for (int leg = 0; leg < PIPE_LEGS; leg++)
		often &= print(tally, mark + leg, what, name, of[leg]);
	return often;
}

bool
tally_print(const struct tally *tally)
{
	bool often = true;

	for (int i = 0; i <= PIPE_STOP; i++)
		often &= print_with_legs(tally, MARK_EVENTS + i * PIPE_LEGS, "event ", events[i].name, events[i].legs);
	for (int i = 0; i <= PIPE_OVER; i++)
		often &=
		    print_with_legs(tally, MARK_ACTIONS + i * PIPE_LEGS, "action ", actions[i].name, actions[i].legs);
	for (int i = 0; i < ERROR_COUNT; i++)
		often &= print(tally, MARK_VERDICTS + i, "verdict ", error_word((enum error)i), "");
	for (int i = 0; i < HAPPENINGS_COUNT; i++)
		often &= print(tally, MARK_HAPPENINGS + i, "", happenings[i], "");
	return often;
}
