/*
 * options.c: the command lines of spiped and spipe (FUZZ_SPIPED or not). A command line that is taken means what it
 * says: written out again from what was understood, it is understood the same. One that isn't is answered in lines of
 * printable characters and an exit status. Input: texts, one an argument.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"
#include "fuzz.h"
#include "text.h"

#ifdef FUZZ_SPIPED
#include "spiped/options.h"
#else
#include "spipe/options.h"
#endif

const char *__wrap_engine_problem(enum engine_backend backend);

/* An engine proves itself when it is made: that takes longer than all the rest. */
const char *
__wrap_engine_problem(enum engine_backend backend)
{
	(void)backend;
	return NULL;
}

/* A command line made again, in memory of its own. */
struct again {
	int argc;
	char *argv[88]; /* room for every option, and for all the keys */
	char numbers[8][32];
	size_t numbers_used;
};

static void
flag(struct again *again, bool is_wanted, const char *name)
{
	if (is_wanted)
		again->argv[again->argc++] = (char *)(uintptr_t)name;
}

static void
text(struct again *again, const char *name, const char *value)
{
	flag(again, value != NULL, name);
	flag(again, value != NULL, value);
}

/* Room for a number that is text() afterwards. */
static char *
room_of(struct again *again)
{
	return again->numbers[again->numbers_used++];
}

static void
milliseconds(struct again *again, const char *name, uint64_t value)
{
	char *room = room_of(again);

	(void)snprintf(room, sizeof again->numbers[0], "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
	text(again, name, room);
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *const levels[] = {"error", "warning", "info", "debug"};

static void
write_common(struct again *again, const struct options *options)
{
	text(again, "-t", options->target);
	for (size_t i = 0; i < options->keys.count; i++)
		text(again, "--key", options->keys.texts[i]);
	text(again, "-b", options->bind);
	flag(again, options->forward_secrecy == FORWARD_SECRECY_OFF, "-f");
	flag(again, options->forward_secrecy == FORWARD_SECRECY_REQUIRED, "--require-forward-secrecy");
	flag(again, !options->keepalive, "-j");
	flag(again, options->check, "--check");
	flag(again, options->no_sandbox, "--no-sandbox");
	milliseconds(again, "-o", options->timeout);
	text(again, "--log-level", levels[options->log_level]);
	if (options->crypto != ENGINE_BEST)
		text(again, "--crypto", engine_words[options->crypto]);
}

static void
check_common(const struct options *a, const struct options *b)
{
	check(same_text(a->target, b->target) && same_text(a->bind, b->bind));
	check(a->keys.count == b->keys.count && a->keys.count > 0 && a->keys.count <= KEY_SOURCES_MAX);
	for (size_t i = 0; i < a->keys.count; i++)
		check(same_text(a->keys.texts[i], b->keys.texts[i]));
	check(a->forward_secrecy == b->forward_secrecy && a->keepalive == b->keepalive && a->check == b->check);
	check(a->timeout == b->timeout && a->log_level == b->log_level && a->crypto == b->crypto &&
	      a->no_sandbox == b->no_sandbox);
	check(a->timeout > 0 && a->target != NULL && a->log_level <= LOG_LEVEL_DEBUG);
}

#ifdef FUZZ_SPIPED
static void
number(struct again *again, const char *name, uint64_t value)
{
	char *room = room_of(again);

	(void)snprintf(room, sizeof again->numbers[0], "%" PRIu64, value);
	text(again, name, room);
}

static void
write_again(struct again *again, const struct options *options)
{
	write_common(again, options);
	flag(again, options->kind == PIPE_ENCRYPT, "-e");
	flag(again, options->kind == PIPE_DECRYPT, "--decrypt");
	text(again, "-s", options->source);
	text(again, "-p", options->pidfile);
	text(again, "--user", options->user);
	text(again, "--source-owner", options->source_owner);
	if (options->source_mode != (mode_t)-1) {
		char *room = room_of(again);

		(void)snprintf(room, sizeof again->numbers[0], "%o", (unsigned)options->source_mode);
		text(again, "--source-mode", room);
	}
	flag(again, options->wait_for_dns, "-D");
	flag(again, options->foreground, "-F");
	flag(again, options->syslog, "--syslog");
	if (options->resolve_interval == 0)
		flag(again, true, "-R");
	else
		milliseconds(again, "--resolve-every", options->resolve_interval);
	number(again, "-n", options->max_connections);
	if (options->max_handshakes != 0)
		number(again, "--max-handshakes", options->max_handshakes);
	if (options->workers != 0)
		number(again, "--workers", options->workers);
}

static void
check_same(const struct options *a, const struct options *b)
{
	check_common(a, b);
	check(a->kind == b->kind && same_text(a->source, b->source) && same_text(a->pidfile, b->pidfile));
	check(same_text(a->user, b->user) && same_text(a->source_owner, b->source_owner));
	check(a->source_mode == b->source_mode && a->wait_for_dns == b->wait_for_dns);
	check(a->foreground == b->foreground && a->syslog == b->syslog && !(a->syslog && a->foreground));
	check(a->resolve_interval == b->resolve_interval && a->max_connections == b->max_connections);
	check(a->max_handshakes == b->max_handshakes && a->workers == b->workers);
	check(a->source != NULL && a->pidfile != NULL && a->workers <= 1024);
	check(a->source_mode == (mode_t)-1 || a->source_mode <= 0777);
}
#else
static void
write_again(struct again *again, const struct options *options)
{
	write_common(again, options);
	flag(again, options->exit_on_eof, "--exit-on-eof");
}

static void
check_same(const struct options *a, const struct options *b)
{
	check_common(a, b);
	check(a->exit_on_eof == b->exit_on_eof);
}
#endif

/* Each line is one of ours, and what stands in it from outside makes no line of its own. */
static void
check_said(const char *said)
{
	for (const char *line = said; *line != '\0';) {
		const char *end = strchr(line, '\n');

		check(end != NULL);
		check(
		    strncmp(line, "spip", 4) == 0 || strncmp(line, "usage: ", 7) == 0 || strncmp(line, "    ", 4) == 0);
		for (; line < end; line++)
			check((unsigned char)*line >= 0x20 && *line != 0x7f);
		line = end + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options options, same;
	static FILE *nowhere;
	struct again again = {.argc = 1, .argv = {(char *)(uintptr_t) "again"}};
	struct texts texts;
	char *said;
	int status;

	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	check(nowhere != NULL);
	texts_cut(&texts, 1, data, size);
	texts.each[0] = texts.memory + size; /* "" */
	messages_catch("spiped");
	status = options_parse(&options, (int)texts.count, texts.each, nowhere);
	said = messages_taken();
	check(status == OPTIONS_GO_ON || status == 0 || status == 1);
	check_said(said);
	if (status == 1)
		check(said[0] != '\0');
	free(said);
	if (status == OPTIONS_GO_ON) {
		write_again(&again, &options);
		check(options_parse(&same, again.argc, again.argv, nowhere) == OPTIONS_GO_ON);
		check_same(&options, &same);
	}
	texts_free(&texts);
	return 0;
}
