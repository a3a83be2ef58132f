/*
 * language.h: included before everything: what Frama-C 25 lacks of C11. The proof knows one thread; what others may
 * have done in between, calls leave unknown.
 */
#ifndef PROOF_LANGUAGE_H
#define PROOF_LANGUAGE_H

#define __FC_STDATOMIC /* instead of Frama-C's, which loses pointers */
void explicit_bzero(void *bytes, unsigned long length);
void *aligned_alloc(unsigned long alignment, unsigned long size);

#define SPIPED_VERSION "0"
#define IS_INSTRUMENTED 0

#define _Alignas(size)
#define _Atomic(type) type
#define atomic_load(object) (*(object))
#define memory_order_relaxed 0
#define memory_order_acq_rel 0
#define atomic_fetch_add_explicit(object, value, order) ((*(object) += (value)) - (value))
#define atomic_fetch_sub_explicit(object, value, order) ((*(object) -= (value)) + (value))
#define atomic_compare_exchange_strong(object, expected, wanted) \
	(*(object) == *(expected) ? (*(object) = (wanted), 1) : (*(expected) = *(object), 0))

#endif
