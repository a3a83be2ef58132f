/* racers.h: every order in which the attempts at a target's addresses can fail, and time pass: src/pipe/race.c. */
#ifndef TESTS_ORDERS_RACERS_H
#define TESTS_ORDERS_RACERS_H

#include "search.h"

enum { RACERS_MAX = 7 };

/* How many addresses; how long each is given; how much time passes at a time, 0: as much as race_deadline says. */
void racers_prepare(size_t count, uint64_t timeout, uint64_t tick);

extern const struct search_model racers_model;

#endif
