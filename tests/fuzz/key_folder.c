/*
 * key_folder.c: a folder of keys whose files come, change and go, read at the start and after each change. What is in
 * force is what a model of our own says. Input: changes, each a byte for the length of a file's name (0: no change, it
 * is read now), one for its kind, one for what it is full of, and the name.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/key_set.h"
#include "fuzz.h"
#include "text.h"

enum {
	FILES_MOST = 12,
	READINGS_MOST = 5,
	NAME_ROOM = 256,
	PATH_ROOM = 400,
	LARGEST = 1 << 20,
	SHORTEST = 32,
	FULL_MOST = 5000
};
enum kind { REGULAR, LINK, FOLDER, NOWHERE, LOOP, QUEUE, NONE, KINDS };

static const size_t lengths[] = {SHORTEST, 0, 1, SHORTEST - 1, SHORTEST + 1, FULL_MOST, LARGEST, LARGEST + 1};

struct file {
	char name[NAME_ROOM];
	enum kind kind; /* NONE: it is not there */
	uint8_t fill;
	size_t length;
};

/* A key as it ought to be in force. */
struct known {
	char name[NAME_ROOM];
	uint8_t k[32];
	struct key_name *real;
};

static struct file files[FILES_MOST];
static struct known known[FILES_MOST], now[FILES_MOST];
static size_t known_count, now_count;
static struct {
	unsigned added, changed, removed, stay, passed_over, mistakes, more;
} expected, said;
static char place[] = "/dev/shm/spiped-fuzz-XXXXXX", folder[sizeof place + 8];

static void
leave_place(void)
{
	(void)rmdir(folder);
	(void)rmdir(place);
}

static void
find_place(void)
{
	if (mkdtemp(place) == NULL) {
		memcpy(place, "/var/tmp/spiped-fuzz-XXXXXX", sizeof place);
		check(mkdtemp(place) != NULL);
	}
	(void)snprintf(folder, sizeof folder, "%s/keys", place);
	check(mkdir(folder, S_IRWXU) == 0 && atexit(leave_place) == 0);
}

/* The file itself, or what a link leads to. */
static void
path_of(const struct file *file, bool is_outside, char path[PATH_ROOM])
{
	if (is_outside)
		(void)snprintf(path, PATH_ROOM, "%s/%zu", place, (size_t)(file - files));
	else
		(void)snprintf(path, PATH_ROOM, "%s/%s", folder, file->name);
}

static void
take_away(struct file *file)
{
	char path[PATH_ROOM];

	path_of(file, false, path);
	if (file->kind == FOLDER)
		check(rmdir(path) == 0);
	else if (file->kind != NONE)
		check(unlink(path) == 0);
	path_of(file, true, path);
	check(unlink(path) == 0 || errno == ENOENT);
	file->kind = NONE;
}

static void
write_file(const char *path, const struct file *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
	uint8_t bytes[FULL_MOST];

	check(fd >= 0);
	memset(bytes, file->fill, sizeof bytes);
	if (file->length <= sizeof bytes) /* else it is full of zeros */
		check(write(fd, bytes, file->length) == (ssize_t)file->length);
	check(ftruncate(fd, (off_t)file->length) == 0 && close(fd) == 0);
}

static bool
put(struct file *file)
{
	char path[PATH_ROOM], outside[PATH_ROOM];

	path_of(file, false, path);
	path_of(file, true, outside);
	switch (file->kind) {
	case FOLDER:
		return mkdir(path, S_IRWXU) == 0;
	case NOWHERE:
		return symlink("nowhere", path) == 0;
	case LOOP:
		return symlink(file->name, path) == 0;
	case QUEUE:
		return mkfifo(path, S_IRUSR | S_IWUSR) == 0;
	case LINK:
		write_file(outside, file);
		return symlink(outside, path) == 0;
	case REGULAR:
		write_file(path, file);
		return true;
	case NONE:
	case KINDS:
		break;
	}
	return true;
}

/* Applies a change; whatever has no room changes nothing. */
static void
change(const uint8_t *name, size_t length, uint8_t kind, uint8_t fill)
{
	char text[NAME_ROOM] = {0};
	struct file *file = NULL;

	for (size_t i = 0; i < length; i++)
		text[i] = (char)(name[i] == 0 || name[i] == '/' ? '_' : name[i]);
	if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0 || strcmp(text, "nowhere") == 0)
		return;
	for (size_t i = 0; i < FILES_MOST; i++)
		if (strcmp(files[i].name, text) == 0)
			file = &files[i];
	for (size_t i = 0; i < FILES_MOST && file == NULL; i++)
		if (files[i].kind == NONE)
			file = &files[i];
	if (file == NULL)
		return;
	take_away(file);
	memcpy(file->name, text, sizeof text);
	file->kind = (enum kind)(kind % KINDS);
	file->fill = fill;
	file->length = lengths[kind / KINDS % (sizeof lengths / sizeof lengths[0])];
	check(put(file));
}

/* How long NAME of NAME.key is; 0: that is no key's file. */
static size_t
length_of_name(const char *file)
{
	const char *dot = strrchr(file, '.');
	size_t length = dot == NULL ? 0 : (size_t)(dot - file);

	if (dot == NULL || strcmp(dot, ".key") != 0 || length > 63 || file[0] == '.')
		return 0;
	for (size_t i = 0; i < length; i++) {
		char c = file[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
			c == '_' || c == '-'))
			return 0;
	}
	return length;
}

static void
hash(const struct file *file, uint8_t k[32])
{
	static uint8_t bytes[LARGEST];

	memset(bytes, file->length <= FULL_MOST ? file->fill : 0, file->length);
	check(EVP_Digest(bytes, file->length, k, NULL, EVP_sha256(), NULL) == 1);
}

static struct known *
find(struct known *all, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	return NULL;
}

static void
expect_of(const struct file *file, size_t length)
{
	struct known *key = &now[now_count], *before;

	*key = (struct known){.real = NULL};
	memcpy(key->name, file->name, length);
	before = find(known, known_count, key->name);
	if (file->kind == NOWHERE && before != NULL)
		return;
	if ((file->kind == REGULAR || file->kind == LINK) && file->length >= SHORTEST && file->length <= LARGEST) {
		hash(file, key->k);
		now_count++;
		expected.added += before == NULL;
		expected.changed += before != NULL && memcmp(before->k, key->k, sizeof key->k) != 0;
		return;
	}
	expected.passed_over += before == NULL;
	expected.stay += before != NULL;
	if (before != NULL)
		now[now_count++] = *before;
}

/* now and expected, from the files and from what was in force. */
static void
expect(void)
{
	unsigned mistakes = 0;

	memset(&expected, 0, sizeof expected);
	now_count = 0;
	for (size_t i = 0; i < FILES_MOST; i++) {
		const char *name = files[i].name;
		size_t length = length_of_name(name);

		if (files[i].kind == NONE)
			continue;
		if (length > 0)
			expect_of(&files[i], length);
		else
			mistakes += name[0] != '.' && name[0] != '#' && name[strlen(name) - 1] != '~';
	}
	for (size_t i = 0; i < known_count; i++)
		expected.removed += find(now, now_count, known[i].name) == NULL;
	expected.mistakes = mistakes < 4 ? mistakes : 4;
	expected.more = mistakes > 4;
}

static bool
ends(const char *text, size_t length, const char *end)
{
	return length >= strlen(end) && memcmp(text + length - strlen(end), end, strlen(end)) == 0;
}

static bool
starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* One line: of a change by its beginning, as its name may end like anything; else by its end, without a log's quote. */
static void
note(const char *line, size_t length)
{
	said.added += starts(line, "keys added=");
	said.changed += starts(line, "keys changed=");
	said.removed += starts(line, "keys removed=");
	if (starts(line, "keys ") && !starts(line, "keys problem="))
		return;
	length -= ends(line, length, "\"");
	said.stay += ends(line, length, ": its key stays as it was");
	said.passed_over += ends(line, length, ": it is passed over");
	said.mistakes += ends(line, length, "at most 63 of them") || ends(line, length, "..."); /* a long name */
	said.more += ends(line, length, " more are passed over");
}

static void
hear(void *context, enum log_level level, bool stranger, const char *line)
{
	check(context == NULL && level <= LOG_LEVEL_INFO && !stranger && fuzz_is_one_line(line));
	note(line, strlen(line));
}

static void
hear_messages(void)
{
	char *text = messages_taken();

	for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1)
		note(line, (size_t)(end - line));
	free(text);
}

/* What is in force is what is expected; who keeps a key keeps his name with it. */
static void
check_ring(const struct keyring *ring)
{
	check(ring->count == now_count);
	for (size_t i = 0; i < ring->count; i++) {
		struct known *key = find(now, now_count, ring->keys[i].name->text), *before;

		check(key != NULL && key->real == NULL && memcmp(key->k, ring->keys[i].k, sizeof key->k) == 0);
		key->real = ring->keys[i].name;
		check(!atomic_load(&key->real->is_revoked));
		before = find(known, known_count, key->name);
		if (before != NULL)
			check((before->real == key->real) == (memcmp(before->k, key->k, sizeof key->k) == 0));
	}
}

static void
open_it(struct key_set *set, const char *const paths[])
{
	static const struct log_sink log = {hear, NULL, LOG_LEVEL_DEBUG};

	known_count = 0;
	expect();
	messages_catch("fuzz");
	memset(&said, 0, sizeof said);
	check(key_set_check(paths, 1, KEYS_OF_SERVER));
	hear_messages();
	expected.added = 0; /* it starts with them */
	check(memcmp(&said, &expected, sizeof said) == 0);
	messages_catch("fuzz");
	memset(&said, 0, sizeof said);
	check(key_set_open(set, paths, 1, KEYS_OF_SERVER));
	hear_messages();
	check(memcmp(&said, &expected, sizeof said) == 0);
	set->log = &log;
	check_ring(set->ring);
}

static void
read_again(struct key_set *set)
{
	struct keyring *before = set->ring, *ring;

	expect();
	for (size_t i = 0; i < now_count; i++)
		now[i].real = NULL;
	counted_take(&before->counted); /* as a connection does */
	memset(&said, 0, sizeof said);
	ring = key_set_read_again(set, false);
	check(memcmp(&said, &expected, sizeof said) == 0);
	check((ring != NULL) == (said.added + said.changed + said.removed > 0));
	check_ring(set->ring);
	for (size_t i = 0; i < known_count; i++) {
		const struct known *key = find(now, now_count, known[i].name);

		check(atomic_load(&known[i].real->is_revoked) == (key == NULL || key->real != known[i].real));
	}
	counted_drop(&before->counted);
	if (ring != NULL)
		counted_drop(&ring->counted);
}

static void
read_it(struct key_set *set, const char *const paths[], int readings)
{
	if (readings == 0)
		open_it(set, paths);
	else
		read_again(set);
	memcpy(known, now, sizeof known);
	known_count = now_count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_set set;
	const char *const paths[] = {folder};
	int readings = 0;

	if (folder[0] == '\0')
		find_place();
	for (size_t i = 0; i < FILES_MOST; i++)
		files[i] = (struct file){.kind = NONE};
	while (size > 0 && readings < READINGS_MOST) {
		size_t length = *data++;

		size--;
		if (length == 0) {
			read_it(&set, paths, readings++);
			continue;
		}
		if (size < 2 + length)
			break;
		change(data + 2, length, data[0], data[1]);
		data += 2 + length;
		size -= 2 + length;
	}
	read_it(&set, paths, readings);
	key_set_forget(&set);
	for (size_t i = 0; i < FILES_MOST; i++)
		take_away(&files[i]);
	return 0;
}
