/* key_faults.c: preloaded into spiped: from its Nth opening on, KEY_FAULT_PATH fails as KEY_FAULT says; 0: is slow. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int bad = -1; /* the descriptor of which no read works */

static bool
is_it(const char *path)
{
	const char *wanted = getenv("KEY_FAULT_PATH");

	return wanted != NULL && strcmp(path, wanted) == 0;
}

static bool
is_gone(void)
{
	return atoi(getenv("KEY_FAULT")) == ENOENT;
}

static int
open_any(const char *path, int flags, mode_t mode)
{
	static int (*real)(const char *, int, ...);
	static int count;
	int fd;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "open64");
	if (!is_it(path) || ++count < atoi(getenv("KEY_FAULT_FROM")))
		return real(path, flags, mode);
	if (is_gone()) {
		errno = ENOENT;
		return -1;
	}
	fd = real(path, flags, mode);
	if (atoi(getenv("KEY_FAULT")) == 0)
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	else
		bad = fd;
	return fd;
}

int
open64(const char *path, int flags, ...)
{
	return open_any(path, flags, 0);
}

int
open(const char *path, int flags, ...)
{
	return open_any(path, flags, 0);
}

int
lstat(const char *restrict path, struct stat *restrict status)
{
	if (is_it(path) && is_gone()) {
		errno = ENOENT;
		return -1;
	}
	return fstatat(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

int
lstat64(const char *restrict path, struct stat64 *restrict status)
{
	return lstat(path, (struct stat *)status);
}

ssize_t
read(int fd, void *bytes, size_t length)
{
	static ssize_t (*real)(int, void *, size_t);

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "read");
	if (fd >= 0 && fd == bad) {
		bad = -1;
		errno = atoi(getenv("KEY_FAULT"));
		return -1;
	}
	return real(fd, bytes, length);
}
