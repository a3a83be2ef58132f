/*
 * files.c: descriptors, as the manual page of each call has them: open(2), read(2), fstat(2) ... A call may fail with
 * any errno, EINTR too; errno is what it was where it does not.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unknown.h"

enum { ERRNO_MAX = 4095 };

static int
failed(void)
{
	errno = Frama_C_int_interval(1, ERRNO_MAX);
	return -1;
}

static int
perhaps(void)
{
	return unknown_bool() ? 0 : failed();
}

int
proof_open(const char *path, int flags, ...)
{
	//@ assert path: valid_read_string(path);
	return unknown_bool() ? Frama_C_int_interval(0, INT_MAX) : failed();
}

int
proof_fcntl(int fd, int command, ...)
{
	//@ assert command: command == F_GETFL;
	return unknown_bool() ? Frama_C_int_interval(0, INT_MAX) : failed();
}

/*
 * Any part of what was asked for, and nothing else of buffer is touched. Looked at one by one are a failure, nothing, 1
 * byte, 2, half, all but one and all: src/ asks no more of a length than how it compares with 0.
 */
ssize_t
read(int fd, void *buffer, size_t count)
{
	//@ assert room: \valid((char *)buffer + (0 .. count - 1));
	ssize_t most = (ssize_t)count;
	ssize_t length = unknown_bool()   ? Frama_C_interval(-1, 2)
			 : unknown_bool() ? most / 2
			 : unknown_bool() ? most - 1
					  : most;

	length = length > most ? most : length;
	//@ split length;
	if (length < 0)
		return failed();
	unknown_bytes(buffer, (size_t)length);
	return length;
}

/* A failure, nothing, 1 byte, all but one and all, by themselves: so any part of it in two calls or more. */
ssize_t
write(int fd, const void *bytes, size_t count)
{
	//@ assert bytes: \valid_read((char *)bytes + (0 .. count - 1));
	//@ assert set: \initialized((char *)bytes + (0 .. count - 1));
	ssize_t most = (ssize_t)count;
	ssize_t written = unknown_bool() ? Frama_C_interval(-1, 1) : unknown_bool() ? most - 1 : most;

	//@ split written;
	return written < 0 ? failed() : written;
}

off_t
lseek(int fd, off_t offset, int whence)
{
	//@ assert asked: offset == 0 && whence == SEEK_CUR;
	return unknown_bool() ? Frama_C_long_interval(0, LONG_MAX) : failed();
}

int
close(int fd)
{
	return perhaps();
}

int
access(const char *path, int mode)
{
	//@ assert path: valid_read_string(path);
	return perhaps();
}

int
stat(const char *path, struct stat *status)
{
	//@ assert path: valid_read_string(path);
	//@ assert room: \valid(status);
	if (unknown_bool())
		return failed();
	unknown_bytes(status, sizeof *status);
	return 0;
}

int
fstat(int fd, struct stat *status)
{
	//@ assert room: \valid(status);
	if (unknown_bool())
		return failed();
	unknown_bytes(status, sizeof *status);
	return 0;
}

int
fchmod(int fd, mode_t mode)
{
	return perhaps();
}

int
fchown(int fd, uid_t owner, gid_t group)
{
	return perhaps();
}

int
fsync(int fd)
{
	return perhaps();
}

int
unlink(const char *path)
{
	//@ assert path: valid_read_string(path);
	return perhaps();
}
