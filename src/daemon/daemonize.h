/* daemonize.h: from a program that somebody waits for to one in the background, without a moment of doubt between. */
#ifndef DAEMON_DAEMONIZE_H
#define DAEMON_DAEMONIZE_H

#include <sys/types.h>

struct daemonize {
	pid_t child;
	int pipe; /* the child's word that it is ready; -1: given, or never asked for */
};

enum daemonize_side { DAEMONIZE_FAILED, DAEMONIZE_PARENT, DAEMONIZE_CHILD };

/*
 * Forks. The child has a session of its own, standard input and output on the null device, and keeps its working
 * directory and its standard error. FAILED: one line has said why. Before the first thread.
 */
enum daemonize_side daemonize_fork(struct daemonize *daemonize);

/* The parent: waits for the child's word. Returns the exit status: 0, or the child's when it ended instead. */
int daemonize_wait(struct daemonize *daemonize);

/* The child: everything that can fail has not, so the parent may exit 0. Again, or without a parent, does nothing. */
void daemonize_ready(struct daemonize *daemonize);

/* Standard error to the null device as well: for when messages go to syslog. */
void daemonize_close_standard_error(void);

#endif
