/*
 * prove_key_ring.c: src/daemon/key_ring.c: rings of none to two keys, in memory of either kind, whichever calls fail,
 * filled as far as names have memory, copied, and let go in either order. Names of any bytes: of none, 1, 2, and about
 * as many as are kept.
 */
#include "daemon/key_ring.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unknown_text.h"

enum { MOST = KEY_NAME_MAX + 1, CAPACITY = 2 };

/* Which calls fail. */
enum { SECRET = 1, SIZE = 2, SHARED = 4, PRIVATE = 8, ALL = 15 };

char proof_map_failed;
static char text[MOST + 1];
static int failing;

long
proof_memfd_secret(unsigned flags)
{
	return failing & SECRET ? -1 : Frama_C_long_interval(0, INT_MAX);
}

int
ftruncate(int fd, off_t length)
{
	//@ assert fd: fd >= 0;
	return failing & SIZE ? -1 : 0;
}

/* Zeros. */
void *
mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	//@ assert length: length > 0;
	//@ assert fd: fd >= 0 || (flags & MAP_ANONYMOUS) != 0;
	void *memory;

	if (failing & (flags & MAP_SHARED ? SHARED : PRIVATE))
		return MAP_FAILED;
	memory = calloc(1, length);
	//@ admit memory: memory != \null;
	return memory;
}

int
madvise(void *memory, size_t length, int advice)
{
	//@ assert memory: \valid((char *)memory + (0 .. length - 1));
	return unknown_bool() ? 0 : -1;
}

int
mlock(const void *memory, size_t length)
{
	//@ assert memory: \valid((char *)memory + (0 .. length - 1));
	return unknown_bool() ? 0 : -1;
}

/* Whoever unmaps only a part would not free it. */
int
munmap(void *memory, size_t length)
{
	//@ assert whole: \valid((char *)memory + (0 .. length - 1)) && \block_length((char *)memory) == length;
	free(memory);
	return 0;
}

static bool
add_one(struct keyring *ring, size_t length)
{
	struct key_name *name = key_name_new(text + MOST - length, length);

	if (name == NULL)
		return false;
	//@ assert name: valid_read_string(&name->text[0]);
	//@ assert end: name->text[KEY_NAME_MAX] == '\0' && name->text[0] != '\0';
	unknown_bytes(key_ring_place(ring), WIRE_KEY);
	key_ring_add(ring, name);
	return true;
}

static struct keyring *
ring_of(size_t capacity, bool is_hidden, int calls)
{
	failing = calls;
	return key_ring_new(capacity, is_hidden);
}

static void
copy(struct keyring *ring, int calls, bool is_first)
{
	size_t count = ring->count;
	struct keyring *other = ring_of(count, true, calls);

	if (other != NULL) {
		//@ loop unroll CAPACITY;
		for (size_t i = 0; i < count; i++)
			key_ring_copy(other, &ring->keys[i]);
		counted_drop(is_first ? &ring->counted : &other->counted);
		ring = is_first ? other : ring;
	}
	counted_drop(&ring->counted);
}

static void
fill(size_t capacity, size_t length, bool is_hidden, int calls, int later_calls, bool is_first)
{
	struct keyring *ring = ring_of(capacity, is_hidden, calls);

	if (ring == NULL)
		return;
	//@ loop unroll CAPACITY;
	for (size_t i = 0; i < capacity && add_one(ring, length); i++)
		;
	//@ assert room: ring->count <= capacity;
	copy(ring, later_calls, is_first);
	//@ slevel merge;
}

int
main(void)
{
	static const size_t lengths[] = {0, 1, 2, MOST - 2, MOST - 1, MOST};

	unknown_text(text, MOST, '\0');
	//@ loop unroll 6;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		fill(1, lengths[i], true, 0, 0, true);
	//@ loop unroll ALL + 1;
	for (int calls = 0; calls <= ALL; calls++) {
		fill(1, 1, false, calls, SECRET, true);
		fill(1, 1, true, calls, 0, false);
		fill(CAPACITY, 1, true, 0, calls, true);
		fill(CAPACITY, 1, true, SHARED, calls, false);
	}
	fill(0, 0, true, 0, 0, true);
	return 0;
}
