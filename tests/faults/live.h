/* live.h: the memory that a program has asked for and not given back, by who asked. Any thread. */
#ifndef FAULTS_LIVE_H
#define FAULTS_LIVE_H

#include <stddef.h>
#include <stdint.h>

#include "plan.h"

/* hash: its stack's, or 0. */
void live_add(const void *memory, size_t size, uintptr_t caller, uint64_t hash);

/* Memory that was not added is left alone. */
void live_remove(const void *memory);

/* How many blocks there are. */
int64_t live_count(void);

/* Writes what there is into plan->blocks. */
void live_report(struct plan *plan);

#endif
