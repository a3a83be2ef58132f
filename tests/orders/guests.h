/* guests.h: every order in which connections can come, prove their key, leave and end: src/pipe/admission.c. */
#ifndef TESTS_ORDERS_GUESTS_H
#define TESTS_ORDERS_GUESTS_H

#include "search.h"

enum { GUESTS_CAP = 5, GUESTS_SOURCES = 4 };

/* cap and sources are at most the above; a limit of 0 is none. */
void guests_prepare(uint32_t cap, uint32_t limit, uint32_t sources);

extern const struct search_model guests_model;

#endif
