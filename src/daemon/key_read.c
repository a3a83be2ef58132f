/* key_read.c: reads the keys of every source, beside those that are in force: what cannot be read stays as it was. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "daemon/key_folder.h"
#include "daemon/key_ring.h"
#include "daemon/key_set_parts.h"
#include "daemon/message.h"

/* One reading: what comes of it, beside what was there before. */
struct reading {
	struct key_set *set;
	struct keyring *ring;
	const struct keyring *before; /* NULL: nothing */
	struct key_source *source;
	bool files_too;
};

/* The key that the source had by this name, or NULL. */
static const struct key *
find(const struct reading *reading, const char *name)
{
	const struct key_source *source = reading->source;
	size_t end = reading->before == NULL ? 0 : source->first + source->count;

	for (size_t i = source->first; i < end; i++)
		if (strcmp(reading->before->keys[i].name->text, name) == 0)
			return &reading->before->keys[i];
	return NULL;
}

/* Two names with the same key: nobody can tell which of them it is that connects. */
static void
warn_of_twins(const struct reading *reading)
{
	const struct keyring *ring = reading->ring;
	const struct key *last = &ring->keys[ring->count - 1];

	for (size_t i = 0; i + 1 < ring->count; i++)
		if (ring->keys[i].name != last->name && bytes_equal(ring->keys[i].k, last->k, WIRE_KEY)) {
			key_set_say(reading->set, "%s and %s are the same key: connections of both are called %s",
			    ring->keys[i].name->text, last->name->text, last->name->text);
			return; /* thousands of them would have millions of pairs */
		}
}

static bool
is_known(const struct reading *reading, const struct key *before)
{
	return before != NULL && bytes_equal(before->k, key_ring_place(reading->ring), WIRE_KEY);
}

/* Takes over what stands at key_ring_place(), a key that this name has not had. false: no memory. */
static bool
add(struct reading *reading, const char *text)
{
	struct key_name *name = key_name_new(text, strlen(text));

	if (name == NULL) {
		bytes_wipe(key_ring_place(reading->ring), WIRE_KEY);
		return false;
	}
	key_ring_add(reading->ring, name);
	warn_of_twins(reading);
	return true;
}

static void
keep_all(struct reading *reading)
{
	const struct key_source *source = reading->source;

	for (size_t i = source->first; i < source->first + source->count; i++)
		key_ring_copy(reading->ring, &reading->before->keys[i]);
}

/* What cannot be read changes nothing; what is not there any more is gone, whatever else is wrong. */
static void
read_member(struct reading *reading, const char *file, const char *name, const struct key *before)
{
	char path[2 * PATH_MAX];
	struct key_file info;
	struct stat status;
	int error;

	(void)snprintf(path, sizeof path, "%s/%s", reading->source->path, file);
	error = key_file_read_member(&info, path, key_ring_place(reading->ring));
	/* A link that changed on the way led to what was there before: only what is not there twice is gone. */
	if (error == ENOENT)
		error = key_file_read_member(&info, path, key_ring_place(reading->ring));
	if (error == ENOENT && (before != NULL || lstat(path, &status) != 0)) /* else a link that leads nowhere */
		return;
	if (error == 0 && info.length < KEY_FILE_LENGTH)
		error = ENODATA;
	if (error == 0 && !is_known(reading, before)) {
		if (add(reading, name)) {
			key_set_say_of_file(reading->set, &info);
			return;
		}
		error = ENOMEM;
	}
	if (error != 0)
		key_set_say(reading->set, "%s: %s: %s", path, key_file_problem(error),
		    before != NULL ? "its key stays as it was" : "it is passed over");
	if (before != NULL)
		key_ring_copy(reading->ring, before);
}

/* That a file is not listed does not mean that it is gone: it is opened all the same. */
static void
read_unlisted(struct reading *reading, struct dirent **files, int count)
{
	const struct key_source *source = reading->source;
	size_t end = reading->before == NULL ? 0 : source->first + source->count;

	for (size_t i = source->first; i < end; i++) {
		const struct key *before = &reading->before->keys[i];
		char file[KEY_NAME_MAX + KEY_FOLDER_SUFFIX + 1];

		(void)snprintf(file, sizeof file, "%s.key", before->name->text);
		if (!key_folder_has(files, count, file))
			read_member(reading, file, before->name->text, before);
	}
}

/* Those whose key is in force come first, so that a folder which is too full locks nobody out. */
static void
read_members(struct reading *reading, struct dirent **files, int count)
{
	size_t first = reading->ring->count;
	int left_out = 0;

	read_unlisted(reading, files, count);
	for (int new_ones = 0; new_ones <= 1; new_ones++) {
		for (int i = 0; i < count; i++) {
			char name[KEY_NAME_MAX + 1];
			const struct key *before;

			(void)snprintf(name, sizeof name, "%.*s", (int)(strlen(files[i]->d_name) - KEY_FOLDER_SUFFIX),
			    files[i]->d_name);
			before = find(reading, name);
			if ((before == NULL) != (bool)new_ones)
				continue;
			if (before == NULL && reading->ring->count - first >= KEY_SET_MAX)
				left_out++;
			else
				read_member(reading, files[i]->d_name, name, before);
		}
	}
	key_set_say_of_rest(reading->set, reading->source->path, left_out);
}

/* 0, or the errno: the folder cannot be read at all. */
static int
read_folder(struct reading *reading)
{
	struct dirent **files;
	int count;

	(void)stat(reading->source->path, &reading->source->seen); /* first: what changes meanwhile is not seen yet */
	count = key_folder_list(reading->source->path, KEY_FOLDER_KEYS, &files);
	if (count < 0)
		return errno;
	read_members(reading, files, count);
	key_folder_free(files, count);
	key_set_say_of_mistakes(reading->set, reading->source->path);
	return 0;
}

bool
key_set_is_nothing(const struct key_set *set, const struct key_file *file)
{
	return file->is_read && file->length == 0 && key_file_is_once(file->path) &&
	       (set->is_one_of_several || strcmp(file->path, "-") != 0);
}

/*
 * 0, or an errno and what could not be done. Any length is good at the start; later a key that is new and short would
 * be half of one that is being written, and a FIFO would be waited for.
 */
static int
read_file(struct reading *reading, const char **what)
{
	const struct key_source *source = reading->source;
	const struct key *before = reading->before == NULL ? NULL : &reading->before->keys[source->first];
	const char *slash = strrchr(source->path, '/');
	const char *name = strcmp(source->path, "-") == 0 ? "stdin" : slash != NULL ? slash + 1 : source->path;
	uint8_t *k = key_ring_place(reading->ring);
	struct key_file info;
	int error =
	    before == NULL ? key_file_read(&info, source->path, k, what) : key_file_read_member(&info, source->path, k);

	if (error != 0)
		return error;
	if (key_set_is_nothing(reading->set, &info))
		return ENODATA;
	if (is_known(reading, before)) {
		key_ring_copy(reading->ring, before);
		return 0;
	}
	if (before != NULL && info.length < KEY_FILE_LENGTH)
		return ENODATA;
	if (!add(reading, name))
		return ENOMEM;
	if (before == NULL && reading->set->user != KEYS_OF_SPIPE)
		key_set_say_of_file(reading->set, &info);
	return 0;
}

/* false: the first time, and one line has said why. Later what cannot be read stays as it was. */
static bool
read_source(struct reading *reading)
{
	const struct key_source *source = reading->source;
	const char *title = key_file_title(source->path), *what = "Cannot open file";
	int error;

	if (reading->before != NULL && (source->is_once || (!source->is_folder && !reading->files_too))) {
		keep_all(reading);
		return true;
	}
	error = source->is_folder ? read_folder(reading) : read_file(reading, &what);
	if (error == 0)
		return true;
	if (reading->before == NULL)
		return message_error("%s: %s: %s", what, title, strerror(error));
	key_set_say(reading->set, "%s: %s: %s", title, key_file_problem(error),
	    source->is_folder ? "its keys stay as they were" : "its key stays as it was");
	keep_all(reading);
	return true;
}

struct keyring *
key_set_read(struct key_set *set, bool files_too)
{
	size_t starts[KEY_SOURCES_MAX + 1], capacity = 0;
	struct reading reading = {.set = set, .before = set->ring, .files_too = files_too};

	for (size_t i = 0; i < set->count; i++)
		capacity += set->sources[i].is_folder ? KEY_SET_MAX : 1;
	reading.ring = key_ring_new(capacity, set->is_hidden);
	if (reading.ring == NULL) {
		if (set->ring == NULL)
			message_error("%s", strerror(ENOMEM));
		else
			key_set_say(set, "%s: all keys stay as they were", strerror(ENOMEM));
		return NULL;
	}
	for (size_t i = 0; i < set->count; i++) {
		starts[i] = reading.ring->count;
		reading.source = &set->sources[i];
		if (!read_source(&reading)) {
			counted_drop(&reading.ring->counted);
			return NULL;
		}
	}
	starts[set->count] = reading.ring->count;
	for (size_t i = 0; i < set->count; i++) {
		set->sources[i].first = starts[i];
		set->sources[i].count = starts[i + 1] - starts[i];
	}
	return reading.ring;
}
