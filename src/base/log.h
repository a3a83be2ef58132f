/* log.h: the levels, and the sink into which everybody below daemon/ puts finished lines. The writer is daemon/log.c.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/*
 * Takes one line (no newline, no time) at a level. Never blocks, may drop, and drops those above its level; called
 * from any thread, with a line that the callee copies before it returns. `stranger` marks lines that somebody without a
 * key can cause at will: they are written at most ten a second, and what was left out is counted in the next one.
 */
struct log_sink {
	void (*write)(void *context, enum log_level level, bool stranger, const char *line);
	void *context;
	enum log_level level; /* lines above it are not worth building where that costs something */
};

static inline bool
log_wants(const struct log_sink *sink, enum log_level level)
{
	return level <= sink->level;
}

#endif
