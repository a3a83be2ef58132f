/*
 * race.h: which address of a target to try next, and when (RFC 8305): one after the other with a head start, several
 * at once when the first are slow, each given up after its own timeout. Sans-I/O; its caller owns the sockets.
 */
#ifndef PIPE_RACE_H
#define PIPE_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { RACE_MAX = 32, RACE_HEAD_START = 250 /* ms */, RACE_AT_ONCE = 4, RACE_RETRY = 100 /* ms */ };

enum race_attempt { RACE_WAITING, RACE_TRYING, RACE_RETRYING, RACE_FAILED };

/* Times are milliseconds. The members are for race.c alone, but last_error. */
struct race {
	uint64_t timeout, next_start;
	uint64_t deadlines[RACE_MAX]; /* of those that were started once: its first start and timeout */
	uint64_t retries[RACE_MAX];   /* RACE_RETRYING: when to try again */
	uint8_t states[RACE_MAX];     /* enum race_attempt */
	size_t count, trying;
	enum error last_error;
};

/*
 * Puts the order in which to try count addresses (families[i]: any number that tells families apart, the system's
 * preferred first) into order[]: the families in turn, each keeping its own order. count <= RACE_MAX.
 */
void race_order(const int *families, size_t count, size_t order[]);

/* 1 <= count <= RACE_MAX addresses, each given `timeout` ms from its own start. */
void race_start(struct race *race, size_t count, uint64_t timeout, uint64_t now);

enum race_verdict {
	RACE_WAIT,    /* nothing before race_deadline or an event */
	RACE_TRY,     /* start address *index now; say race_failed if that fails */
	RACE_ABANDON, /* close the attempt at *index: its time is over */
	RACE_LOST     /* all have failed; race->last_error says how */
};

/* Ask until it says RACE_WAIT or RACE_LOST: after the start, after race_failed, and at race_deadline. */
enum race_verdict race_next(struct race *race, uint64_t now, size_t *index);

/*
 * An attempt failed: ERROR_CONNECT, or ERROR_DESCRIPTORS or ERROR_MEMORY, which are tried again RACE_RETRY ms later
 * until the address's own timeout has passed. One that is not under way (any more) is ignored.
 */
void race_failed(struct race *race, size_t index, enum error error, uint64_t now);

/* When to ask again at the latest; UINT64_MAX: never. */
uint64_t race_deadline(const struct race *race);

#endif
