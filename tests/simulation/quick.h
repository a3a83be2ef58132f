/*
 * quick.h: jobs without an exponentiation. An x from 1 to QUICK_X_MOST makes every power a power of two
 * below p: a bit to set. quick_check sees that group 14 says the same.
 */
#ifndef TESTS_SIMULATION_QUICK_H
#define TESTS_SIMULATION_QUICK_H

#include "protocol/job.h"

enum { QUICK_X_MOST = 40, QUICK_LIES = 5 };

void quick_run(struct job *job);
bool quick_check(void);

/* A y that no honest peer sends: 0, p - 1, p, p + 1, or 2^2048 - 1. */
void quick_lie(uint8_t y[WIRE_Y], unsigned which);

#endif
