/* helpers.c: see helpers.h. */
#include "helpers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/message.h"
#include "test.h"

static FILE *stream;
static char *text;
static size_t length;
static char folder[64], path[512];

void
said_start(void)
{
	stream = open_memstream(&text, &length);
	assert_non_null(stream);
	message_start("spiped", stream);
}

const char *
said(void)
{
	static char copy[8192];

	assert_int_equal(fflush(stream), 0);
	assert_true(length < sizeof copy);
	memcpy(copy, text, length);
	copy[length] = '\0';
	rewind(stream);
	return copy;
}

void
said_stop(void)
{
	message_start("spiped", NULL);
	(void)fclose(stream);
	free(text);
	text = NULL;
}

void
scratch_create(void)
{
	const char *where = getenv("TMPDIR");

	(void)snprintf(folder, sizeof folder, "%s/spiped-daemon-XXXXXX", where != NULL ? where : "/tmp");
	assert_non_null(mkdtemp(folder));
}

const char *
scratch_path(const char *name)
{
	assert_true(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
	return path;
}

void
scratch_remove(void)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlink(scratch_path(entry->d_name));
	(void)closedir(directory);
	assert_int_equal(rmdir(folder), 0);
}

const char *
scratch_file(const char *name, const void *bytes, size_t size, mode_t mode)
{
	int fd = open(scratch_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

const char *
contents_of(const char *file)
{
	static char contents[4096];
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, contents, sizeof contents - 1);

	assert_true(size >= 0);
	contents[size] = '\0';
	(void)close(fd);
	return contents;
}

int
status_of_child(int (*body)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(body());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int
said_setup(void **state)
{
	(void)state;
	said_start();
	return 0;
}

int
said_teardown(void **state)
{
	(void)state;
	said_stop();
	return 0;
}
