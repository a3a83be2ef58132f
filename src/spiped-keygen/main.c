/* main.c: spiped-keygen: a new key file, whole and on the disk, or none. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/random.h"
#include "daemon/arguments.h"
#include "daemon/key_file.h"
#include "daemon/message.h"
#include "daemon/process.h"

static const char usage[] = "usage: spiped-keygen {FILE | -}\n"
			    "       spiped-keygen -v | --version | --help\n";

static const char about[] =
    "Writes a new key for spiped and spipe, 32 random bytes, into FILE (mode 0600; a file that is\n"
    "there is never touched) or to standard output. Both ends of a pipe need the same file.\n";

static bool
cannot(const char *what, const char *path, int error)
{
	message_error("Cannot %s: %s: %s", what, path, strerror(error));
	return false;
}

/* 0, or the errno. */
static int
write_whole(int fd, const uint8_t *bytes, size_t length)
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

/* A file is safe after a power cut once its directory is on the disk too. 0, or the errno. */
static int
sync_directory(const char *path)
{
	char copy[PATH_MAX];
	const char *directory;
	int fd, error;

	(void)snprintf(copy, sizeof copy, "%s", path); /* open has taken it: it fits */
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
fill_file(int fd, const uint8_t *key)
{
	int error = fchmod(fd, S_IRUSR | S_IWUSR) == 0 ? 0 : errno; /* whatever the umask says */

	if (error == 0)
		error = write_whole(fd, key, KEY_FILE_LENGTH);
	if (error == 0 && fsync(fd) != 0)
		error = errno;
	if (close(fd) != 0 && errno != EINTR && error == 0)
		error = errno;
	return error;
}

static bool
make_file(const char *path, const uint8_t *key)
{
	int fd, error;

	do
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return cannot("create", path, errno);
	error = fill_file(fd, key);
	if (error == 0)
		error = sync_directory(path);
	if (error == 0)
		return true;
	(void)unlink(path);
	return cannot("write", path, error);
}

static bool
print(const uint8_t *key)
{
	int error;

	if (isatty(STDOUT_FILENO)) {
		message_error("A key is no text for a terminal: spiped-keygen FILE, or spiped-keygen - > FILE");
		return false;
	}
	error = write_whole(STDOUT_FILENO, key, KEY_FILE_LENGTH);
	return error == 0 || cannot("write", "standard output", error);
}

int
main(int argc, char *argv[])
{
	const struct arguments_program program = {.name = "spiped-keygen", .usage = usage, .about = about};
	struct arguments arguments;
	uint8_t key[KEY_FILE_LENGTH];
	const char *path;
	bool made;

	process_keep_standard_descriptors();
	process_forbid_dumps();
	message_start("spiped-keygen", stderr);
	arguments_start(&arguments, &program, argc, argv, stdout);
	if (arguments_next(&arguments) == ARGUMENTS_OVER)
		return arguments.status;
	if (argc - arguments.at != 1)
		return arguments_usage(&arguments);
	path = argv[arguments.at];
	if (random_bytes(key, sizeof key) != OK) {
		message_error("%s", error_text(ERROR_RANDOM));
		return 1;
	}
	made = strcmp(path, "-") == 0 ? print(key) : make_file(path, key);
	bytes_wipe(key, sizeof key);
	return made ? 0 : 1;
}
