/* main.c: spiped-keygen: a new key file, whole and on the disk, or none; and what is done with a folder of them. */
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/random.h"
#include "daemon/arguments.h"
#include "daemon/key_file.h"
#include "daemon/message.h"
#include "daemon/process.h"
#include "spiped-keygen/file.h"
#include "spiped-keygen/store.h"

/* Each NULL where not given. */
struct options {
	const char *directory, *list, *revoke;
};

static const struct argument table[] = {
    {'d', "directory", "DIR", "make NAME's key in a folder of keys", NULL, ARGUMENT(TEXT, directory, 0, 0)},
    {0, "list", "DIR", "list its keys: name, fingerprint, date and mode", "d", ARGUMENT(TEXT, list, 0, 0)},
    {0, "revoke", "DIR", "take NAME's key away", "d", ARGUMENT(TEXT, revoke, 0, 0)},
};

static const char usage[] = "usage: spiped-keygen {FILE | -}\n"
			    "       spiped-keygen -d DIR NAME\n"
			    "       spiped-keygen --list DIR\n"
			    "       spiped-keygen --revoke DIR NAME\n"
			    "       spiped-keygen -v | --version | --help\n";

static const char about[] =
    "Writes a new key for spiped and spipe, 32 random bytes, into FILE (mode 0600; a file that is\n"
    "there is never touched) or to standard output. Both ends of a pipe need the same file. DIR is\n"
    "a folder of keys, one a client, that spiped -d -k DIR takes.\n";

static bool
print(const uint8_t *key)
{
	int error;

	if (isatty(STDOUT_FILENO))
		return message_error("A key is no text for a terminal: spiped-keygen FILE, or spiped-keygen - > FILE");
	error = file_write_whole(STDOUT_FILENO, key, KEY_FILE_LENGTH);
	return error == 0 || file_cannot("write", "standard output", error);
}

/* folder: NULL for a key of its own. */
static bool
make(const char *folder, const char *name)
{
	uint8_t key[KEY_FILE_LENGTH];
	bool made;

	if (random_bytes(key, sizeof key) != OK)
		return message_error("%s", error_text(ERROR_RANDOM));
	made = folder != NULL           ? store_add(folder, name, key)
	       : strcmp(name, "-") == 0 ? print(key)
					: file_make(name, key, (uid_t)-1, (gid_t)-1);
	bytes_wipe(key, sizeof key);
	return made;
}

int
main(int argc, char *argv[])
{
	const struct arguments_program program = {.name = "spiped-keygen",
	    .usage = usage,
	    .about = about,
	    .table = table,
	    .count = sizeof table / sizeof *table};
	struct arguments arguments;
	struct options options = {0};
	const char *name;
	int option;

	process_keep_standard_descriptors();
	process_forbid_dumps();
	message_start("spiped-keygen", stderr);
	arguments_start(&arguments, &program, argc, argv, stdout);
	while ((option = arguments_next(&arguments)) >= 0)
		if (!arguments_set(&arguments, option, &options))
			return 1;
	if (option == ARGUMENTS_OVER)
		return arguments.status;
	if ((options.list != NULL) + (options.revoke != NULL) + (options.directory != NULL) > 1 ||
	    argc - arguments.at != (options.list == NULL))
		return arguments_usage(&arguments);
	if (options.list != NULL)
		return store_list(options.list) ? 0 : 1;
	name = argv[arguments.at];
	if (options.revoke != NULL)
		return store_revoke(options.revoke, name) ? 0 : 1;
	return make(options.directory, name) ? 0 : 1;
}
