/* pidfile.c: writes the pidfile, or says whether it could. */
#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/message.h"

static bool
cannot_write(const char *path, int error)
{
	return message_error("Cannot write pidfile: %s: %s", path, strerror(error));
}

/* 0, or the errno; the descriptor is closed on every way out. */
static int
write_number(int fd, pid_t pid)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%ld", (long)pid), error = 0;

	for (int done = 0; done < length && error == 0;) {
		ssize_t written = write(fd, digits + done, (size_t)(length - done));

		if (written > 0)
			done += (int)written;
		else if (written == 0 || errno != EINTR)
			error = written < 0 ? errno : ENOSPC;
	}
	if (close(fd) != 0 && errno != EINTR && error == 0)
		error = errno; /* network file systems find out here that they are full */
	return error;
}

bool
pidfile_write(const char *path, pid_t pid)
{
	/* Non-blocking: a FIFO without a reader is an error, not a start that never ends. */
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, fd, error;
	struct stat status;
	bool is_file;

	do
		fd = open(path, flags, 0644);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return cannot_write(path, errno);
	is_file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
	error = write_number(fd, pid);
	if (error == 0)
		return true;
	if (is_file)
		(void)unlink(path);
	return cannot_write(path, error);
}

bool
pidfile_check(const char *path)
{
	char copy[PATH_MAX];
	const char *directory;
	struct stat status;
	struct statvfs space;

	if (stat(path, &status) == 0) {
		if (S_ISDIR(status.st_mode))
			return cannot_write(path, EISDIR);
		return access(path, W_OK) == 0 || cannot_write(path, errno);
	}
	if (errno != ENOENT || path[0] == '\0')
		return cannot_write(path, errno);
	if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy)
		return cannot_write(path, ENAMETOOLONG);
	directory = dirname(copy);
	if (stat(directory, &status) != 0)
		return cannot_write(path, errno);
	if (!S_ISDIR(status.st_mode))
		return cannot_write(path, ENOTDIR);
	if (access(directory, W_OK | X_OK) != 0)
		return cannot_write(path, errno);
	if (statvfs(directory, &space) == 0 && space.f_blocks > 0 && space.f_bfree == 0)
		return cannot_write(path, ENOSPC);
	return true;
}
