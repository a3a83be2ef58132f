/* arguments.h: a program's options as a table: what each is called, what it is for, and what it sets. */
#ifndef DAEMON_ARGUMENTS_H
#define DAEMON_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "daemon/key_set.h"

/* How an argument is read, and into what: a number's member has 1, 4 or 8 bytes. */
enum argument_kind {
	ARGUMENT_SET,       /* it takes none (`value` is NULL): a number or bool, which becomes `least` */
	ARGUMENT_TEXT,      /* const char * */
	ARGUMENT_LIST,      /* struct argument_list: one more of them */
	ARGUMENT_NUMBER,    /* an unsigned type that has room for it, least to most */
	ARGUMENT_OCTAL,     /* the same */
	ARGUMENT_SECONDS,   /* with fractions, up to 31 years; uint64_t: ms, at least `least`, and 1 unless it is 0 */
	ARGUMENT_LOG_LEVEL, /* enum log_level */
	ARGUMENT_CRYPTO     /* enum engine_backend, one that can be used here */
};

/* What an option that may be repeated was given, in the order of the command line: the sources of -k. */
struct argument_list {
	size_t count;
	const char *texts[KEY_SOURCES_MAX];
};

/*
 * The rest of a row: kind, and its member of the program's struct options. least and most are 0 where its kind has no
 * use for them.
 */
#define ARGUMENT(kind, member, least, most) \
	ARGUMENT_##kind, offsetof(struct options, member), sizeof(((struct options *)0)->member), least, most

/* -v, --version and --help are every program's own and stand in no table. */
struct argument {
	char letter;          /* -x; 0: only the long name */
	const char *name;     /* --name, without its dashes */
	const char *value;    /* what its argument is called in --help; NULL: it takes none */
	const char *help;     /* one line */
	const char *excludes; /* the letters that must not stand beside it, and + if it may be repeated; NULL: none */
	enum argument_kind kind;
	uint16_t at, size; /* of the member that it sets, in bytes */
	uint64_t least, most;
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
 * Sets what the present option, of this index, is for in the program's struct options. false: its argument is no such
 * value, or out of range; that has been said, in one line ("Error parsing argument: -n abc: Invalid argument"), and the
 * exit status is 1.
 */
bool arguments_set(const struct arguments *arguments, int index, void *options);

#endif
