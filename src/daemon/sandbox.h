/* sandbox.h: what a process keeps once it serves, as far as the kernel can take the rest away. */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

#include <stdbool.h>

#include "base/line.h"
#include "daemon/key_set.h"

/* What it will still do. */
struct sandbox_needs {
	uint16_t target_port;       /* of the TCP connections that it makes; 0: it connects to a UNIX socket */
	uint16_t bind_port;         /* these come from; 0: any */
	bool looks_up;              /* names */
	const struct key_set *keys; /* these may be read again, as may what replaces them; NULL: they are not */
};

/*
 * Gives up for good, this thread and all that it will start: reading files but those that needs stand for, writing any,
 * TCP connections to other ports (Landlock); system calls without a need, and with the worst of them the process
 * (seccomp); capabilities; gaining privileges. What this kernel or build has not is left out: it cannot fail.
 * needs NULL: nothing is given up (--no-sandbox). line: out, for the log: what is in force now, as
 * "sandbox no_new_privs=yes landlock=4 capabilities=none seccomp=yes". Before the first thread, after the last bind.
 */
void sandbox_enter(const struct sandbox_needs *needs, struct line *line);

#endif
