/* pidfile.h: the file that says which process serves. What goes wrong is said through message.h. */
#ifndef DAEMON_PIDFILE_H
#define DAEMON_PIDFILE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Writes the number, without a newline. false: one line has said why. It stays behind after the end, as it always
 * did; after a failure there is no empty one.
 */
bool pidfile_write(const char *path, pid_t pid);

/* Whether it could be written, changing nothing. false: one line has said why not. */
bool pidfile_check(const char *path);

#endif
