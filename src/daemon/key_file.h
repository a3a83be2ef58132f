/* key_file.h: reads K from a key file of any kind and length (docs/PROTOCOL.md). */
#ifndef DAEMON_KEY_FILE_H
#define DAEMON_KEY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keyring.h"

enum {
	KEY_FILE_LENGTH = 32,     /* bytes that a key file should have at least: 256 bits */
	KEY_FILE_MOST = 1U << 20, /* and has at most, in a folder of keys */
};

struct key_file {
	const char *path; /* "-": standard input; "fd:N": an open descriptor */
	uint64_t length;
	bool is_read;            /* length is known */
	bool readable_by_others; /* a file whose mode lets its group or everybody read it */
};

/*
 * Reads the whole of path: a file, a FIFO or a device, whatever its mode and length, or what comes from a descriptor,
 * which fd:N closes. k is its memory's owner's to protect. Blocks for as long as a FIFO does. 0, or an errno, with k
 * wiped; *what is then the beginning of a line that says so.
 */
int key_file_read(struct key_file *file, const char *path, uint8_t k[WIRE_KEY], const char **what);

/* The same for one that stands among others: a regular file of at most KEY_FILE_MOST bytes. Never blocks for long. */
int key_file_read_member(struct key_file *file, const char *path, uint8_t k[WIRE_KEY]);

/* Whether this process, as it is now, can open it. Nothing is read. */
bool key_file_can_be_opened(const char *path);

/* For --check: 0, or the errno that key_file_read_member would give. Nothing is read or opened. */
int key_file_check_member(struct key_file *file, const char *path);

/* Why one that stands among others is not taken: an errno, or ENODATA where it is shorter than KEY_FILE_LENGTH. */
const char *key_file_problem(int error);

/*
 * For --check: whether it could be read. Nothing is; a FIFO, a device and a descriptor are not even opened. false: one
 * line has said why.
 */
bool key_file_check(struct key_file *file, const char *path);

/* What is wrong with a file that was read or checked, one at a time; NULL: nothing (more). text has room for it. */
enum { KEY_FILE_TEXT = 4500 };
const char *key_file_warning(const struct key_file *file, int number, char text[KEY_FILE_TEXT]);

/* "standard input", or the path: for messages. */
const char *key_file_title(const char *path);

/* Whether it can be read but once: standard input and descriptors. */
bool key_file_is_once(const char *path);

#endif
