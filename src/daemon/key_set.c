/* key_set.c: see key_set.h. */
#include "daemon/key_set.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/line.h"
#include "daemon/key_folder.h"
#include "daemon/key_ring.h"
#include "daemon/key_set_parts.h"
#include "daemon/message.h"

enum { MISTAKES_SHOWN = 4 };

static void
log_line(const struct key_set *set, enum log_level level, const char *what, const char *text)
{
	struct line line;

	line_start(&line, "keys");
	line_text(&line, what, text);
	set->log->write(set->log->context, level, false, line.text);
}

void
key_set_say(const struct key_set *set, const char *format, ...)
{
	char text[KEY_FILE_TEXT];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (set->log == NULL)
		message_warning("%s", text);
	else
		log_line(set, LOG_LEVEL_WARNING, "problem", text);
}

void
key_set_say_of_file(const struct key_set *set, const struct key_file *file)
{
	char text[KEY_FILE_TEXT];

	for (int i = 0; key_file_warning(file, i, text) != NULL; i++)
		key_set_say(set, "%s", text);
}

static bool
has_name(const struct keyring *ring, const struct key_name *name)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->keys[i].name == name)
			return true;
	return false;
}

void
key_set_say_of_mistakes(const struct key_set *set, const char *folder)
{
	struct dirent **files;
	int count = key_folder_list(folder, KEY_FOLDER_MISTAKES, &files);

	for (int i = 0; i < count && i < MISTAKES_SHOWN; i++)
		key_set_say(set,
		    "%s/%s is passed over: a key's file is called NAME.key, of letters, digits and ._- and at most %d "
		    "of them",
		    folder, files[i]->d_name, KEY_NAME_MAX);
	if (count > MISTAKES_SHOWN)
		key_set_say(set, "%s: %d more are passed over", folder, count - MISTAKES_SHOWN);
	key_folder_free(files, count);
}

void
key_set_say_of_rest(const struct key_set *set, const char *folder, int count)
{
	if (count > 0)
		key_set_say(set, "%s has more than %d keys: %d are passed over", folder, KEY_SET_MAX, count);
}

/* Where credential:NAME stands. NULL, or why that cannot be known. */
static const char *
find_credential(struct key_source *source, const char *name)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");

	if (folder == NULL)
		return "there is no $CREDENTIALS_DIRECTORY (systemd sets it: LoadCredential=)";
	if (name[0] == '\0' || strchr(name, '/') != NULL)
		return "a credential's name is no path";
	(void)snprintf(source->real, sizeof source->real, "%s/%s", folder, name);
	source->path = source->real;
	return NULL;
}

/* Where a key is, as the command line has it. false: one line has said what is wrong with that. */
static bool
find_source(struct key_set *set, size_t index, const char *path)
{
	static const char credential[] = "credential:";
	struct key_source *source = &set->sources[index];
	const char *problem = NULL;
	struct stat status;

	source->path = path;
	source->is_folder = false;
	source->first = source->count = 0;
	if (strncmp(path, credential, sizeof credential - 1) == 0)
		problem = find_credential(source, path + sizeof credential - 1);
	source->is_once = key_file_is_once(source->path);
	if (!source->is_once && stat(source->path, &status) == 0) {
		source->is_folder = S_ISDIR(status.st_mode);
		source->is_once = !source->is_folder && !S_ISREG(status.st_mode); /* a FIFO, a device */
	}
	if (source->is_folder && set->user != KEYS_OF_SERVER)
		problem = "a folder of keys is for -d; this end has one key: name its file";
	else if (index >= set->count) /* what a client does not use may be missing */
		return true;
	if (problem != NULL)
		message_error("-k %s: %s", source->path, problem);
	source->step_count = key_way_find(source->way, KEY_STEPS_MAX, source->path);
	return problem == NULL;
}

static void
start_set(struct key_set *set, size_t count, enum key_user user)
{
	/* Not all of it: the ways have much room, which would become memory that is used. */
	set->ring = NULL;
	set->log = NULL;
	set->is_hidden = false;
	set->user = user;
	set->count = user == KEYS_OF_SERVER ? count : 1;
	set->is_one_of_several = count > 1;
}

static void
warn_of_none(const struct key_set *set, size_t count)
{
	if (count == 0)
		key_set_say(set, "there is no key in %s: everyone is refused", set->sources[0].path);
}

bool
key_set_open(struct key_set *set, const char *const paths[], size_t count, enum key_user user)
{
	start_set(set, count, user);
	for (size_t i = 0; i < count; i++)
		if (!find_source(set, i, paths[i]))
			return false;
	set->ring = key_set_read(set, true);
	if (set->ring == NULL)
		return false;
	warn_of_none(set, set->ring->count);
	return true;
}

static bool
check_file(const struct key_set *set, const char *path, size_t *good)
{
	struct key_file file;

	if (!key_file_check(&file, path))
		return false;
	if (key_set_is_nothing(set, &file))
		return message_error("Error reading file: %s: %s", key_file_title(path), strerror(ENODATA));
	key_set_say_of_file(set, &file);
	++*good;
	return true;
}

static void
check_member(const struct key_set *set, const char *path, size_t *good)
{
	struct key_file file;
	int error = key_file_check_member(&file, path);

	if (error != 0) {
		key_set_say(set, "%s: %s: it is passed over", path, key_file_problem(error));
		return;
	}
	key_set_say_of_file(set, &file);
	++*good;
}

static bool
check_folder(const struct key_set *set, const char *folder, size_t *good)
{
	struct dirent **files;
	int count = key_folder_list(folder, KEY_FOLDER_KEYS, &files), i;
	size_t before = *good;

	if (count < 0)
		return message_error("Cannot open file: %s: %s", folder, strerror(errno));
	for (i = 0; i < count && *good - before < KEY_SET_MAX; i++) {
		char path[2 * PATH_MAX];

		(void)snprintf(path, sizeof path, "%s/%s", folder, files[i]->d_name);
		check_member(set, path, good);
	}
	key_folder_free(files, count);
	key_set_say_of_rest(set, folder, count - i);
	key_set_say_of_mistakes(set, folder);
	return true;
}

static bool
check_source(const struct key_set *set, size_t index, size_t *good)
{
	const struct key_source *source = &set->sources[index];

	return source->is_folder ? check_folder(set, source->path, good) : check_file(set, source->path, good);
}

bool
key_set_check(const char *const paths[], size_t count, enum key_user user)
{
	static struct key_set set;
	bool is_good = true;
	size_t good = 0; /* keys */

	start_set(&set, count, user);
	for (size_t i = 0; i < count; i++)
		is_good = find_source(&set, i, paths[i]) && (i >= set.count || check_source(&set, i, &good)) && is_good;
	if (is_good)
		warn_of_none(&set, good);
	return is_good;
}

void
key_set_keep(struct key_set *set)
{
	struct keyring *before = set->ring, *ring;

	set->is_hidden = true;
	ring = before == NULL ? NULL : key_ring_new(before->count, true);
	if (ring == NULL)
		return;
	for (size_t i = 0; i < before->count; i++)
		key_ring_copy(ring, &before->keys[i]);
	set->ring = ring;
	counted_drop(&before->counted);
}

/* What was passed over at the start says nothing of what can be read. */
static bool
can_be_read(const struct key_set *set, const struct key_source *source)
{
	struct dirent **files;
	bool can;
	int count;

	if (!source->is_folder)
		return key_file_can_be_opened(source->path);
	count = key_folder_list(source->path, KEY_FOLDER_KEYS, &files);
	key_folder_free(files, count);
	can = count >= 0;
	for (size_t i = source->first; can && i < source->first + source->count; i++) {
		char path[2 * PATH_MAX];

		(void)snprintf(path, sizeof path, "%s/%s.key", source->path, set->ring->keys[i].name->text);
		can = key_file_can_be_opened(path);
	}
	return can;
}

void
key_set_warn(const struct key_set *set, const char *who)
{
	for (size_t i = 0; i < set->count; i++)
		if (!set->sources[i].is_once && !can_be_read(set, &set->sources[i]))
			key_set_say(
			    set, "%s cannot read %s again: to change a key takes a restart", who, set->sources[i].path);
}

void
key_set_find_ways(struct key_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->sources[i].is_folder)
			set->sources[i].step_count =
			    key_way_find(set->sources[i].way, KEY_STEPS_MAX, set->sources[i].path);
}

bool
key_set_is_old(const struct key_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct stat *seen = &set->sources[i].seen;
		struct stat now;

		if (set->sources[i].is_folder && stat(set->sources[i].path, &now) == 0 &&
		    (now.st_dev != seen->st_dev || now.st_ino != seen->st_ino ||
			now.st_mtim.tv_sec != seen->st_mtim.tv_sec || now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec))
			return true;
	}
	return false;
}

/* Whether a key of that name is in ring, and was not in the other one. */
static bool
is_new_in(const struct keyring *ring, const struct keyring *other, const char *name)
{
	for (size_t i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].name->text, name) == 0 && !has_name(other, ring->keys[i].name))
			return true;
	return false;
}

/* Whoever has the key that is gone still gets in, by another name. */
static void
warn_of_twin(const struct key_set *set, const struct key *gone, const struct keyring *after)
{
	for (size_t i = 0; i < after->count; i++)
		if (bytes_equal(after->keys[i].k, gone->k, WIRE_KEY)) {
			key_set_say(set, "%s is the same key as %s, which is gone: it stays good",
			    after->keys[i].name->text, gone->name->text);
			return;
		}
}

/* Logs what is new and what is gone, and marks what is not in force any more. Returns how much that was. */
static size_t
compare(const struct key_set *set, const struct keyring *before, const struct keyring *after)
{
	size_t changes = 0;

	for (size_t i = 0; i < before->count; i++) {
		struct key_name *name = before->keys[i].name;

		if (has_name(after, name))
			continue;
		changes++;
		if (set->user == KEYS_OF_SERVER)
			atomic_store(&name->is_revoked, true);
		log_line(set, LOG_LEVEL_INFO, is_new_in(after, before, name->text) ? "changed" : "removed", name->text);
		warn_of_twin(set, &before->keys[i], after);
	}
	for (size_t i = 0; i < after->count; i++) {
		const struct key_name *name = after->keys[i].name;

		if (has_name(before, name))
			continue;
		changes++;
		if (!is_new_in(before, after, name->text))
			log_line(set, LOG_LEVEL_INFO, "added", name->text);
	}
	return changes;
}

struct keyring *
key_set_read_again(struct key_set *set, bool files_too)
{
	struct keyring *before = set->ring, *ring = key_set_read(set, files_too);
	bool is_new;

	if (ring == NULL)
		return NULL;
	is_new = compare(set, before, ring) > 0;
	set->ring = is_new ? ring : before;
	counted_drop(is_new ? &before->counted : &ring->counted);
	if (!is_new)
		return NULL;
	warn_of_none(set, ring->count);
	counted_take(&ring->counted);
	return ring;
}

void
key_set_forget(struct key_set *set)
{
	if (set->ring != NULL)
		counted_drop(&set->ring->counted);
	set->ring = NULL;
}
