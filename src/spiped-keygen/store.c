/* store.c: see store.h. */
#include "spiped-keygen/store.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/hash.h"
#include "daemon/key_file.h"
#include "daemon/key_folder.h"
#include "daemon/key_set.h"
#include "daemon/message.h"
#include "spiped-keygen/file.h"

enum { FINGERPRINT = 8 };

/* DIR/NAME.key. false: that is no name for a key, and one line has said so. */
static bool
path_of(const char *folder, const char *name, char path[2 * PATH_MAX])
{
	if (!key_folder_is_name(name, strlen(name)))
		return message_error(
		    "%s: a key's name has up to %d letters, digits and ._- and no dot in front", name, KEY_NAME_MAX);
	(void)snprintf(path, 2 * PATH_MAX, "%s/%s.key", folder, name);
	return true;
}

/* Output that nobody got is a failure like any other. */
static bool
said_all(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	return file_cannot("write", "standard output", errno);
}

/* Two shells read it, the second on the other side of ssh: '' is for the first, each backslash for the second. */
static void
print_for_shells(const char *path)
{
	static const char special[] = " \t!\"#$&'()*;<>?[\\]^`{|}~";
	const char *quote = strpbrk(path, special) == NULL ? "" : "'";

	(void)fputs(quote, stdout);
	for (; *path != '\0'; path++)
		(void)printf(strchr(special, *path) == NULL ? "%c" : *path == '\'' ? "\\'\\'%c" : "\\%c", *path);
	(void)fputs(quote, stdout);
}

bool
store_add(const char *folder, const char *name, const uint8_t *key)
{
	char path[2 * PATH_MAX], whole[PATH_MAX];
	struct stat status, made;

	if (!path_of(folder, name, path))
		return false;
	if (mkdir(folder, S_IRWXU) == 0)
		(void)file_sync_folder_of(folder);
	else if (errno != EEXIST)
		return file_cannot("create", folder, errno);
	if (realpath(folder, whole) == NULL || stat(whole, &status) != 0)
		return file_cannot("open", folder, errno);
	/* Whoever owns the folder is who reads the keys. */
	if (!file_make(path, key, status.st_uid, status.st_gid))
		return false;
	(void)snprintf(path, sizeof path, "%s/%s.key", whole, name);
	(void)printf("%s is the key of %s.\n", path, name);
	if (stat(path, &made) == 0 && made.st_uid != status.st_uid)
		message_warning(
		    "%s could not be given to the folder's owner, whose spiped cannot read it: chown it", path);
	else
		(void)printf(
		    "A spiped -d with -k %s takes it in a second or two; SIGHUP makes it look at once.\n", whole);
	(void)printf("On %s, with HOST for this machine and PORT for where spiped listens:\n"
		     "\n"
		     "    (umask 077; ssh root@HOST cat ",
	    name);
	print_for_shells(path);
	(void)printf(" > spiped.key)\n"
		     "    spipe -t HOST:PORT -k spiped.key\n"
		     "\n"
		     "or, for whatever connects to port 8025 there:\n"
		     "\n"
		     "    spiped -e -s '[127.0.0.1]:8025' -t HOST:PORT -k spiped.key\n");
	if (said_all())
		return true;
	(void)unlink(path);
	return false;
}

static bool
print_key(const char *folder, const struct key *key)
{
	static const uint8_t label[] = "spiped key fingerprint";
	char path[2 * PATH_MAX], date[16], print[2 * FINGERPRINT + 1];
	uint8_t mac[HASH_SIZE];
	struct stat status;
	struct tm utc;

	(void)snprintf(path, sizeof path, "%s/%s.key", folder, key->name->text);
	if (stat(path, &status) != 0)
		return errno == ENOENT || file_cannot("open", path, errno); /* it has just gone */
	if (hash_hmac(key->k, WIRE_KEY, label, sizeof label - 1, mac) != OK)
		return file_cannot("hash", path, EIO);
	for (size_t i = 0; i < FINGERPRINT; i++)
		(void)snprintf(print + 2 * i, 3, "%02x", mac[i]);
	(void)strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&status.st_mtime, &utc));
	(void)printf("%-24s %s  %s  %04o\n", key->name->text, print, date, (unsigned)status.st_mode & 07777);
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp((*(const struct key *const *)a)->name->text, (*(const struct key *const *)b)->name->text);
}

bool
store_list(const char *folder)
{
	static struct key_set set;
	static const struct key *sorted[KEY_SET_MAX];
	char whole[PATH_MAX];
	const char *const path = whole; /* never "-" or the like */
	struct stat status;
	bool done = true;
	size_t count;

	if (realpath(folder, whole) == NULL || stat(whole, &status) != 0)
		return file_cannot("open", folder, errno);
	if (!S_ISDIR(status.st_mode))
		return file_cannot("list", folder, ENOTDIR);
	if (!key_set_open(&set, &path, 1, KEYS_OF_SERVER)) /* it says what is wrong, two names of one key too */
		return false;
	count = set.ring->count;
	for (size_t i = 0; i < count; i++)
		sorted[i] = &set.ring->keys[i];
	qsort(sorted, count, sizeof(void *), by_name);
	for (size_t i = 0; i < count; i++)
		done = print_key(folder, sorted[i]) && done;
	key_set_forget(&set);
	return said_all() && done;
}

/* Warns of each other name with the key in file: it lets its owner in still. Returns how many there are. */
static int
warn_of_others(const char *folder, const char *file)
{
	uint8_t key[WIRE_KEY], other[WIRE_KEY];
	char path[2 * PATH_MAX];
	struct key_file info;
	struct dirent **files;
	int count = key_folder_list(folder, KEY_FOLDER_KEYS, &files), others = 0;
	bool is_key = key_file_read_member(&info, file, key) == 0 && info.length >= KEY_FILE_LENGTH;

	for (int i = 0; i < count && is_key; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		if (key_file_read_member(&info, path, other) != 0 || !bytes_equal(key, other, WIRE_KEY))
			continue;
		message_warning("%s is the same key, and stays good until it is taken away too", path);
		others++;
	}
	bytes_wipe(key, sizeof key);
	bytes_wipe(other, sizeof other);
	key_folder_free(files, count);
	return others;
}

bool
store_revoke(const char *folder, const char *name)
{
	char from[2 * PATH_MAX], to[2 * PATH_MAX], when[24];
	time_t now = time(NULL);
	struct stat status;
	struct tm utc;
	int error;

	if (!path_of(folder, name, from))
		return false;
	if (lstat(from, &status) != 0)
		return file_cannot("open", from, errno);
	(void)snprintf(to, sizeof to, "%s/.revoked", folder);
	if (mkdir(to, S_IRWXU) != 0 && errno != EEXIST)
		return file_cannot("create", to, errno);
	(void)strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", gmtime_r(&now, &utc));
	(void)snprintf(to, sizeof to, "%s/.revoked/%s.key", folder, name);
	for (int again = 1; lstat(to, &status) == 0; again++) /* it was revoked before, and made again */
		(void)snprintf(to, sizeof to, again == 1 ? "%s/.revoked/%s-%s.key" : "%s/.revoked/%s-%s-%d.key", folder,
		    name, when, again);
	if (rename(from, to) != 0)
		return file_cannot("move", from, errno);
	error = file_sync_folder_of(to);
	if (error == 0)
		error = file_sync_folder_of(from);
	if (error != 0)
		return file_cannot("write", from, error);
	(void)printf("%s is taken away; its file is %s now.\n", name, to);
	if (warn_of_others(folder, to) == 0)
		(void)printf(
		    "A spiped -d with -k %s refuses it in a second or two, or at once after SIGHUP.\n"
		    "What %s has open stays open until it ends, and the log lists it (revoked); with --close-revoked\n"
		    "spiped ends it. A spiped that was started with this one file keeps it until it is started "
		    "again.\n",
		    folder, name);
	return said_all();
}
