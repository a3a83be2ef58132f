/* message.h: what the programs say to whoever starts them: "spiped: text", one line each. The log is log.h's. */
#ifndef DAEMON_MESSAGE_H
#define DAEMON_MESSAGE_H

#include <stdbool.h>
#include <stdio.h>

/* program: the name in front of every line; stream: where they go, standard error or a test's. Neither is copied. */
void message_start(const char *program, FILE *stream);

/* From now on to syslog: standard error is about to go. */
void message_to_syslog(void);

/*
 * "program: text", "program: warning: text". One line: what is too long is cut, and control characters, which a path or
 * an argument may hold, come out as '?'. Main thread. An error is always false: what whoever found it has to return.
 */
bool message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void message_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same as message_warning, for callers that take a function for finished lines. */
void message_warning_line(const char *line);

/* Text as it is, behind a message: a usage. */
void message_text(const char *text);

#endif
