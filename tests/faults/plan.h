/* plan.h: what the preloaded library and whoever runs it tell each other, in a file that both map. plan.py has the
 * same. */
#ifndef FAULTS_PLAN_H
#define FAULTS_PLAN_H

#include <stdint.h>

enum { PLAN_FRAMES = 40, PLAN_SITES = 1 << 14, PLAN_BLOCKS = 1 << 12, PLAN_MODULES = 64, PLAN_MODULE_NAME = 64 };

/* LIST: note every call stack. FAIL: one call fails. */
enum plan_mode { PLAN_LIST = 1, PLAN_FAIL = 2 };

/* A return address, as one of the modules and an offset in it: the same in each run. module 0 is none of them. */
struct plan_frame {
	uint32_t module, offset;
};

struct plan_stack {
	uint64_t hash;
	uint32_t depth, unused;
	struct plan_frame frames[PLAN_FRAMES];
};

/* One call stack of one function in one phase, and how often it was there. */
struct plan_site {
	uint32_t function, phase, count, unused;
	struct plan_stack stack;
};

/* Memory that was not freed when the process ended, by who asked for it and how much. */
struct plan_block {
	struct plan_frame caller;
	uint64_t size, hash; /* hash: of its stack, among the sites, where those of memory were asked for; else 0 */
	uint32_t count, unused;
};

struct plan {
	/* Written by whoever runs it; phase while it runs. */
	uint32_t mode, phase;
	uint32_t function, in_phase, nth;
	int32_t error; /* 0: one byte only */
	uint64_t hash;
	char module[PLAN_MODULE_NAME]; /* the caller's */
	uint32_t offset, small_buffers, trace_memory, unused;
	/* Written by the library. */
	uint32_t visits, fired, ended, site_count, block_count, module_count;
	int64_t live; /* blocks of memory now */
	uint32_t aborted, overflow;
	struct plan_stack abort;
	char modules[PLAN_MODULES][PLAN_MODULE_NAME];
	struct plan_block blocks[PLAN_BLOCKS];
	struct plan_site sites[PLAN_SITES];
};

#endif
