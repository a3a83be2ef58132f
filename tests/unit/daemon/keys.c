/* keys.c: see keys.h. */
#include "keys.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "helpers.h"
#include "test.h"

struct key_set keys;
char keys_logged[8192], keys_folder[256];

static void
write_logged(void *context, enum log_level level, bool stranger, const char *line)
{
	size_t length = strlen(keys_logged);

	(void)context;
	(void)level;
	(void)stranger;
	(void)snprintf(keys_logged + length, sizeof keys_logged - length, "%s\n", line);
}

static const struct log_sink sink = {.write = write_logged, .level = LOG_LEVEL_DEBUG};

int
keys_start(void **state)
{
	(void)state;
	said_start();
	scratch_create();
	memset(&keys, 0, sizeof keys);
	keys_logged[0] = '\0';
	(void)snprintf(keys_folder, sizeof keys_folder, "%s", scratch_path("."));
	return 0;
}

int
keys_stop(void **state)
{
	(void)state;
	key_set_forget(&keys);
	scratch_remove();
	said_stop();
	return 0;
}

void
keys_give(const char *file, char byte)
{
	char bytes[32];

	memset(bytes, byte, sizeof bytes);
	(void)scratch_file(file, bytes, sizeof bytes, 0600);
}

void
keys_open(const char *const paths[], size_t count)
{
	assert_true(key_set_open(&keys, paths, count, KEYS_OF_SERVER));
	keys.log = &sink;
}

void
keys_open_folder(void)
{
	const char *path = keys_folder;

	keys_open(&path, 1);
}

bool
keys_has(const char *name, char byte)
{
	uint8_t bytes[32], hash[HASH_SIZE];

	memset(bytes, byte, sizeof bytes);
	assert_int_equal(hash_sha256(bytes, sizeof bytes, hash), OK);
	for (size_t i = 0; i < keys.ring->count; i++)
		if (strcmp(keys.ring->keys[i].name->text, name) == 0)
			return memcmp(keys.ring->keys[i].k, hash, sizeof hash) == 0;
	return false;
}

bool
keys_change(bool files_too)
{
	struct keyring *ring = key_set_read_again(&keys, files_too);

	if (ring == NULL)
		return false;
	assert_ptr_equal(ring, keys.ring);
	counted_drop(&ring->counted);
	return true;
}
