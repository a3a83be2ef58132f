/*
 * flow.h: one direction of a simulated connection: what the writer's kernel took, what of it is on its way, what has
 * arrived and was not read yet, and how it ends. Two of them, each other's way back, are a connection.
 */
#ifndef TESTS_SIMULATION_FLOW_H
#define TESTS_SIMULATION_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flow {
	uint8_t *bytes; /* size of them: [start, arrived) can be read, [arrived, end) is on its way */
	size_t size, start, arrived, end;
	size_t capacity, window; /* of writer and reader together; of the reader's kernel */
	uint64_t taken, read;    /* bytes, in all: from the writer, by the reader */
	uint64_t ready_at;       /* nothing more arrives before */
	uint64_t first_bad;      /* where the reader's bytes begin not to be the writer's */
	bool is_shorter, is_cut; /* somebody took something away; made up an end, and swallows what comes behind */
	bool fin, fin_arrived;   /* the writer's half-close; it stands behind all that has arrived */
	bool reset, broken;      /* the writer's reset is under way; it has arrived, behind what can be read still */
	bool deaf, dead;         /* the reader has closed; the writer knows that nothing gets through */
	bool is_unix;            /* once its reader has closed its writer's writes fail, without a reset */
};

void flow_reset(struct flow *flow, size_t capacity);
void flow_put(struct flow *flow, const uint8_t *bytes, size_t length);
void flow_take(struct flow *flow, uint8_t *bytes, size_t length);

/* Room for so many bytes on their way at `at` of bytes[]: puts them in, or takes them out. */
void flow_insert(struct flow *flow, size_t at, const uint8_t *bytes, size_t length);
void flow_remove(struct flow *flow, size_t at, size_t length);

static inline size_t
flow_ready(const struct flow *flow)
{
	return flow->arrived - flow->start;
}

static inline size_t
flow_room(const struct flow *flow)
{
	size_t used = flow->end - flow->start;

	return used < flow->capacity ? flow->capacity - used : 0;
}

/* Where in the reader's stream bytes[at] stands. */
static inline uint64_t
flow_offset(const struct flow *flow, size_t at)
{
	return flow->read + (at - flow->start);
}

/* When something can arrive: UINT64_MAX if nothing is under way or the reader has to read first. */
uint64_t flow_time(const struct flow *flow);

/* The next thing arrives: at most `most` bytes, or the end, or the reset. */
void flow_move(struct flow *flow, struct flow *back, size_t most);

/* Its writer's kernel sends a reset; what was on its way is lost. */
void flow_send_reset(struct flow *flow);

/* Its writer closes: out's end, or a reset if so wished or if something of `in` stands unread. */
void flow_close(struct flow *out, struct flow *in, bool reset);

#endif
