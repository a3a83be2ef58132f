/* process.h: what the system lets this process have, and what it must not leave behind. */
#ifndef DAEMON_PROCESS_H
#define DAEMON_PROCESS_H

#include <stdint.h>

/* Descriptors 0 to 2 that are closed are opened, so that no socket of ours takes their place. Call it first. */
void process_keep_standard_descriptors(void);

/*
 * Raises the soft limit on descriptors to `wanted`, or as far as the hard one lets it; never lowers it. Returns the
 * soft limit that holds now; UINT64_MAX: none.
 */
uint64_t process_raise_descriptors(uint64_t wanted);

/* No core dump, and no look into our memory by others of the same user. Again after privileges are dropped. */
void process_forbid_dumps(void);

#endif
