/* key_file.h: reads K from a key file of any kind and length (docs/PROTOCOL.md), and keeps it where it does not leak.
 */
#ifndef DAEMON_KEY_FILE_H
#define DAEMON_KEY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/keyring.h"

enum { KEY_FILE_LENGTH = 32 /* bytes that a key file should have at least: 256 bits */ };

struct key_file {
	struct key *key; /* in a page of its own, locked and not in core dumps; NULL: there is none */
	const char *path;
	uint64_t length;
	bool is_read;            /* length is known */
	bool readable_by_others; /* a file whose mode lets its group or everybody read it */
};

/*
 * Reads the whole of path, "-" being standard input; a file, a FIFO or a device, whatever its mode and length. The key
 * is named after the file, without its directories. false: one line has said why. Blocks for as long as a FIFO does.
 */
bool key_file_read(struct key_file *file, const char *path);

/*
 * For --check: whether it could be read. Nothing is, so file->key stays NULL; a FIFO and a device are not even opened.
 * false: one line has said why.
 */
bool key_file_check(struct key_file *file, const char *path);

/* One warning for each thing that is wrong with a file that was read or checked. */
void key_file_warn(const struct key_file *file);

/*
 * In the process that will use the key, after the last fork: moves it (file->key changes) into memory that the kernel
 * shows to nobody, where it has that; else its page is locked again, which a child does not inherit.
 */
void key_file_keep(struct key_file *file);

/* Wipes the key and gives its memory back. A file without a key is fine. */
void key_file_forget(struct key_file *file);

#endif
