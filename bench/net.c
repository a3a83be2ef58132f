/* net.c: the socket and clock calls that the load generators and the relay share. */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 30

void
die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

uint64_t
clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

struct sockaddr_in
address_parse(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const char *colon = strrchr(text, ':');
	char host[INET_ADDRSTRLEN] = "";
	long port;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		die("not an address and port: %s", text);
	memcpy(host, text, (size_t)(colon - text));
	port = strtol(colon + 1, NULL, 10);
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 || port < 1 || port > 65535)
		die("not an address and port: %s", text);
	address.sin_port = htons((uint16_t)port);
	return address;
}

void
files_raise_limit(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Returns a descriptor of the namespace that was left. */
static int
namespace_enter(const char *path)
{
	int old = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	int new = open(path, O_RDONLY | O_CLOEXEC);

	if (old < 0 || new < 0 || setns(new, CLONE_NEWNET) != 0)
		die("network namespace %s: %s", path, strerror(errno));
	close(new);
	return old;
}

int
net_listen(const struct sockaddr_in *address, const char *netns)
{
	int home = netns == NULL ? -1 : namespace_enter(netns);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 || listen(fd, SOMAXCONN) != 0)
		die("cannot listen: %s", strerror(errno));
	if (home >= 0 && setns(home, CLONE_NEWNET) != 0)
		die("cannot come back to the first network namespace: %s", strerror(errno));
	if (home >= 0)
		close(home);
	return fd;
}

int
net_connect(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	if (fd < 0)
		die("cannot make a socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		die("cannot connect: %s", strerror(errno));
	return fd;
}

int
net_connect_start(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		die("cannot make a socket: %s", strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static void
watch_set(int epoll, int operation, int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	if (epoll_ctl(epoll, operation, fd, &event) != 0)
		die("epoll_ctl: %s", strerror(errno));
}

void
watch_add(int epoll, int fd, uint32_t events, void *data)
{
	watch_set(epoll, EPOLL_CTL_ADD, fd, events, data);
}

void
watch_change(int epoll, int fd, uint32_t events, void *data)
{
	watch_set(epoll, EPOLL_CTL_MOD, fd, events, data);
}
