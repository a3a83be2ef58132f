/* key_ring.c: see key_ring.h. */
#include "daemon/key_ring.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"

struct ring {
	struct keyring keyring; /* first */
	size_t size;
	struct key keys[];
};

static void *
map_hidden(size_t size)
{
	void *memory = MAP_FAILED;
#ifdef SYS_memfd_secret
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	if (fd < 0)
		return memory;
	if (ftruncate(fd, (off_t)size) == 0)
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
#else
	(void)size;
#endif
	return memory;
}

static void *
map_locked(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return memory;
	(void)madvise(memory, size, MADV_DONTDUMP);
	(void)mlock(memory, size); /* where no memory may be locked, it works all the same */
	return memory;
}

static void
free_ring(struct counted *counted)
{
	struct ring *ring = (struct ring *)counted;

	for (size_t i = 0; i < ring->keyring.count; i++)
		counted_drop(&ring->keys[i].name->counted);
	bytes_wipe(ring->keys, ring->size - sizeof *ring);
	(void)munmap(ring, ring->size);
}

struct keyring *
key_ring_new(size_t capacity, bool is_hidden)
{
	size_t size = sizeof(struct ring) + capacity * sizeof(struct key);
	struct ring *ring = is_hidden ? map_hidden(size) : MAP_FAILED;

	if (ring == MAP_FAILED)
		ring = map_locked(size);
	if (ring == MAP_FAILED)
		return NULL;
	ring->size = size;
	ring->keyring.counted.holders = 1;
	ring->keyring.counted.free = free_ring;
	ring->keyring.keys = ring->keys;
	return &ring->keyring;
}

uint8_t *
key_ring_place(struct keyring *keyring)
{
	return ((struct ring *)keyring)->keys[keyring->count].k;
}

void
key_ring_add(struct keyring *keyring, struct key_name *name)
{
	((struct ring *)keyring)->keys[keyring->count++].name = name;
}

void
key_ring_copy(struct keyring *keyring, const struct key *key)
{
	memcpy(key_ring_place(keyring), key->k, WIRE_KEY);
	counted_take(&key->name->counted);
	key_ring_add(keyring, key->name);
}

static void
free_name(struct counted *counted)
{
	free(counted);
}

struct key_name *
key_name_new(const char *text, size_t length)
{
	struct key_name *name = calloc(1, sizeof *name);

	if (name == NULL)
		return NULL;
	name->counted.holders = 1;
	name->counted.free = free_name;
	for (size_t i = 0; i < length && i < KEY_NAME_MAX; i++)
		name->text[i] = (char)(text[i] > ' ' && text[i] <= '~' ? text[i] : '_');
	if (length == 0)
		name->text[0] = '_';
	return name;
}
