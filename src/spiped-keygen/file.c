/* file.c: see file.h. */
#include "spiped-keygen/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/key_file.h"
#include "daemon/message.h"

bool
file_cannot(const char *what, const char *path, int error)
{
	return message_error("Cannot %s: %s: %s", what, path, strerror(error));
}

int
file_write_whole(int fd, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return errno;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* A file is safe after a power cut once its directory is on the disk too. */
int
file_sync_folder_of(const char *path)
{
	char copy[2 * PATH_MAX];
	const char *directory;
	int fd, error;

	(void)snprintf(copy, sizeof copy, "%s", path); /* a system call has taken it: it fits */
	directory = dirname(copy);
	do
		fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return errno;
	error = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
	(void)close(fd);
	return error;
}

/* 0, or the errno; fd is closed. */
static int
fill_file(int fd, const uint8_t *key, uid_t owner, gid_t group)
{
	int error = fchmod(fd, S_IRUSR | S_IWUSR) == 0 ? 0 : errno; /* whatever the umask says */

	if (error == 0 && owner != (uid_t)-1 && fchown(fd, owner, group) != 0 && errno != EPERM)
		error = errno;
	if (error == 0)
		error = file_write_whole(fd, key, KEY_FILE_LENGTH);
	if (error == 0 && fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && errno != EINTR && error == 0)
		error = errno;
	return error;
}

bool
file_make(const char *path, const uint8_t *key, uid_t owner, gid_t group)
{
	int fd, error;

	do
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return file_cannot("create", path, errno);
	error = fill_file(fd, key, owner, group);
	if (error == 0)
		error = file_sync_folder_of(path);
	if (error == 0)
		return true;
	(void)unlink(path);
	return file_cannot("write", path, error);
}
