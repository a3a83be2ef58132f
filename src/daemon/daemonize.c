/* daemonize.c: fork, and a parent that exits when its child serves. */
#include "daemon/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/message.h"

static void
to_null_device(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (null < 0)
		return; /* in a root without devices there is nothing better than to leave it */
	(void)dup2(null, fd);
	(void)close(null);
}

/* Standard input, as the child has it: a sandbox does not let it open anything for writing. */
void
daemonize_close_standard_error(void)
{
	(void)dup2(STDIN_FILENO, STDERR_FILENO);
}

static enum daemonize_side
failed(const char *what)
{
	message_error("Failed to daemonize: %s: %s", what, strerror(errno));
	return DAEMONIZE_FAILED;
}

enum daemonize_side
daemonize_fork(struct daemonize *daemonize)
{
	int ends[2];

	daemonize->pipe = -1;
	if (pipe(ends) != 0)
		return failed("pipe");
	daemonize->child = fork();
	if (daemonize->child < 0) {
		(void)failed("fork");
		(void)close(ends[0]);
		(void)close(ends[1]);
		return DAEMONIZE_FAILED;
	}
	if (daemonize->child > 0) {
		(void)close(ends[1]);
		daemonize->pipe = ends[0];
		return DAEMONIZE_PARENT;
	}
	(void)close(ends[0]);
	daemonize->pipe = ends[1];
	(void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	(void)setsid();
	to_null_device(STDIN_FILENO);
	to_null_device(STDOUT_FILENO);
	return DAEMONIZE_CHILD;
}

int
daemonize_wait(struct daemonize *daemonize)
{
	int status;
	char word;
	ssize_t length;

	do
		length = read(daemonize->pipe, &word, 1);
	while (length < 0 && errno != EBADF);
	if (length == 1)
		return 0;
	while (waitpid(daemonize->child, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	message_error("the daemon was ended by signal %d before it was ready", WTERMSIG(status));
	return 1;
}

void
daemonize_ready(struct daemonize *daemonize)
{
	if (daemonize->pipe < 0)
		return;
	/* Whatever it is: without this byte the parent waits for an end of ours. Unless it has gone itself. */
	while (write(daemonize->pipe, "", 1) < 0 && errno != EPIPE && errno != EBADF)
		continue;
	(void)close(daemonize->pipe);
	daemonize->pipe = -1;
}
