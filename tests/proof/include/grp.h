/* grp.h: Frama-C's, and the two of Linux's that it lacks. */
#ifndef PROOF_GRP_H
#define PROOF_GRP_H

#include_next <grp.h>

int getgrouplist(const char *name, gid_t group, gid_t *groups, int *count);

#endif
