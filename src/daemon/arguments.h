/* arguments.h: a program's options as a table: reads them from a command line, and says in --help what each is for. */
#ifndef DAEMON_ARGUMENTS_H
#define DAEMON_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "crypto/engine.h"

/* -v, --version and --help are every program's own and stand in no table. */
struct argument {
	char letter;          /* -x; 0: only the long name */
	const char *name;     /* --name, without its dashes */
	const char *value;    /* what its argument is called in --help; NULL: it takes none */
	const char *help;     /* one line */
	const char *excludes; /* the letters that must not stand beside it, and + if it may be repeated; NULL: none */
};

struct arguments_program {
	const char *name;
	const char *usage; /* whole lines, printed as they are */
	const char *about; /* the same, between the usage and the options in --help; NULL: nothing */
	bool has_crypto;   /* seals packets: --version says with what */
	const struct argument *table;
	size_t count; /* at most 64 */
};

enum {
	ARGUMENTS_END = -1, /* no more options: the operands start at argv[at] */
	ARGUMENTS_OVER = -2 /* everything has been said: exit with status */
};

struct arguments {
	const struct arguments_program *program;
	int argc;
	char *const *argv;
	FILE *out; /* for --help and --version; the rest goes through message.h */
	int at;
	int status;
	char given[40];    /* the option as it was written: "-n", "--max-connections" */
	const char *value; /* its argument */
	/* the rest is arguments.c's own */
	const char *packed;
	uint64_t seen;
};

void arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out);

/*
 * The index in the table of the next option, with its argument in value; or ARGUMENTS_END or ARGUMENTS_OVER. An option
 * that is repeated and must not be, or stands beside one that it excludes, is answered with the usage.
 */
int arguments_next(struct arguments *arguments);

/* Whether the option with this letter was there. */
bool arguments_has(const struct arguments *arguments, char letter);

/* The usage on standard error: what is missing or too much shows from it. Returns the exit status, 1. */
int arguments_usage(const struct arguments *arguments);

/*
 * The present option's argument as a value. false: it is none, or out of range; that has been said, in one line
 * ("Error parsing argument: -n abc: Invalid argument"), and the exit status is 1.
 */
bool arguments_number(const struct arguments *arguments, uint64_t least, uint64_t most, uint64_t *number);
bool arguments_octal(const struct arguments *arguments, uint64_t most, uint64_t *number);
/* Seconds, with fractions, up to 31 years; milliseconds come out, at least 1 unless it is 0. */
bool arguments_seconds(const struct arguments *arguments, uint64_t least, uint64_t *milliseconds);
/* One of count words: its index comes out. */
bool arguments_word(const struct arguments *arguments, const char *const words[], size_t count, size_t *index);
/* Put behind the *count values, at most so many, that it has had. */
bool arguments_add(const struct arguments *arguments, const char *values[], size_t most, size_t *count);
/* --crypto: a backend that can be used here. */
bool arguments_crypto(const struct arguments *arguments, enum engine_backend *backend);

#endif
