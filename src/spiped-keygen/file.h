/* file.h: files that are whole and on the disk, or not there. */
#ifndef SPIPED_KEYGEN_FILE_H
#define SPIPED_KEYGEN_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* "spiped-keygen: Cannot WHAT: PATH: why"; always false. */
bool file_cannot(const char *what, const char *path, int error);

/* 0, or the errno. */
int file_write_whole(int fd, const uint8_t *bytes, size_t length);

/* What was made, renamed or removed in path's folder is on the disk after this. 0, or the errno. */
int file_sync_folder_of(const char *path);

/* A new file with a key, mode 0600, of this owner where that can be ((uid_t)-1: who made it). false: one line has said
 * why. */
bool file_make(const char *path, const uint8_t *key, uid_t owner, gid_t group);

#endif
