/* keys.h: a folder of keys on the disk, and the set that is made of it, for the tests of key_set.c and key_read.c. */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include "daemon/key_set.h"

extern struct key_set keys;
extern char keys_logged[8192]; /* what it had to say since it was opened */
extern char keys_folder[256];  /* where it reads; may be changed, as if another stood there now */

int keys_start(void **state);
int keys_stop(void **state);

/* Makes or replaces a file, of 32 bytes of one kind. */
void keys_give(const char *file, char byte);

/* Opens all of these for a server; from then on it logs. */
void keys_open(const char *const paths[], size_t count);

/* The folder alone. */
void keys_open_folder(void);

/* Whether the key of this name is that which keys_give made of the byte. */
bool keys_has(const char *name, char byte);

/* Reads again. Whether the keys in force are others now. */
bool keys_change(bool files_too);

#endif
