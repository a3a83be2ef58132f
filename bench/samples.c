/* samples.c: a growing list of durations, and the percentiles of it. */
#include "samples.h"
#include "net.h"

#include <stdlib.h>

void
samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->count == samples->room) {
		samples->room = samples->room == 0 ? 1024 : samples->room * 2;
		samples->ns = realloc(samples->ns, samples->room * sizeof(*samples->ns));
		if (samples->ns == NULL || samples->room > SAMPLES_MAX)
			die("no room for %zu samples", samples->room);
	}
	samples->ns[samples->count++] = ns;
}

static int
compare(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

double
samples_percentile_us(struct samples *samples, double percent)
{
	size_t rank;

	if (samples->count == 0)
		return 0;
	qsort(samples->ns, samples->count, sizeof(*samples->ns), compare);
	rank = (size_t)((double)samples->count * percent / 100);
	if (rank >= samples->count)
		rank = samples->count - 1;
	return (double)samples->ns[rank] / 1000;
}
