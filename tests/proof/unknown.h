/* unknown.h: values that Eva takes to be any of a range, and bytes that may be anything. */
#ifndef PROOF_UNKNOWN_H
#define PROOF_UNKNOWN_H

#include <__fc_builtin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
unknown_bool(void)
{
	return Frama_C_nondet(0, 1) != 0;
}

/* from to to, both included */
static inline size_t
unknown_size(size_t from, size_t to)
{
	return Frama_C_size_t_interval(from, to);
}

static inline void
unknown_bytes(void *bytes, size_t length)
{
	Frama_C_make_unknown(bytes, length);
}

#endif
