/*
 * key_file.c: a key file of any kind, length and name gives K = SHA-256 of every byte of it. Input: a byte of which bit
 * 0 says that it is a pipe, and the other bits how much of the rest, 127 at most, is its name; then what it holds.
 */
#define _GNU_SOURCE /* memfd_create */
#include "daemon/key_file.h"
#include "daemon/key_set.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "text.h"

enum { PIPE_ROOM = 32768, NAME_ROOM = 128 };

static char folder[] = "/tmp/spiped-fuzz-XXXXXX";

static void
leave_folder(void)
{
	(void)rmdir(folder);
}

static int
file_with(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("key", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, bytes, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int
pipe_with(const uint8_t *bytes, size_t size)
{
	int fds[2];

	check(pipe(fds) == 0 && write(fds[1], bytes, size) == (ssize_t)size && close(fds[1]) == 0);
	return fds[0];
}

/* A path in a folder of our own that leads to the descriptor; false: the system takes no such name. */
static bool
link_to(int fd, const uint8_t *name, size_t length, char path[256])
{
	char target[64], text[NAME_ROOM];

	memcpy(text, name, length);
	text[length] = '\0';
	if (text[0] == '\0' || strchr(text, '/') != NULL)
		(void)snprintf(text, sizeof text, "key");
	(void)snprintf(target, sizeof target, "/proc/self/fd/%d", fd);
	(void)snprintf(path, 256, "%s/%s", folder, text);
	return symlink(target, path) == 0;
}

/* The key, and a name for logs: printable without spaces; what is so already is kept, as long as it fits. */
static void
check_key(const struct key *key, const char *path, const uint8_t *bytes, size_t size)
{
	const char *name = strrchr(path, '/') + 1, *text = key->name->text;
	size_t length = strlen(name);
	uint8_t expected[32];

	check(EVP_Digest(bytes, size, expected, NULL, EVP_sha256(), NULL) == 1);
	check(memcmp(key->k, expected, sizeof expected) == 0);
	check(strlen(text) == (length < KEY_NAME_MAX ? length : KEY_NAME_MAX));
	for (size_t i = 0; text[i] != '\0'; i++) {
		check(text[i] > ' ' && text[i] <= '~');
		check(text[i] == name[i] || (text[i] == '_' && (name[i] <= ' ' || name[i] > '~')));
	}
}

static void
read_it(const char *path, const uint8_t *bytes, size_t size, bool is_file)
{
	static struct key_set set;
	struct key_file file;
	char *said;

	messages_catch("fuzz");
	check(key_file_check(&file, path));
	check(!is_file || (file.is_read && file.length == size));
	check(key_set_open(&set, &path, 1, KEYS_OF_CLIENT) && set.ring->count == 1);
	check_key(&set.ring->keys[0], path, bytes, size);
	key_set_keep(&set); /* it moves */
	check_key(&set.ring->keys[0], path, bytes, size);
	said = messages_taken();
	/* Too short is said, in one line; nothing else is said of a file that only its owner can read. */
	if (size < KEY_FILE_LENGTH)
		check(strncmp(said, "fuzz: warning: key file ", 24) == 0 &&
		      strchr(said, '\n') == said + strlen(said) - 1);
	else
		check(said[0] == '\0');
	free(said);
	key_set_forget(&set);
	check(set.ring == NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t name_length, length;
	const uint8_t *bytes;
	char path[256];
	bool is_pipe;
	int fd;

	if (strstr(folder, "XXXXXX") != NULL)
		check(mkdtemp(folder) != NULL && atexit(leave_folder) == 0);
	if (size == 0)
		return 0;
	is_pipe = (data[0] & 1) != 0;
	name_length = data[0] / 2u < size - 1 ? data[0] / 2u : size - 1;
	bytes = data + 1 + name_length;
	length = size - 1 - name_length;
	if (is_pipe && length > PIPE_ROOM)
		length = PIPE_ROOM;
	fd = is_pipe ? pipe_with(bytes, length) : file_with(bytes, length);
	check(fchmod(fd, S_IRUSR | S_IWUSR) == 0);
	if (link_to(fd, data + 1, name_length, path)) {
		read_it(path, bytes, length, !is_pipe);
		check(unlink(path) == 0);
	}
	(void)close(fd);
	return 0;
}
