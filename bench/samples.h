/* samples.h: a growing list of durations, and the percentiles of it. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint64_t *ns;
	size_t count, room;
};

/* Above SAMPLES_MAX the program ends: a bench that runs away must not take the memory with it. */
#define SAMPLES_MAX ((size_t)1 << 24)

void samples_add(struct samples *samples, uint64_t ns);

/* The smallest duration, in microseconds, that at least percent of the samples don't exceed; 0 when there are none.
 * Sorts. */
double samples_percentile_us(struct samples *samples, double percent);

#endif
