/* key_set_parts.h: what key_set.c and key_read.c share. Nobody else includes it. */
#ifndef DAEMON_KEY_SET_PARTS_H
#define DAEMON_KEY_SET_PARTS_H

#include "daemon/key_file.h"
#include "daemon/key_set.h"

/* What is wrong, but stops nothing: a message, or once it serves a line in the log. */
void key_set_say(const struct key_set *set, const char *format, ...) __attribute__((format(printf, 2, 3)));
void key_set_say_of_file(const struct key_set *set, const struct key_file *file);
void key_set_say_of_mistakes(const struct key_set *set, const char *folder);
void key_set_say_of_rest(const struct key_set *set, const char *folder, int count); /* has too many keys: so many */

/*
 * Whether a descriptor gave no byte, as that of a command which has failed: the key of nothing is everybody's. A single
 * -k - has always taken it.
 */
bool key_set_is_nothing(const struct key_set *set, const struct key_file *file);

/*
 * Reads every source afresh, beside the ring that is in force, if there is one: then files only with files_too. NULL:
 * it cannot be, and one line has said why.
 */
struct keyring *key_set_read(struct key_set *set, bool files_too);

#endif
