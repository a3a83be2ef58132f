/* live.c: see live.h. An open hash table that never grows; what does not fit is not looked at. */
#include "live.h"

#include <stdatomic.h>

#include "stack.h"

enum { BLOCKS = 1 << 17 };

struct block {
	uintptr_t memory; /* 0: never used; 1: used no more */
	uintptr_t caller;
	size_t size;
	uint64_t hash;
};

static struct block blocks[BLOCKS];
static int64_t count;
static atomic_flag lock = ATOMIC_FLAG_INIT;

static size_t
start_of(uintptr_t memory)
{
	return (size_t)(memory * 0x9e3779b97f4a7c15 >> 40) % BLOCKS;
}

static void
take_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire))
		;
}

static void
give_lock(void)
{
	atomic_flag_clear_explicit(&lock, memory_order_release);
}

void
live_add(const void *memory, size_t size, uintptr_t caller, uint64_t hash)
{
	size_t at = start_of((uintptr_t)memory);

	take_lock();
	for (size_t tried = 0; tried < BLOCKS; tried++, at = (at + 1) % BLOCKS) {
		if (blocks[at].memory > 1)
			continue;
		blocks[at] = (struct block){(uintptr_t)memory, caller, size, hash};
		count++;
		break;
	}
	give_lock();
}

void
live_remove(const void *memory)
{
	size_t at = start_of((uintptr_t)memory);

	if (memory == NULL)
		return;
	take_lock();
	for (size_t tried = 0; tried < BLOCKS && blocks[at].memory != 0; tried++, at = (at + 1) % BLOCKS) {
		if (blocks[at].memory != (uintptr_t)memory)
			continue;
		blocks[at].memory = 1;
		count--;
		break;
	}
	give_lock();
}

int64_t
live_count(void)
{
	return __atomic_load_n(&count, __ATOMIC_RELAXED);
}

static void
report_one(struct plan *plan, const struct block *block)
{
	struct plan_frame caller = stack_frame(block->caller);

	for (uint32_t i = 0; i < plan->block_count; i++) {
		struct plan_block *same = &plan->blocks[i];

		if (same->caller.module == caller.module && same->caller.offset == caller.offset &&
		    same->size == block->size && same->hash == block->hash) {
			same->count++;
			return;
		}
	}
	if (plan->block_count == PLAN_BLOCKS) {
		plan->overflow = 1;
		return;
	}
	plan->blocks[plan->block_count++] =
	    (struct plan_block){.caller = caller, .size = block->size, .hash = block->hash, .count = 1};
}

void
live_report(struct plan *plan)
{
	take_lock();
	for (size_t i = 0; i < BLOCKS; i++)
		if (blocks[i].memory > 1)
			report_one(plan, &blocks[i]);
	give_lock();
}
