/* limits.h: Frama-C's, and what it lacks of Linux's (linux/limits.h). */
#ifndef PROOF_LIMITS_H
#define PROOF_LIMITS_H

#include_next <limits.h>

#ifndef NAME_MAX
#define NAME_MAX 255
#endif

#endif
