/* counted.h: how many hold something that threads share and that never changes: it goes with the last of them. */
#ifndef BASE_COUNTED_H
#define BASE_COUNTED_H

#include <stdatomic.h>

/* The first member of what is shared. Whoever made it holds it, and may make one without free that stays for ever. */
struct counted {
	_Atomic(unsigned) holders;
	void (*free)(struct counted *counted); /* on the thread of the last holder */
};

/* One holder more; any thread that can be sure that another holds it meanwhile. */
static inline void
counted_take(struct counted *counted)
{
	atomic_fetch_add_explicit(&counted->holders, 1, memory_order_relaxed);
}

/* One less; whoever lets go does not look at it again. */
static inline void
counted_drop(struct counted *counted)
{
	if (atomic_fetch_sub_explicit(&counted->holders, 1, memory_order_acq_rel) == 1 && counted->free != NULL)
		counted->free(counted);
}

#endif
