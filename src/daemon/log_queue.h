/* log_queue.h: lines on their way to the log: bounded, never waiting, and honest about what was left out. No I/O. */
#ifndef DAEMON_LOG_QUEUE_H
#define DAEMON_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/line.h"
#include "base/log.h"

enum {
	LOG_QUEUE_BYTES = 128 * 1024, /* some 900 lines */
	LOG_QUEUE_STRANGERS = 10,     /* lines about strangers in a second */
	LOG_QUEUE_SECOND = 1000
};

struct log_entry {
	uint64_t time; /* ms since 1970 */
	enum log_level level;
	char text[LINE_MAX_LENGTH + 80]; /* the line and its counts */
};

/* Zeroed by its owner, who also locks it. */
struct log_queue {
	size_t first, used;            /* the records are ring[first .. first + used), around the end */
	uint64_t dropped;              /* lines for which there was no room, not told yet */
	uint64_t left_out;             /* lines about strangers beyond the limit, not told yet */
	enum log_level left_out_level; /* the gravest among them */
	uint64_t second;               /* when the present second of the limit began */
	unsigned this_second;
	uint8_t ring[LOG_QUEUE_BYTES];
};

/*
 * Appends a line made at `now` (ms since 1970), with " left_out=N" behind it when lines about strangers were left out
 * before this one, and " dropped=N" when lines found no room. Or counts it as such itself.
 */
void log_queue_put(struct log_queue *queue, uint64_t now, enum log_level level, bool stranger, const char *line);

/* A line that was taken could not be written: it counts as dropped. */
void log_queue_lost(struct log_queue *queue);

/*
 * Takes the oldest line. When there is none, but a second has passed since lines were left out and nobody has told
 * (or it is the end: `last`), a line that tells. false: nothing to write.
 */
bool log_queue_take(struct log_queue *queue, uint64_t now, bool last, struct log_entry *entry);

/* How many ms to wait, at most, before log_queue_take has something to tell; UINT64_MAX: for ever. */
uint64_t log_queue_wait(const struct log_queue *queue, uint64_t now);

#endif
