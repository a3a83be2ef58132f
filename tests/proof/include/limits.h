/* limits.h: Frama-C's, with what Linux has (linux/limits.h). */
#ifndef PROOF_LIMITS_H
#define PROOF_LIMITS_H

#include_next <limits.h>

#undef PATH_MAX
#define PATH_MAX 4096
#undef NAME_MAX
#define NAME_MAX 255

#endif
