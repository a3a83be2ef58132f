/*
 * prove_key_read.c: src/daemon/key_read.c: one source, three and the most, the first time and again, with any outcome
 * of any call; folders with none to three files, of which some, all or none were keys before, and keys before whose
 * files are not listed. A folder has at most 2 keys here and not 4096, so that it may be full.
 */
#include <errno.h>

#include "daemon/key_set_parts.h"

enum { FULL = 2, NAMES = 4, ROOM = KEY_SOURCES_MAX, LISTED = 3, ERRNO_MAX = 4095, FAR = 2 * PATH_MAX };
#define KEY_SET_MAX FULL

#include "daemon/key_read.c"

#include "unknown_text.h"

struct ring {
	struct keyring keyring;
	size_t capacity;
	struct key keys[ROOM];
};

static struct ring before, after;
static struct key_name named[NAMES], made[2];
static struct dirent entries[NAMES];
static struct dirent *listed[LISTED];
static int listed_count;
static struct key_set set;
static char path[FAR + 1];

struct keyring *
key_ring_new(size_t capacity, bool is_hidden)
{
	//@ assert room: capacity <= ROOM;
	memset(&after, 0, sizeof after);
	after.capacity = capacity;
	after.keyring.counted.holders = 1;
	after.keyring.keys = after.keys;
	return unknown_bool() ? &after.keyring : NULL;
}

uint8_t *
key_ring_place(struct keyring *ring)
{
	//@ assert ring: ring == &after.keyring;
	return after.keys[after.keyring.count].k;
}

/* How many there are is looked at by itself. */
void
key_ring_add(struct keyring *ring, struct key_name *name)
{
	//@ assert name: valid_read_string(&name->text[0]);
	//@ assert room: ring == &after.keyring && after.keyring.count < after.capacity;
	size_t count = after.keyring.count;

	after.keys[count].name = name;
	after.keyring.count = count + 1;
	//@ split after.keyring.count;
}

void
key_ring_copy(struct keyring *ring, const struct key *key)
{
	//@ assert key: \valid_read(key);
	//@ assert name: key->name != \null;
	memcpy(key_ring_place(ring), key->k, WIRE_KEY);
	key_ring_add(ring, key->name);
}

struct key_name *
key_name_new(const char *text, size_t length)
{
	//@ assert text: \valid_read(text + (0 .. length - 1)) && \initialized(text + (0 .. length - 1));
	if (unknown_bool())
		return NULL;
	return unknown_bool() ? &made[0] : &made[1];
}

bool
bytes_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	//@ assert a: \valid_read(a + (0 .. length - 1)) && \initialized(a + (0 .. length - 1));
	//@ assert b: \valid_read(b + (0 .. length - 1)) && \initialized(b + (0 .. length - 1));
	return unknown_bool();
}

void
bytes_wipe(void *bytes, size_t length)
{
	//@ assert bytes: \valid((char *)bytes + (0 .. length - 1));
	memset(bytes, 0, length);
}

/* 0 or an errno; K in any case, or what it is wiped to. */
static int
outcome(struct key_file *file, const char *name, uint8_t k[WIRE_KEY])
{
	//@ assert path: valid_read_string(name);
	//@ assert room: \valid(k + (0 .. WIRE_KEY - 1));
	unknown_bytes(&file->length, sizeof file->length);
	file->path = name;
	file->is_read = unknown_bool();
	file->readable_by_others = unknown_bool();
	unknown_bytes(k, WIRE_KEY);
	return Frama_C_int_interval(0, ERRNO_MAX);
}

int
key_file_read(struct key_file *file, const char *name, uint8_t k[WIRE_KEY], const char **what)
{
	*what = "Error";
	return outcome(file, name, k);
}

int
key_file_read_member(struct key_file *file, const char *name, uint8_t k[WIRE_KEY])
{
	return outcome(file, name, k);
}

const char *
key_file_problem(int error)
{
	return "a problem";
}

const char *
key_file_title(const char *name)
{
	//@ assert path: valid_read_string(name);
	return unknown_bool() ? "standard input" : name;
}

bool
key_file_is_once(const char *name)
{
	//@ assert path: valid_read_string(name);
	return unknown_bool();
}

int
key_folder_list(const char *folder, enum key_folder_kind kind, struct dirent ***files)
{
	//@ assert folder: valid_read_string(folder);
	*files = listed;
	if (unknown_bool())
		return listed_count;
	*files = NULL;
	errno = Frama_C_int_interval(1, ERRNO_MAX);
	return -1;
}

bool
key_folder_has(struct dirent **files, int count, const char *name)
{
	//@ loop unroll LISTED;
	for (int i = 0; i < count; i++)
		if (strcmp(files[i]->d_name, name) == 0)
			return true;
	return false;
}

void
key_folder_free(struct dirent **files, int count)
{
	//@ assert files: files == &listed[0] && count == listed_count;
}

void
key_set_say(const struct key_set *ours, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
}

void
key_set_say_of_file(const struct key_set *ours, const struct key_file *file)
{
	//@ assert file: \initialized(&file->length) && \initialized(&file->readable_by_others);
	//@ assert path: valid_read_string(file->path);
}

void
key_set_say_of_mistakes(const struct key_set *ours, const char *folder)
{
	//@ assert folder: valid_read_string(folder);
}

void
key_set_say_of_rest(const struct key_set *ours, const char *folder, int count)
{
	//@ assert folder: valid_read_string(folder);
}

int
lstat(const char *name, struct stat *status)
{
	return stat(name, status);
}

/* A source's keys in the ring that is in force are those of mask; the first time it has none. */
static void
add_source(const char *name, bool is_folder, unsigned mask)
{
	struct key_source *source = &set.sources[set.count++];

	source->path = name;
	source->is_folder = is_folder;
	source->is_once = !is_folder && unknown_bool();
	source->first = before.keyring.count;
	//@ loop unroll NAMES;
	for (size_t i = 0; i < NAMES; i++)
		if (mask & 1U << i) {
			struct key *key = &before.keys[before.keyring.count++];

			key->name = &named[i];
			unknown_bytes(key->k, sizeof key->k);
		}
	source->count = before.keyring.count - source->first;
}

static void
start(unsigned files)
{
	set.count = before.keyring.count = 0;
	before.keyring.keys = before.keys;
	listed_count = 0;
	//@ loop unroll NAMES;
	for (size_t i = 0; i < NAMES; i++)
		if (files & 1U << i)
			listed[listed_count++] = &entries[i];
}

static void
read_all(bool is_again)
{
	const struct keyring *ring;

	set.ring = is_again ? &before.keyring : NULL;
	set.user = unknown_bool() ? KEYS_OF_SERVER : KEYS_OF_SPIPE;
	set.is_one_of_several = unknown_bool();
	ring = key_set_read(&set, unknown_bool());
	//@ assert full: ring == \null || ring->count <= after.capacity;
	//@ merge after.keyring.count;
	//@ slevel merge;
}

/* files: which are listed; keys: which were before. */
static void
folder(unsigned files, unsigned keys, bool is_again)
{
	start(files);
	add_source(path + FAR - 1, true, keys);
	read_all(is_again);
	//@ slevel merge;
}

static void
several(bool is_again)
{
	start(3);
	add_source(path + FAR - 2, false, is_again ? 4 : 0);
	add_source(path, true, is_again ? 5 : 0);
	add_source(path, false, is_again ? 8 : 0);
	read_all(is_again);
	//@ slevel merge;
}

static void
the_most(bool is_again)
{
	start(0);
	//@ loop unroll KEY_SOURCES_MAX;
	for (size_t i = 0; i < KEY_SOURCES_MAX; i++)
		add_source("-", false, is_again ? 1 : 0);
	read_all(is_again);
	//@ slevel merge;
}

static void
name_all(void)
{
	//@ loop unroll NAMES;
	for (size_t i = 0; i < NAMES; i++) {
		char *text = named[i].text;

		memset(text, 'x', i % 2 == 0 ? 1 : KEY_NAME_MAX);
		text[0] = (char)('a' + i);
		(void)snprintf(entries[i].d_name, sizeof entries[i].d_name, "%s.key", text);
	}
	unknown_text(made[0].text, 1, '\0');
	unknown_text(made[1].text, KEY_NAME_MAX, '\0');
}

int
main(void)
{
	static const unsigned files[] = {0, 1, 3, 7}, keys[] = {0, 1, 3, 9, 12};

	name_all();
	memset(path, 'x', FAR);
	unknown_text(path + FAR - 2, 2, '\0');
	the_most(false);
	the_most(true);
	//@ loop unroll 4;
	for (size_t i = 0; i < 4; i++) {
		folder(files[i], 0, false);
		//@ loop unroll 5;
		for (size_t j = 0; j < 5; j++)
			folder(files[i], keys[j], true);
	}
	several(false);
	several(true);
	return 0;
}
