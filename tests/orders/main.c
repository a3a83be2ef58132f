/*
 * main.c: every order of events, for each kind of pipe; see scene.h and search.h.
 * usage: orders [--depth MOVES] [--packets N] [--reads N]
 *
 * Prints a line a kind, and exits 1 when a promise is broken, or when something never came up that should have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "scene.h"

static const struct {
	const char *name;
	struct pipe_settings settings;
} kinds[] = {
    {"-e, spipe", {.kind = PIPE_ENCRYPT, .timeout = SCENE_TIMEOUT}},
    {"-d", {.kind = PIPE_DECRYPT, .timeout = SCENE_TIMEOUT}},
    {"-d -n", {.kind = PIPE_DECRYPT, .timeout = SCENE_TIMEOUT, .asks_admission = true}},
    {"spipe --exit-on-eof", {.kind = PIPE_ENCRYPT, .timeout = SCENE_TIMEOUT, .end_at_far_end = true}},
};

struct total {
	uint64_t states, transitions, made[SEARCH_MOVES];
	bool is_complete;
};

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool
search_kind(size_t i, unsigned depth, struct total *total)
{
	struct search_result result;
	double since = seconds();

	plot.settings = kinds[i].settings;
	if (!search_run(&scene_model, kinds[i].name, depth, &result))
		return false;
	printf("%-19s %12llu %12llu %7u %9.1f\n", kinds[i].name, (unsigned long long)result.states,
	    (unsigned long long)result.transitions, result.depth, seconds() - since);
	fflush(stdout);
	total->states += result.states;
	total->transitions += result.transitions;
	total->is_complete &= result.is_complete;
	for (size_t move = 0; move < MOVES; move++)
		total->made[move] += result.made[move];
	return true;
}

/* An application has no packets. */
static bool
is_of_packets(size_t move)
{
	return move == MOVE_READ_MORE || move == MOVE_READ_TWO || move == MOVE_READ_TWO_FORGED || move == MOVE_READ_BAD;
}

/* A search that never saw something has not checked it. */
static bool
saw_everything(const struct total *total)
{
	static const enum error reasons[] = {OK, ERROR_WRONG_KEY, ERROR_BAD_Y, ERROR_HANDSHAKE_TIMEOUT, ERROR_BAD_MAC,
	    ERROR_BAD_LENGTH, ERROR_CUT, ERROR_CIPHER_RESET, ERROR_PLAIN_RESET, ERROR_CONNECT, ERROR_NO_ROOM,
	    ERROR_STALLED, ERROR_KILLED, ERROR_CRYPTO};
	size_t rarest = MOVE_WROTE_ALL, missing = 0;
	char text[80];

	for (size_t move = 0; move < MOVES; move++) {
		if (is_of_packets(move))
			continue;
		if (total->made[move] < total->made[rarest])
			rarest = move;
		scene_name((uint8_t)move, text, sizeof text);
		if (total->made[move] == 0 && ++missing > 0)
			printf("never: %s\n", text);
	}
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (!scene_ended_with[reasons[i]] && ++missing > 0)
			printf("never: reason=%s\n", error_word(reasons[i]));
	for (size_t i = 0; i <= PIPE_OVER; i++)
		if (!scene_did[i] && ++missing > 0)
			printf("never: action %zu\n", i);
	scene_name((uint8_t)rarest, text, sizeof text);
	printf("rarest move: %s (%llu times)\n", text, (unsigned long long)total->made[rarest]);
	return missing == 0;
}

static bool
read_options(int argc, char **argv, unsigned *depth)
{
	for (int i = 1; i < argc; i += 2) {
		unsigned *to = strcmp(argv[i], "--depth") == 0     ? depth
			       : strcmp(argv[i], "--packets") == 0 ? &plot.packets
			       : strcmp(argv[i], "--reads") == 0   ? &plot.reads
								   : NULL;

		if (to == NULL || i + 1 == argc)
			return false;
		*to = (unsigned)strtoul(argv[i + 1], NULL, 10);
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct total total = {.is_complete = true};
	unsigned depth = 0;

	plot.packets = 2;
	plot.reads = 1;
	if (!read_options(argc, argv, &depth)) {
		fputs("usage: orders [--depth MOVES] [--packets N] [--reads N]\n", stderr);
		return 2;
	}
	printf("up to %u packets come, and %u reads of the plain leg find something\n", plot.packets, plot.reads);
	printf("%-19s %12s %12s %7s %9s\n", "kind", "states", "transitions", "depth", "seconds");
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (!search_kind(i, depth, &total))
			return 1;
	if (total.is_complete && !saw_everything(&total))
		return 1;
	printf("%llu states, %llu transitions, %s: every promise held in each, and none is stuck\n",
	    (unsigned long long)total.states, (unsigned long long)total.transitions,
	    total.is_complete ? "every order to its end" : "not all to their ends");
	return 0;
}
