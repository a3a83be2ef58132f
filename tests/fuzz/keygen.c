/*
 * keygen.c: spiped-keygen's whole main, with the calls that touch the machine replaced: it writes 32 bytes into the one
 * file that it was told, or nothing at all; what is done with folders is only asked for. Input: a byte (bits 0 to 3:
 * which call fails), then texts, one an argument.
 */
#define _GNU_SOURCE /* memfd_create */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/arguments.h"
#include "daemon/process.h"
#include "fuzz.h"
#include "spiped-keygen/store.h"
#include "text.h"

enum { KEY_LENGTH = 32 };

int keygen_main(int argc, char *argv[]);

/*
 * The machine as it sees it: one file and one directory can be opened, and everything can fail. The fuzzer in the same
 * program has the real one: is_on only while keygen_main runs.
 */
static struct {
	bool is_on;
	uint8_t failing;
	const char *path; /* what was created */
	int file;
	bool is_unlinked;
	uint8_t random[KEY_LENGTH];
	size_t printed;
	int asked; /* for something to be done with a folder */
} machine;

int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_open64(const char *path, int flags, ...);
int __wrap_fsync(int fd);
int __real_fsync(int fd);
int __wrap_unlink(const char *path);
int __real_unlink(const char *path);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __real_write(int fd, const void *bytes, size_t length);
int __wrap_isatty(int fd);
int __real_isatty(int fd);
enum error __wrap_random_bytes(uint8_t *bytes, size_t length);
void __wrap_process_keep_standard_descriptors(void);
void __wrap_process_forbid_dumps(void);
void __wrap_message_start(const char *program, FILE *stream);
void __wrap_arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out);
void __real_arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out);

static bool
fails(unsigned bit)
{
	errno = EIO;
	return (machine.failing >> bit & 1) != 0;
}

static int
open_for_keygen(const char *path, int flags)
{
	if ((flags & O_DIRECTORY) != 0)
		return memfd_create("directory", MFD_CLOEXEC);
	check((flags & O_EXCL) != 0 && (flags & O_CREAT) != 0 && machine.path == NULL);
	if (fails(0))
		return -1;
	machine.path = path;
	machine.file = memfd_create("key", MFD_CLOEXEC);
	check(machine.file >= 0);
	return dup(machine.file);
}

int
__wrap_open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	if (machine.is_on)
		return open_for_keygen(path, flags);
	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t); /* rubbish, and not looked at, where none was given */
	va_end(arguments);
	return __real_open64(path, flags, mode);
}

int
__wrap_open(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return __wrap_open64(path, flags, mode);
}

int
__wrap_fsync(int fd)
{
	if (!machine.is_on)
		return __real_fsync(fd);
	return fails(1) ? -1 : 0;
}

int
__wrap_unlink(const char *path)
{
	if (!machine.is_on)
		return __real_unlink(path);
	check(machine.path != NULL && strcmp(path, machine.path) == 0);
	machine.is_unlinked = true;
	return 0;
}

/* A short one and an interrupted one are no failures. */
ssize_t
__wrap_write(int fd, const void *bytes, size_t length)
{
	if (!machine.is_on)
		return __real_write(fd, bytes, length);
	if (fails(2))
		return -1;
	if (fd == STDOUT_FILENO) {
		machine.printed += length;
		return (ssize_t)length;
	}
	return __real_write(fd, bytes, length > 20 ? 20 : length);
}

int
__wrap_isatty(int fd)
{
	return machine.is_on ? fails(3) : __real_isatty(fd);
}

enum error
__wrap_random_bytes(uint8_t *bytes, size_t length)
{
	check(length == KEY_LENGTH);
	memset(machine.random, 0x5a, KEY_LENGTH);
	memcpy(bytes, machine.random, KEY_LENGTH);
	return OK;
}

void
__wrap_process_keep_standard_descriptors(void)
{
}

void
__wrap_process_forbid_dumps(void)
{
}

void
__wrap_message_start(const char *program, FILE *stream)
{
	(void)program; /* so nothing is said */
	(void)stream;
}

void
__wrap_arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out)
{
	static FILE *nowhere;

	(void)out;
	if (nowhere == NULL)
		nowhere = fopen("/dev/null", "w");
	check(nowhere != NULL);
	__real_arguments_start(arguments, program, argc, argv, nowhere);
}

static bool
ask(const char *folder, const char *name)
{
	check(folder != NULL && name != NULL && machine.asked++ == 0 && machine.path == NULL);
	return !fails(0);
}

bool
store_add(const char *folder, const char *name, const uint8_t *key)
{
	check(memcmp(key, machine.random, KEY_LENGTH) == 0);
	return ask(folder, name);
}

bool
store_list(const char *folder)
{
	return ask(folder, "");
}

bool
store_revoke(const char *folder, const char *name)
{
	return ask(folder, name);
}

/* The file holds the whole key and is its owner's alone. */
static void
check_file(void)
{
	uint8_t bytes[KEY_LENGTH + 1];
	struct stat status;

	check(pread(machine.file, bytes, sizeof bytes, 0) == KEY_LENGTH);
	check(memcmp(bytes, machine.random, KEY_LENGTH) == 0);
	check(fstat(machine.file, &status) == 0 && (status.st_mode & 0777) == (S_IRUSR | S_IWUSR));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct texts texts;
	int status;

	if (size == 0)
		return 0;
	memset(&machine, 0, sizeof machine);
	machine.failing = data[0];
	texts_cut(&texts, 1, data + 1, size - 1);
	texts.each[0] = texts.memory + size - 1;
	machine.is_on = true;
	status = keygen_main((int)texts.count, texts.each);
	machine.is_on = false;
	check(status == 0 || status == 1);
	if (machine.asked > 0)
		check(machine.path == NULL && machine.printed == 0 && (status == 0) == !fails(0));
	if (machine.path != NULL && status == 0) {
		check(!machine.is_unlinked && machine.printed == 0);
		check_file();
	}
	if (status != 0)
		check(machine.path == NULL || machine.is_unlinked);
	check(machine.printed == 0 || (machine.printed == KEY_LENGTH && machine.path == NULL));
	if (machine.path != NULL)
		(void)close(machine.file);
	texts_free(&texts);
	return 0;
}
