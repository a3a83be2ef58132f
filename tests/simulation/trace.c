/* trace.c: what happened last, kept for when a promise is broken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim.h"

enum { ENTRIES = 256 };

struct entry {
	uint64_t now, number;
	const char *what;
	int link, side, leg;
};

struct trace {
	struct entry entries[ENTRIES];
	uint64_t count;
	bool prints;
};

struct trace *
trace_new(void)
{
	return calloc(1, sizeof(struct trace));
}

void
trace_start(struct scene *scene, bool prints)
{
	scene->trace->count = 0;
	scene->trace->prints = prints;
	scene->digest = 0xcbf29ce484222325;
}

static void
print(FILE *file, const struct entry *entry)
{
	static const char *const sides[] = {"", " E", " D"}, *const legs[] = {" plain", " cipher"};

	if (entry->link < 0) {
		fprintf(file, "%10llu ms  decrypter: %s %llu\n", (unsigned long long)entry->now, entry->what,
		    (unsigned long long)entry->number);
		return;
	}
	fprintf(file, "%10llu ms  connection %d%s: %s%s %llu\n", (unsigned long long)entry->now, entry->link,
	    sides[entry->side + 1], entry->what, entry->leg < 0 ? "" : legs[entry->leg],
	    (unsigned long long)entry->number);
}

static void
add(struct scene *scene, struct entry entry)
{
	struct trace *trace = scene->trace;
	uint64_t words[] = {entry.now, entry.number,
	    (uint64_t)entry.link * 8 + (uint64_t)entry.side * 2 + (uint64_t)entry.leg,
	    (uint64_t)entry.what[0] << 8 | (uint64_t)(uint8_t)entry.what[1]};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		scene->digest = (scene->digest ^ words[i]) * 0x100000001b3;
	trace->entries[trace->count++ % ENTRIES] = entry;
	if (trace->prints)
		print(stdout, &entry);
}

void
trace_note(struct scene *scene, const struct side *side, const char *what, int leg, uint64_t number)
{
	add(scene, (struct entry){scene->now, number, what, side->link->number, side->which, leg});
}

void
trace_link(struct scene *scene, const struct link *link, const char *what, uint64_t number)
{
	add(scene, (struct entry){scene->now, number, what, link != NULL ? link->number : -1, -1, -1});
}

void
trace_show(const struct scene *scene)
{
	const struct trace *trace = scene->trace;
	uint64_t first = trace->count > ENTRIES ? trace->count - ENTRIES : 0;

	if (trace->prints)
		return;
	for (uint64_t i = first; i < trace->count; i++)
		print(stderr, &trace->entries[i % ENTRIES]);
}

void
broken(struct scene *scene, const char *file, int line, const char *promise)
{
	const char *name = strrchr(file, '/');

	fflush(stdout);
	trace_show(scene);
	fprintf(stderr,
	    "simulation: seed %llu at %llu ms: broken promise in %s:%d: %s\n"
	    "simulation: play it again: make simulate SEED=%llu\n",
	    (unsigned long long)scene->seed, (unsigned long long)scene->now, name == NULL ? file : name + 1, line,
	    promise, (unsigned long long)scene->seed);
	_exit(1);
}
