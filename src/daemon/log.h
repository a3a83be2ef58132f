/* log.h: the writer behind base/log.h's sink: standard error or syslog, by a thread of its own once there may be one.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdbool.h>

#include "base/log.h"

enum { LOG_TO_SYSLOG = -1, LOG_STOP_MS = 1000 };

struct log;

/* The words of --log-level, in the order of enum log_level. */
extern const char *const log_level_words[];
enum { LOG_LEVELS = LOG_LEVEL_DEBUG + 1 };

/*
 * fd: where lines go, "2026-11-24T10:15:02.113Z open peer=...", in UTC; not closed here. LOG_TO_SYSLOG: to syslog
 * under `program`, without the time, which syslog puts there itself. Until log_start_thread each line is written by
 * whoever makes it. NULL: no memory.
 */
struct log *log_new(const char *program, int fd, enum log_level level);

const struct log_sink *log_sink(const struct log *log);

/*
 * From now on a line waits in a bounded queue for one thread that writes, and nobody waits for whoever reads the log.
 * After the last fork. false: no thread could be had; lines are written directly still.
 */
bool log_start_thread(struct log *log);

/*
 * Writes what waits, for at most LOG_STOP_MS, and frees; NULL is fine. Nobody may use the sink any more. A writer that
 * is stuck until then is left behind; it frees when it can go on, unless the process ends first.
 */
void log_stop(struct log *log);

#endif
