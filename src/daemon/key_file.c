/* key_file.c: from a key file to K. */
#include "daemon/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "daemon/message.h"

static bool
is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

/* -1: path is none. */
static int
descriptor_of(const char *path)
{
	char *end;
	long number;

	if (is_standard_input(path))
		return STDIN_FILENO;
	if (strncmp(path, "fd:", 3) != 0 || path[3] < '0' || path[3] > '9')
		return -1;
	errno = 0;
	number = strtol(path + 3, &end, 10);
	return *end == '\0' && errno == 0 && number <= INT32_MAX ? (int)number : -1;
}

bool
key_file_is_once(const char *path)
{
	return descriptor_of(path) >= 0;
}

const char *
key_file_title(const char *path)
{
	return is_standard_input(path) ? "standard input" : path;
}

static bool
note_status(struct key_file *file, int fd, struct stat *status)
{
	if (fstat(fd, status) != 0)
		return false;
	file->readable_by_others = S_ISREG(status->st_mode) && (status->st_mode & (S_IRGRP | S_IROTH)) != 0;
	return true;
}

/* 0, or an errno. */
static int
hash_descriptor(struct key_file *file, int fd, uint64_t most, uint8_t k[WIRE_KEY])
{
	uint8_t bytes[4096];
	struct hash_stream *stream = hash_stream_new();
	enum error error = OK;
	ssize_t length = 0;
	int system_error = 0;

	if (stream == NULL)
		return ENOMEM;
	while (error == OK && file->length <= most &&
	       ((length = read(fd, bytes, sizeof bytes)) > 0 || (length < 0 && errno == EINTR))) {
		if (length < 0)
			continue;
		file->length += (uint64_t)length;
		error = hash_stream_add(stream, bytes, (size_t)length);
	}
	if (length < 0)
		system_error = errno;
	else if (file->length > most)
		system_error = EFBIG;
	bytes_wipe(bytes, sizeof bytes);
	if (system_error != 0 || error != OK) {
		hash_stream_drop(stream);
		return system_error != 0 ? system_error : EIO;
	}
	return hash_stream_finish(stream, k) == OK ? 0 : EIO;
}

static int
open_file(const char *path, int flags)
{
	int fd = descriptor_of(path);

	if (fd >= 0)
		return fd;
	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
	while (fd < 0 && errno == EINTR);
	return fd;
}

bool
key_file_can_be_opened(const char *path)
{
	int fd = open_file(path, O_NONBLOCK);

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static bool
cannot(const char *what, const char *path, int error)
{
	return message_error("%s: %s: %s", what, key_file_title(path), strerror(error));
}

/* What fd has: 0, or an errno, with k wiped. fd is closed, but for the standard ones. */
static int
read_descriptor(struct key_file *file, int fd, bool is_member, uint8_t k[WIRE_KEY])
{
	struct stat status;
	int error;

	if (!note_status(file, fd, &status))
		error = errno;
	else if (is_member && !S_ISREG(status.st_mode))
		error = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	else
		error = hash_descriptor(file, fd, is_member ? KEY_FILE_MOST : UINT64_MAX, k);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	if (error != 0)
		bytes_wipe(k, WIRE_KEY);
	file->is_read = error == 0;
	return error;
}

int
key_file_read(struct key_file *file, const char *path, uint8_t k[WIRE_KEY], const char **what)
{
	int fd = open_file(path, 0);

	*file = (struct key_file){.path = path};
	*what = fd < 0 ? "Cannot open file" : "Error reading file";
	return fd < 0 ? errno : read_descriptor(file, fd, false, k);
}

int
key_file_read_member(struct key_file *file, const char *path, uint8_t k[WIRE_KEY])
{
	int fd = open_file(path, O_NONBLOCK); /* a FIFO waits for nobody, and is none of ours */

	*file = (struct key_file){.path = path};
	return fd < 0 ? errno : read_descriptor(file, fd, true, k);
}

int
key_file_check_member(struct key_file *file, const char *path)
{
	struct stat status;

	*file = (struct key_file){.path = path};
	if (stat(path, &status) != 0)
		return errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
	if (access(path, R_OK) != 0)
		return errno;
	file->length = (uint64_t)status.st_size;
	file->readable_by_others = (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
	return file->length < KEY_FILE_LENGTH ? ENODATA : file->length > KEY_FILE_MOST ? EFBIG : 0;
}

const char *
key_file_problem(int error)
{
	return error == ENODATA ? "Shorter than 32 bytes" : error == EINVAL ? "Not a regular file" : strerror(error);
}

/* 0, or the errno that reading it would give. It is not read: the file system would note when it was. */
static int
check_descriptor(struct key_file *file, int fd)
{
	struct stat status;
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || !note_status(file, fd, &status))
		return errno;
	if ((flags & O_ACCMODE) == O_WRONLY || S_ISDIR(status.st_mode))
		return S_ISDIR(status.st_mode) ? EISDIR : EBADF;
	file->is_read = S_ISREG(status.st_mode);
	if (file->is_read)
		file->length = (uint64_t)status.st_size - (uint64_t)lseek(fd, 0, SEEK_CUR);
	return 0;
}

bool
key_file_check(struct key_file *file, const char *path)
{
	struct stat status;
	bool is_open = key_file_is_once(path);
	int fd, error;

	*file = (struct key_file){.path = path};
	/* Whoever waits at the other end of a FIFO would see that it was opened. */
	if (!is_open && stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		return access(path, R_OK) == 0 || cannot("Cannot open file", path, errno);
	fd = open_file(path, 0);
	if (fd < 0)
		return cannot("Cannot open file", path, errno);
	error = check_descriptor(file, fd);
	if (!is_open)
		(void)close(fd);
	return error == 0 || cannot("Error reading file", path, error);
}

const char *
key_file_warning(const struct key_file *file, int number, char text[KEY_FILE_TEXT])
{
	const char *name = key_file_title(file->path);

	if (file->is_read && file->length < KEY_FILE_LENGTH && number-- == 0)
		(void)snprintf(text, KEY_FILE_TEXT,
		    "key file %s has %" PRIu64 " bytes: use at least %d (spiped-keygen makes a good one)", name,
		    file->length, KEY_FILE_LENGTH);
	else if (file->readable_by_others && number == 0)
		(void)snprintf(
		    text, KEY_FILE_TEXT, "key file %s can be read by others: chmod 600 makes it private", name);
	else
		return NULL;
	return text;
}
