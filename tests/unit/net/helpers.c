/* helpers.c: what the tests of net/ share. */
#include "helpers.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

static char scratch[64];

struct endpoint
endpoint_of(const char *text, bool is_bind)
{
	struct endpoint endpoint;
	char problem[ADDRESS_PROBLEM] = "";

	if (!endpoint_parse(&endpoint, text, is_bind, problem))
		fail_msg("%s", problem);
	return endpoint;
}

struct address
address_of(const char *text)
{
	struct endpoint endpoint = endpoint_of(text, true);
	struct address_list list;
	char problem[ADDRESS_PROBLEM] = "";
	bool temporary;

	if (!resolve_now(&endpoint, &list, problem, &temporary))
		fail_msg("%s", problem);
	return list.addresses[0];
}

void
list_add(struct address_list *list, const struct address *address)
{
	list->addresses[list->count++] = *address;
}

bool
has_ip6(void)
{
	struct address at = address_of("[::1]:0");
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, &at.any, at.length) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

int
listen_on(struct address *at, int backlog)
{
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, &at->any, at->length), 0);
	assert_int_equal(listen(fd, backlog), 0);
	at->length = sizeof at->storage;
	assert_int_equal(getsockname(fd, &at->any, &at->length), 0);
	return fd;
}

struct address
nobody_at(const char *text)
{
	struct address at = address_of(text);

	close(listen_on(&at, 1));
	return at;
}

void
listen_without_answer(struct address *at, int fds[2])
{
	fds[0] = listen_on(at, 0);
	fds[1] = connect_to(at);
}

int
connect_to(const struct address *at)
{
	int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &at->any, at->length), 0);
	return fd;
}

void
scratch_create(void)
{
	snprintf(scratch, sizeof scratch, "/tmp/spiped-test-XXXXXX");
	assert_non_null(mkdtemp(scratch));
}

const char *
scratch_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
	return path;
}

void
scratch_remove(void)
{
	DIR *folder = opendir(scratch);

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	}
	closedir(folder);
	assert_int_equal(rmdir(scratch), 0);
}

int
option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof value;

	assert_int_equal(getsockopt(fd, level, name, &value, &length), 0);
	return value;
}

bool
tcp_info_of(int fd, struct tcp_info *info)
{
	socklen_t length = sizeof *info;

	assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length), 0);
	return length > sizeof(int);
}

size_t
open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder) != NULL)
		count++;
	closedir(folder);
	return count;
}
