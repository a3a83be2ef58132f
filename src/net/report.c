/* report.c: see report.h. */
#include "net/report.h"

#include <string.h>

#include "base/line.h"

static void
write_line(const struct log_sink *log, enum log_level level, bool stranger, const struct line *line)
{
	log->write(log->context, level, stranger, line->text);
}

/* What anybody can cause at will on -d until a key is proved; on -e the same means that nothing works. */
static bool
is_strangers_doing(enum error reason)
{
	return reason == ERROR_WRONG_KEY || reason == ERROR_BAD_Y || reason == ERROR_NO_FORWARD_SECRECY ||
	       reason == ERROR_HANDSHAKE_TIMEOUT || reason == ERROR_CUT;
}

static bool
is_daily_life(enum error reason)
{
	return reason == OK || reason == ERROR_CIPHER_RESET || reason == ERROR_PLAIN_RESET || reason == ERROR_STALLED ||
	       reason == ERROR_KILLED || reason == ERROR_EVICTED;
}

bool
report_is_stranger(const struct connection *c)
{
	return c->driver->settings->kind == PIPE_DECRYPT && pipe_key(&c->pipe) == NULL;
}

/* A warning is what an administrator should hear of even when nothing else is kept: our own troubles, and tampering. */
static enum log_level
level_of(const struct connection *c, enum error reason)
{
	if (is_daily_life(reason) || (report_is_stranger(c) && is_strangers_doing(reason)))
		return LOG_LEVEL_INFO;
	return LOG_LEVEL_WARNING;
}

static void
line_connection(struct line *line, const char *event, const struct connection *c)
{
	line_start(line, event);
	line_text(line, "peer", c->peer);
	if (pipe_key(&c->pipe) != NULL)
		line_text(line, "key", pipe_key(&c->pipe)->text);
}

void
report_opened(struct connection *c)
{
	char target[ADDRESS_TEXT];
	const struct log_sink *log = c->driver->log;
	enum pipe_leg dialled = connection_accepted_leg(c->driver->settings) == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;
	struct address address = {.length = sizeof(address.storage)};
	struct line line;

	if (!log_wants(log, LOG_LEVEL_INFO))
		return;
	line_connection(&line, "open", c);
	if (getpeername(c->legs[dialled].fd, &address.any, &address.length) == 0) {
		address_format(&address, target);
		line_text(&line, "target", address.any.sa_family == AF_UNIX ? c->driver->target : target);
	}
	line_number(&line, "handshake_ms", uv_now(c->driver->loop) - c->started);
	write_line(log, LOG_LEVEL_INFO, false, &line);
}

void
report_over(struct connection *c)
{
	const struct log_sink *log = c->driver->log;
	enum error reason = pipe_reason(&c->pipe);
	enum log_level level = level_of(c, reason);
	bool encrypts = c->driver->settings->kind == PIPE_ENCRYPT;
	const char *hint = report_hint(c);
	struct line line;
	uint64_t in, out;

	if (!log_wants(log, level))
		return;
	pipe_counts(&c->pipe, &in, &out);
	line_connection(&line, c->opened ? "close" : "refused", c);
	if (c->opened) {
		line_seconds(&line, "seconds", uv_now(c->driver->loop) - c->started);
		line_number(&line, "to_target", encrypts ? in : out);
		line_number(&line, "from_target", encrypts ? out : in);
	} else if (encrypts || pipe_key(&c->pipe) != NULL) {
		line_text(&line, "target", c->driver->target);
	}
	line_reason(&line, reason);
	if (c->system_error != 0)
		line_text(&line, "error", strerror(c->system_error));
	write_line(log, level, report_is_stranger(c), &line);
	if (hint == NULL)
		return;
	line_connection(&line, "hint", c);
	line_text(&line, "text", hint);
	write_line(log, level, false, &line);
}

/*
 * A peer with another key closes when it has our MAC, and so does one with -g that has our y = 1, or one with our key
 * that has no target or no room for us; what answers that with more is not one of us.
 */
const char *
report_hint(const struct connection *c)
{
	enum error reason = pipe_reason(&c->pipe);

	if (c->opened || c->driver->settings->kind == PIPE_DECRYPT)
		return NULL;
	if (reason == ERROR_WRONG_KEY)
		return "probably no spiped listens there";
	if (reason != ERROR_CUT && reason != ERROR_CIPHER_RESET)
		return NULL;
	if (!pipe_has_met(&c->pipe))
		return "probably no spiped listens there";
	return c->driver->settings->forward_secrecy == FORWARD_SECRECY_OFF
		   ? "probably the other end has another key, cannot reach its target, or wants forward secrecy (-g)"
		   : "probably the other end has another key, or cannot reach its target";
}

void
report_revoked(struct connection *c)
{
	const struct log_sink *log = c->driver->log;
	struct line line;

	line_connection(&line, "revoked", c);
	line_seconds(&line, "seconds", uv_now(c->driver->loop) - c->started);
	write_line(log, LOG_LEVEL_WARNING, false, &line);
}

void
report_refused(const struct log_sink *log, const char *peer, enum error error)
{
	struct line line;

	line_start(&line, "refused");
	line_text(&line, "peer", peer);
	line_reason(&line, error);
	write_line(log, LOG_LEVEL_WARNING, true, &line);
}
