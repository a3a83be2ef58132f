/* listen.c: binds and listens, before privileges are dropped. */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/socket.h"

/*
 * Whether no socket is bound to path any more. Asked with a datagram socket: of a path that a stream socket holds, the
 * kernel says so without connecting, so a running daemon never sees a client that was none.
 */
static bool
is_stale(const struct address *address)
{
	struct stat status;
	bool stale;
	int fd;

	if (lstat(address->un.sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	stale = connect(fd, &address->any, address->length) < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int
bind_to(int fd, const struct address *address)
{
	return bind(fd, &address->any, address->length) < 0 ? -errno : 0;
}

/* The umask gives the socket its mode as it appears, so at no moment has it another, and no path is followed. */
static int
bind_unix(int fd, const struct address *address, const struct listen_options *options)
{
	bool has_mode = options->mode != (mode_t)-1;
	mode_t before = has_mode ? umask(~options->mode & 0777) : 0;
	int error = bind_to(fd, address);

	if (error == -EADDRINUSE && is_stale(address) && unlink(address->un.sun_path) == 0)
		error = bind_to(fd, address);
	if (has_mode)
		umask(before);
	return error;
}

static int
set_owner(const struct address *address, const struct listen_options *options)
{
	if (options->owner == (uid_t)-1 && options->group == (gid_t)-1)
		return 0;
	return lchown(address->un.sun_path, options->owner, options->group) < 0 ? -errno : 0;
}

/* The listening socket, or a negative errno; *step is what failed. */
static int
open_one(const struct address *address, const struct listen_options *options, const char **step)
{
	bool is_unix = address->any.sa_family == AF_UNIX, bound;
	int fd = socket_new(address->any.sa_family), error = 0, yes = 1;

	*step = "Error binding to";
	if (fd < 0)
		return fd;
	if (!is_unix && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
		error = -errno;
	if (error == 0)
		error = is_unix ? bind_unix(fd, address, options) : bind_to(fd, address);
	bound = error == 0;
	if (bound && is_unix) {
		error = set_owner(address, options);
		if (error < 0)
			*step = "Error setting the owner of";
	}
	/* Once and not for each that is accepted: Linux hands these options on. */
	socket_tune(fd, options->keepalive);
	if (options->plain)
		socket_tune_plain(fd, address);
	if (error == 0 && listen(fd, INT_MAX) < 0) /* the kernel makes it the system's maximum */
		error = -errno;
	if (error == 0)
		return fd;
	if (bound && is_unix)
		(void)unlink(address->un.sun_path);
	close(fd);
	return error;
}

/* Why an address could not be listened on; error is 0 where it could. */
struct failure {
	const char *step;
	int error;
};

static void
write_failure(char line[ADDRESS_PROBLEM], const struct failure *failure, const char *where)
{
	snprintf(line, ADDRESS_PROBLEM, "%s %s: %s", failure->step, where, strerror(-failure->error));
}

static void
warn_of_the_rest(const struct listeners *listeners, const char *source, const struct address_list *list,
    const struct failure failures[], bool every, void (*warn)(const char *line))
{
	char line[ADDRESS_PROBLEM], text[ADDRESS_TEXT];

	for (size_t i = 0; i < list->count; i++) {
		if (failures[i].error == 0)
			continue;
		address_format(&list->addresses[i], text);
		write_failure(line, &failures[i], text);
		warn(line);
	}
	if (every || list->count == 1)
		return;
	address_format(&listeners->addresses[0], text);
	snprintf(line, sizeof line, "%s has %zu addresses: listening on %s only", source, list->count, text);
	warn(line);
}

bool
listen_open(struct listeners *listeners, const char *source, const struct address_list *list,
    const struct listen_options *options, char problem[ADDRESS_PROBLEM], void (*warn)(const char *line))
{
	struct failure failures[ADDRESS_LIST_MAX] = {{"Error binding to", 0}};

	listeners->count = 0;
	for (size_t i = 0; i < list->count && (options->every || listeners->count == 0); i++) {
		int fd = open_one(&list->addresses[i], options, &failures[i].step);

		if (fd < 0) {
			failures[i].error = fd;
			continue;
		}
		listeners->fds[listeners->count] = fd;
		listeners->addresses[listeners->count++] = list->addresses[i];
	}
	if (listeners->count == 0) {
		if (list->count == 0)
			failures[0].error = -EADDRNOTAVAIL;
		write_failure(problem, &failures[0], source);
		return false;
	}
	warn_of_the_rest(listeners, source, list, failures, options->every, warn);
	return true;
}

/* Whether a socket's path could be created, or a stale one be replaced. */
static int
check_path(const struct address *address)
{
	char directory[sizeof address->un.sun_path + 1];
	const char *path = address->un.sun_path;
	struct stat status;
	size_t length = 1 + (size_t)(strrchr(path, '/') - path);

	memcpy(directory, path, length);
	directory[length] = '\0';
	if (lstat(path, &status) == 0 && !is_stale(address))
		return S_ISSOCK(status.st_mode) ? -EADDRINUSE : -EEXIST;
	return faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0 ? -errno : 0;
}

int
listen_check(const struct address *address)
{
	int fd, error, yes = 1;

	if (address->any.sa_family == AF_UNIX)
		return check_path(address);
	fd = socket_new(address->any.sa_family);
	if (fd < 0)
		return fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	error = bind_to(fd, address);
	close(fd);
	return error;
}
