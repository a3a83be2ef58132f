/* replaced.h: puts something else in the place of bytes_equal, to see that whoever looks for a leak finds one. */
#ifndef SECRETS_REPLACED_H
#define SECRETS_REPLACED_H

/*
 * "bytes_equal", as it was; "memcmp"; or "loop", which leaves at the first byte that differs. false: none of these. The
 * program is linked with --wrap=bytes_equal.
 */
#include <stdbool.h>

bool replaced_by(const char *how);

#endif
