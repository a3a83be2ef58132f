/* key_set.h: the keys of -k: where they come from, which are in force, and reading them again while it serves. */
#ifndef DAEMON_KEY_SET_H
#define DAEMON_KEY_SET_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/log.h"
#include "daemon/key_way.h"
#include "protocol/keyring.h"

enum {
	KEY_SOURCES_MAX = 16,
	KEY_STEPS_MAX = 32,
	KEY_SET_MAX = 4096 /* keys of one folder: a stranger costs a microsecond each */
};

enum key_user {
	KEYS_OF_SERVER /* spiped -d */,
	KEYS_OF_CLIENT /* spiped -e */,
	KEYS_OF_SPIPE /* says nothing unasked */
};

/* One -k: a file, a folder in which each NAME.key is a key, or what can be read but once. */
struct key_source {
	const char *path;
	bool is_folder, is_once;
	size_t first, count;                /* its keys in the ring */
	struct key_step way[KEY_STEPS_MAX]; /* to it, as it was when it was looked for last */
	size_t step_count;
	struct stat seen;    /* the folder, when it was read last */
	char real[PATH_MAX]; /* of credential:NAME, what path is */
};

struct key_set {
	struct keyring *ring; /* held; NULL before key_set_open and after key_set_forget */
	enum key_user user;
	bool is_hidden;             /* since key_set_keep */
	const struct log_sink *log; /* where things are said once it serves; NULL: they are messages */
	struct key_source sources[KEY_SOURCES_MAX];
	size_t count;
	bool is_one_of_several; /* were given; a client uses the first */
};

/*
 * Reads all of paths[0..count), at most KEY_SOURCES_MAX, in their order; a client reads the first of them, and none may
 * be a folder. paths outlive the set. false: one line has said why.
 */
bool key_set_open(struct key_set *set, const char *const paths[], size_t count, enum key_user user);

/* For --check: whether they could be read; nothing is. false: a line has said each cause. */
bool key_set_check(const char *const paths[], size_t count, enum key_user user);

/*
 * In the process that will use them, after the last fork: moves them into memory that the kernel shows to nobody, where
 * it has that; else they are locked again, which a child does not inherit.
 */
void key_set_keep(struct key_set *set);

/* One warning for each source that this process, which is who, could not read again. */
void key_set_warn(const struct key_set *set, const char *who);

/* Finds the ways to folders anew: they lead elsewhere when a link on them is changed. Reading keys does not look at
 * them. */
void key_set_find_ways(struct key_set *set);

/* Whether a folder is not what it was when it was read last, as far as that shows in the folder itself. */
bool key_set_is_old(const struct key_set *set);

/*
 * Reads folders, and with files_too the files, afresh, and logs what is new, gone or wrong. What cannot be read stays
 * as it was, but for what is not there any more. Names of keys that are not in force any more become is_revoked.
 * Returns the ring, with a holder for whoever called, or NULL: nothing has changed. Any thread, one at a time.
 */
struct keyring *key_set_read_again(struct key_set *set, bool files_too);

/* Lets go of the ring. */
void key_set_forget(struct key_set *set);

#endif
