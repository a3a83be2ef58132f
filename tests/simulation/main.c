/*
 * main.c: plays seeds and counts what came up.
 *
 *     simulation SEEDS [FROM [WORKERS]]   exit 1 when a promise was broken, or when of 1,000 seeds or more
 *                                         something came up in less than a tenth
 *     simulation --seed SEED              one seed, and all that happens in it
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

enum { WORKERS_MOST = 64, REPLAY_EVERY = 200, JUDGED_FROM = 1000, SEED_SECONDS = 20, WORDS_MOST = 20 };

static struct scene scene;

/* The code under test crashed, or runs for ever. */
static void
say_which_seed(void)
{
	trace_show(&scene);
	fprintf(stderr, "simulation: seed %llu crashed, or does not end\n", (unsigned long long)scene.seed);
}

static void
on_signal(int number)
{
	say_which_seed();
	signal(number, SIG_DFL);
	raise(number);
}

/* What sanitizers call before they end the program. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void
watch_for_crashes(void)
{
	if (__sanitizer_set_death_callback != NULL) {
		__sanitizer_set_death_callback(say_which_seed);
	} else {
		signal(SIGSEGV, on_signal);
		signal(SIGBUS, on_signal);
		signal(SIGFPE, on_signal);
		signal(SIGILL, on_signal);
	}
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
}

static void
play(struct tally *tally, uint64_t seed)
{
	uint64_t digest;

	alarm(SEED_SECONDS);
	scene_play(&scene, seed, false);
	tally_add(tally, scene.seen);
	tally->connections += scene.link_count;
	tally->steps += scene.steps;
	if (seed % REPLAY_EVERY != 0)
		return;
	digest = scene.digest;
	scene_play(&scene, seed, false);
	promise(&scene, digest == scene.digest); /* a seed replays exactly */
}

/* Every workers-th seed from `first` on. */
static void
play_share(struct tally *tally, uint64_t first, uint64_t until, uint64_t workers, bool shows_progress)
{
	uint64_t step = (until - first) / 10 + 1, next = first + step;

	for (uint64_t seed = first; seed < until; seed += workers) {
		play(tally, seed);
		if (!shows_progress || seed < next)
			continue;
		printf("seed %llu\n", (unsigned long long)seed);
		fflush(stdout);
		next += step;
	}
	tally->bytes = scene.bytes;
}

static bool
collect(struct tally *tally, const int *pipes, const pid_t *children, uint64_t workers)
{
	bool good = true;

	for (uint64_t i = 0; i < workers; i++) {
		struct tally part;
		int status;

		if (read(pipes[i], &part, sizeof part) == (ssize_t)sizeof part)
			tally_join(tally, &part);
		else
			good = false;
		close(pipes[i]);
		if (waitpid(children[i], &status, 0) != children[i] || status != 0)
			good = false;
	}
	return good;
}

/* A process for each share; false if one has failed. */
static bool
play_all(struct tally *tally, uint64_t from, uint64_t until, uint64_t workers)
{
	int pipes[WORKERS_MOST];
	pid_t children[WORKERS_MOST];

	for (uint64_t i = 0; i < workers; i++) {
		int ends[2];

		if (pipe(ends) != 0 || (children[i] = fork()) < 0) {
			perror("simulation");
			return false;
		}
		if (children[i] == 0) {
			struct tally part = {0};

			play_share(&part, from + i, until, workers, i == 0);
			_exit(write(ends[1], &part, sizeof part) == (ssize_t)sizeof part ? 0 : 1);
		}
		close(ends[1]);
		pipes[i] = ends[0];
	}
	return collect(tally, pipes, children, workers);
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of the processor, by us and by all workers that have ended. */
static double
seconds_used(void)
{
	struct rusage ours, theirs;

	if (getrusage(RUSAGE_SELF, &ours) != 0 || getrusage(RUSAGE_CHILDREN, &theirs) != 0)
		return 0;
	return (double)(ours.ru_utime.tv_sec + ours.ru_stime.tv_sec + theirs.ru_utime.tv_sec + theirs.ru_stime.tv_sec) +
	       (double)(ours.ru_utime.tv_usec + ours.ru_stime.tv_usec + theirs.ru_utime.tv_usec +
			theirs.ru_stime.tv_usec) /
		   1e6;
}

static int
report(const struct tally *tally, bool kept, double took)
{
	bool often = tally->seeds > 0 && tally_print(tally);

	printf("%llu seeds, %llu connections, %llu steps, %.1f MiB through; %.1f s, %.3f ms of processor a seed\n",
	    (unsigned long long)tally->seeds, (unsigned long long)tally->connections, (unsigned long long)tally->steps,
	    (double)tally->bytes / 1048576, took,
	    1000 * seconds_used() / (double)(tally->seeds > 0 ? tally->seeds : 1));
	if (!kept)
		printf("simulation: a promise was broken\n");
	else if (!often && tally->seeds >= JUDGED_FROM)
		printf("simulation: something came up too seldom\n");
	else
		printf("simulation: every promise kept\n");
	return kept && tally->seeds > 0 && (often || tally->seeds < JUDGED_FROM) ? 0 : 1;
}

static bool
number(const char *text, uint64_t *value)
{
	char *end;

	*value = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0';
}

int
main(int argc, char *argv[])
{
	uint64_t seeds = 0, from = 1, workers = 1;
	struct tally tally = {0};
	double start = seconds();
	bool kept = true, one = argc == 3 && strcmp(argv[1], "--seed") == 0;

	if (!(one ? number(argv[2], &from)
		  : argc >= 2 && argc <= 4 && number(argv[1], &seeds) && (argc < 3 || number(argv[2], &from)) &&
			(argc < 4 || number(argv[3], &workers))) ||
	    workers < 1 || workers > WORKERS_MOST) {
		fprintf(stderr, "usage: simulation SEEDS [FROM [WORKERS]] | --seed SEED\n");
		return 2;
	}
	if (!scene_start(&scene)) {
		fprintf(stderr, "simulation: cannot start\n");
		return 1;
	}
	watch_for_crashes();
	if (one) {
		scene_play(&scene, from, true);
		printf("seed %llu: every promise kept\n", (unsigned long long)from);
		return 0;
	}
	fflush(stdout);
	if (workers > 1)
		kept = play_all(&tally, from, from + seeds, workers);
	else
		play_share(&tally, from, from + seeds, 1, true);
	scene_stop(&scene);
	return report(&tally, kept, seconds() - start);
}
