/*
 * search.h: everything that can happen in every order, breadth first, each state looked at once. What is searched is a
 * model: the code under test and all that is around it, in one piece of memory that can be copied.
 */
#ifndef TESTS_ORDERS_SEARCH_H
#define TESTS_ORDERS_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEARCH_MOVES = 64 /* kinds of moves that a model may have */ };

struct search_model {
	void *world; /* size bytes, never anywhere else: so pointers into it outlast a copy */
	size_t size;
	void (*start)(void);                          /* sets the world to its first state */
	size_t (*moves)(uint8_t moves[SEARCH_MOVES]); /* what can happen now, in any order */
	void (*make)(uint8_t move);                   /* lets it happen */
	uint64_t (*digest)(void);                     /* the same for states that no future can tell apart */
	void (*check)(void);                          /* a new state's promises; may leave the world changed */
	void (*name)(uint8_t move, char *text, size_t size);
};

struct search_result {
	uint64_t states, transitions, made[SEARCH_MOVES];
	unsigned depth;   /* of the deepest state that was found */
	bool is_complete; /* there is no state left to find, at any depth */
};

/*
 * Up to so many moves from the start; depth 0: for as long as there are new states. False when a promise was broken:
 * then the shortest way there is on standard output.
 */
bool search_run(const struct search_model *model, const char *title, unsigned depth, struct search_result *result);

/* For start, make and check: a promise is broken. The first one counts. */
void search_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool search_is_broken(void);

/* 64 bits from bytes; with ten million states two fall together once in 300,000 runs. */
uint64_t search_hash(uint64_t seed, const void *bytes, size_t length);

#define PROMISE(holds, ...)                         \
	do {                                        \
		if (!(holds))                       \
			search_broken(__VA_ARGS__); \
	} while (0)

#endif
