/*
 * main.c: every order of events, for each kind of pipe, for admission and for the race of addresses; see search.h.
 * usage: orders [--large] [--depth MOVES] [--packets N] [--reads N] [--timeout MS]
 *
 * Prints a line a search, and exits 1 when a promise is broken, or when something never came up that should have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guests.h"
#include "racers.h"
#include "scene.h"

/* The least that lets everything come up. */
enum { PACKETS = 2, READS = 1 };

static const struct {
	const char *name;
	struct pipe_settings settings;
} kinds[] = {
    {"-e, spipe", {.kind = PIPE_ENCRYPT}},
    {"-d", {.kind = PIPE_DECRYPT}},
    {"-d -n", {.kind = PIPE_DECRYPT, .asks_admission = true}},
    {"spipe --exit-on-eof", {.kind = PIPE_ENCRYPT, .end_at_far_end = true}},
};

static const struct house {
	const char *name;
	uint32_t cap, limit, sources;
} houses[] = {{"admission, no -n", 3, 0, 3}, {"admission, -n 1", 3, 1, 3}, {"admission, -n 2", 3, 2, 3},
    {"from many sources", 2, 1, 4}},
  large_houses[] = {{"4 strangers, -n 1", 4, 1, 3}, {"5 strangers, -n 2", 5, 2, 2}};

static const struct field {
	const char *name;
	size_t count;
	uint64_t timeout, tick;
} fields[] = {{"race, 300 ms each", 4, 300, 50}, {"race, 600 ms each", 3, 600, 50}, {"race, 1.5 s each", 5, 1500, 250}},
  large_fields[] = {{"race, 5 s each", 4, 5000, 0}, {"race, 5 at 1 s each", 5, 1000, 0}};

static struct {
	uint64_t states, transitions, made[SEARCH_MOVES]; /* made: of the pipes' moves */
	unsigned depth, timeout;
	bool is_large, is_cut;
} all;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool
search(const struct search_model *model, const char *name, struct search_result *result)
{
	double since = seconds();

	if (!search_run(model, name, all.depth, result))
		return false;
	printf("%-19s %12llu %12llu %7u %9.1f%s\n", name, (unsigned long long)result->states,
	    (unsigned long long)result->transitions, result->depth, seconds() - since,
	    result->is_complete ? "" : "  (and more, deeper)");
	fflush(stdout);
	all.states += result->states;
	all.transitions += result->transitions;
	all.is_cut |= !result->is_complete;
	return true;
}

static bool
search_pipes(void)
{
	struct search_result result;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		plot.settings = kinds[i].settings;
		plot.settings.timeout = all.timeout;
		if (!search(&scene_model, kinds[i].name, &result))
			return false;
		for (size_t move = 0; move < MOVES; move++)
			all.made[move] += result.made[move];
	}
	return true;
}

static bool
search_houses(const struct house *some, size_t count)
{
	struct search_result result;

	for (size_t i = 0; i < count; i++) {
		guests_prepare(some[i].cap, some[i].limit, some[i].sources);
		if (!search(&guests_model, some[i].name, &result))
			return false;
	}
	return true;
}

static bool
search_fields(const struct field *some, size_t count)
{
	struct search_result result;

	for (size_t i = 0; i < count; i++) {
		racers_prepare(some[i].count, some[i].timeout, some[i].tick);
		if (!search(&racers_model, some[i].name, &result))
			return false;
	}
	return true;
}

static bool
search_all(void)
{
	if (!search_pipes() || !search_houses(houses, sizeof houses / sizeof houses[0]) ||
	    !search_fields(fields, sizeof fields / sizeof fields[0]))
		return false;
	return !all.is_large || (search_houses(large_houses, sizeof large_houses / sizeof large_houses[0]) &&
				    search_fields(large_fields, sizeof large_fields / sizeof large_fields[0]));
}

/* An application has no packets. */
static bool
is_of_packets(size_t move)
{
	return move == MOVE_READ_MORE || move == MOVE_READ_TWO || move == MOVE_READ_TWO_FORGED || move == MOVE_READ_BAD;
}

/* A search that never saw something has not checked it. */
static bool
saw_everything(void)
{
	static const enum error reasons[] = {OK, ERROR_WRONG_KEY, ERROR_BAD_Y, ERROR_HANDSHAKE_TIMEOUT, ERROR_BAD_MAC,
	    ERROR_BAD_LENGTH, ERROR_CUT, ERROR_CIPHER_RESET, ERROR_PLAIN_RESET, ERROR_CONNECT, ERROR_NO_ROOM,
	    ERROR_STALLED, ERROR_KILLED, ERROR_CRYPTO};
	size_t rarest = MOVE_WROTE_ALL, missing = 0;
	char text[80];

	for (size_t move = 0; move < MOVES; move++) {
		if (is_of_packets(move))
			continue;
		if (all.made[move] < all.made[rarest])
			rarest = move;
		scene_name((uint8_t)move, text, sizeof text);
		if (all.made[move] == 0 && ++missing > 0)
			printf("never: %s\n", text);
	}
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (!scene_ended_with[reasons[i]] && ++missing > 0)
			printf("never: reason=%s\n", error_word(reasons[i]));
	for (size_t i = 0; i <= PIPE_OVER; i++)
		if (!scene_did[i] && ++missing > 0)
			printf("never: action %zu\n", i);
	scene_name((uint8_t)rarest, text, sizeof text);
	printf("the rarest of a pipe's events: %s (%llu times)\n", text, (unsigned long long)all.made[rarest]);
	return missing == 0;
}

static bool
read_options(int argc, char **argv)
{
	const struct {
		const char *name;
		unsigned *to;
	} numbers[] = {{"--depth", &all.depth}, {"--packets", &plot.packets}, {"--reads", &plot.reads},
	    {"--timeout", &all.timeout}};

	for (int i = 1; i < argc; i++) {
		unsigned *to = NULL;

		if (strcmp(argv[i], "--large") == 0) {
			all.is_large = true;
			plot.packets = 4;
			plot.reads = 3;
			continue;
		}
		for (size_t j = 0; j < sizeof numbers / sizeof numbers[0]; j++)
			if (strcmp(argv[i], numbers[j].name) == 0)
				to = numbers[j].to;
		if (to == NULL || ++i == argc)
			return false;
		*to = (unsigned)strtoul(argv[i], NULL, 10);
	}
	return true;
}

int
main(int argc, char **argv)
{
	plot.packets = PACKETS;
	plot.reads = READS;
	all.timeout = 2;
	if (!read_options(argc, argv)) {
		fputs("usage: orders [--large] [--depth MOVES] [--packets N] [--reads N] [--timeout MS]\n", stderr);
		return 2;
	}
	printf("pipes: up to %u packets come, %u reads of the plain leg find something, and -o is %u ms\n",
	    plot.packets, plot.reads, all.timeout);
	printf("%-19s %12s %12s %7s %9s\n", "", "states", "transitions", "depth", "seconds");
	if (!search_all())
		return 1;
	if (!all.is_cut && plot.packets >= PACKETS && plot.reads >= READS && !saw_everything())
		return 1;
	printf("%llu states, %llu transitions, %s: every promise held in each, and none is stuck\n",
	    (unsigned long long)all.states, (unsigned long long)all.transitions,
	    all.is_cut ? "not all to their ends" : "every order to its end");
	return 0;
}
