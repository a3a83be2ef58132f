/* helpers.h: what a program said, a folder to leave files in, and what a child ended with, for the tests of daemon/. */
#ifndef DAEMON_HELPERS_H
#define DAEMON_HELPERS_H

#include <stddef.h>
#include <sys/types.h>

/* Catches what message.h says from now on; said() is all of it since said_start or the last said(). */
void said_start(void);
const char *said(void);
void said_stop(void);

/* The same as a setup and a teardown of cmocka. */
int said_setup(void **state);
int said_teardown(void **state);

/* A new folder, and name in it; scratch_remove removes it with its files. */
void scratch_create(void);
const char *scratch_path(const char *name);
void scratch_remove(void);

/* Makes a file in the folder, length bytes long and with this mode whatever the umask is; returns its path. */
const char *scratch_file(const char *name, const void *bytes, size_t length, mode_t mode);

/* The contents of a file, as text. */
const char *contents_of(const char *path);

/* Runs body in a child and returns the child's exit status; 1000 and more: the signal that ended it. */
int status_of_child(int (*body)(void));

#endif
