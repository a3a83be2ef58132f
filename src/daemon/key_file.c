/* key_file.c: from a key file to K. */
#include "daemon/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "daemon/message.h"

static bool
is_standard_input(const char *path)
{
	return strcmp(path, "-") == 0;
}

static struct key *
new_key(void)
{
	void *memory = mmap(NULL, sizeof(struct key), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	(void)madvise(memory, sizeof(struct key), MADV_DONTDUMP);
	return memory;
}

/* In memory that nobody else sees, not the kernel either: locked, and in no core dump. NULL: there is none here. */
static struct key *
new_secret_key(void)
{
	void *memory = MAP_FAILED;
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, sizeof(struct key)) == 0)
		memory = mmap(NULL, sizeof(struct key), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
#endif
	return memory == MAP_FAILED ? NULL : memory;
}

static void
lock(struct key *key)
{
	if (key != NULL)
		(void)mlock(key, sizeof *key); /* where no memory may be locked, it works all the same */
}

/* Not earlier than after the fork: that memory would be one for both processes, and the parent wipes its own. */
void
key_file_keep(struct key_file *file)
{
	struct key *key = file->key, *secret = key == NULL ? NULL : new_secret_key();

	if (secret == NULL) {
		lock(key);
		return;
	}
	*secret = *key;
	key_file_forget(file);
	file->key = secret;
}

void
key_file_forget(struct key_file *file)
{
	if (file->key == NULL)
		return;
	bytes_wipe(file->key, sizeof *file->key);
	(void)munmap(file->key, sizeof *file->key);
	file->key = NULL;
}

/* The last part of the path, for log lines: what is not printable becomes '_'. */
static void
name_key(struct key *key, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = is_standard_input(path) ? "stdin" : slash != NULL ? slash + 1 : path;
	size_t length = 0;

	for (; length < KEY_NAME_MAX && name[length] != '\0'; length++)
		key->name[length] = name[length] > ' ' && name[length] <= '~' ? name[length] : '_';
	if (length == 0)
		key->name[length++] = '_';
	key->name[length] = '\0';
}

static bool
note_status(struct key_file *file, int fd, struct stat *status)
{
	if (fstat(fd, status) != 0)
		return false;
	file->readable_by_others = S_ISREG(status->st_mode) && (status->st_mode & (S_IRGRP | S_IROTH)) != 0;
	return true;
}

/* 0, or an errno. */
static int
hash_descriptor(struct key_file *file, int fd)
{
	uint8_t bytes[4096];
	struct hash_stream *stream = hash_stream_new();
	enum error error = OK;
	ssize_t length = 0;
	int system_error = 0;

	if (stream == NULL)
		return ENOMEM;
	while (error == OK && ((length = read(fd, bytes, sizeof bytes)) > 0 || (length < 0 && errno == EINTR))) {
		if (length < 0)
			continue;
		file->length += (uint64_t)length;
		error = hash_stream_add(stream, bytes, (size_t)length);
	}
	if (length < 0)
		system_error = errno;
	bytes_wipe(bytes, sizeof bytes);
	if (system_error != 0 || error != OK) {
		hash_stream_drop(stream);
		return system_error != 0 ? system_error : EIO;
	}
	return hash_stream_finish(stream, file->key->k) == OK ? 0 : EIO;
}

static int
open_file(const char *path)
{
	int fd;

	if (is_standard_input(path))
		return STDIN_FILENO;
	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	return fd;
}

static bool
cannot(const char *what, const char *path, int error)
{
	message_error("%s: %s: %s", what, is_standard_input(path) ? "standard input" : path, strerror(error));
	return false;
}

bool
key_file_read(struct key_file *file, const char *path)
{
	int fd = open_file(path), error;
	struct stat status;

	*file = (struct key_file){.path = path};
	if (fd < 0)
		return cannot("Cannot open file", path, errno);
	file->key = new_key();
	lock(file->key);
	error = file->key == NULL ? ENOMEM : !note_status(file, fd, &status) ? errno : hash_descriptor(file, fd);
	if (!is_standard_input(path))
		(void)close(fd);
	if (error != 0) {
		key_file_forget(file);
		return cannot("Error reading file", path, error);
	}
	name_key(file->key, path);
	file->is_read = true;
	return true;
}

bool
key_file_check(struct key_file *file, const char *path)
{
	struct stat status;
	int fd, error;

	*file = (struct key_file){.path = path};
	if (is_standard_input(path))
		return true;
	/* Whoever waits at the other end of a FIFO would see that it was opened. */
	if (stat(path, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode)))
		return access(path, R_OK) == 0 || cannot("Cannot open file", path, errno);
	fd = open_file(path);
	if (fd < 0)
		return cannot("Cannot open file", path, errno);
	error = !note_status(file, fd, &status) ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
	(void)close(fd);
	if (error != 0)
		return cannot("Error reading file", path, error);
	/* It is not read: the file system would note when it was. */
	file->is_read = S_ISREG(status.st_mode);
	file->length = (uint64_t)status.st_size;
	return true;
}

void
key_file_warn(const struct key_file *file)
{
	const char *name = is_standard_input(file->path) ? "standard input" : file->path;

	if (file->is_read && file->length < KEY_FILE_LENGTH)
		message_warning("key file %s has %" PRIu64 " bytes: use at least %d (spiped-keygen makes a good one)",
		    name, file->length, KEY_FILE_LENGTH);
	if (file->readable_by_others)
		message_warning("key file %s can be read by others: chmod 600 makes it private", name);
}
