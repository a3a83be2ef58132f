/*
 * prove_keygen.c: src/spiped-keygen/main.c with any options and operands, and any failure at any call. Its main() is
 * called like any other function; what it calls of file.c and store.c reads its path or name and fails or not.
 */
#include "arguments.h"
#include "crypto/random.h"
#include "daemon/key_file.h"
#include "daemon/process.h"
#include "spiped-keygen/file.h"
#include "spiped-keygen/store.h"
#include "unknown_text.h"

enum { FEW = 3 };

int main(int argc, char *argv[]);

static char text[FEW + 1];
const char *argument_text = text;

void
process_keep_standard_descriptors(void)
{
}

void
process_forbid_dumps(void)
{
}

enum error
random_bytes(uint8_t *bytes, size_t length)
{
	//@ assert room: \valid(bytes + (0 .. length - 1));
	if (unknown_bool())
		return ERROR_RANDOM;
	unknown_bytes(bytes, length);
	return OK;
}

/*@ requires path: valid_read_string(path) && valid_read_string(what); */
bool
file_cannot(const char *what, const char *path, int error)
{
	return false;
}

/*@ requires bytes: \valid_read(bytes + (0 .. length - 1)) && \initialized(bytes + (0 .. length - 1)); */
int
file_write_whole(int fd, const uint8_t *bytes, size_t length)
{
	return unknown_bool() ? 0 : Frama_C_int_interval(1, 4095);
}

/*@ requires path: valid_read_string(path);
    requires key: \valid_read(key + (0 .. 31)) && \initialized(key + (0 .. 31)); */
bool
file_make(const char *path, const uint8_t *key, uid_t owner, gid_t group)
{
	return unknown_bool();
}

/*@ requires path: valid_read_string(folder) && valid_read_string(name);
    requires key: \valid_read(key + (0 .. 31)) && \initialized(key + (0 .. 31)); */
bool
store_add(const char *folder, const char *name, const uint8_t *key)
{
	return unknown_bool();
}

/*@ requires path: valid_read_string(folder); */
bool
store_list(const char *folder)
{
	return unknown_bool();
}

/*@ requires path: valid_read_string(folder) && valid_read_string(name); */
bool
store_revoke(const char *folder, const char *name)
{
	return unknown_bool();
}

static void
keygen(int argc, size_t length)
{
	char *argv[] = {"spiped-keygen", text + FEW - length, "more", "still more", NULL};

	argv[argc] = NULL;
	(void)main(argc, argv);
	//@ slevel merge;
}

int
prove(void)
{
	unknown_text(text, FEW, '\0');
	//@ loop unroll 5;
	for (int argc = 0; argc <= 4; argc++)
		keygen(argc, FEW);
	keygen(2, 0);
	keygen(2, 1);
	return 0;
}
