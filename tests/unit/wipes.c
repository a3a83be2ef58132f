/* wipes.c: keeps what each bytes_wipe wiped. */
#include "wipes.h"

#include <string.h>

#include "base/bytes.h"
#include "test.h"

enum { WIPES_MAX = 512, BYTES_MAX = 1 << 22 };

static struct {
	size_t start, length;
} wipes[WIPES_MAX];
static size_t count, used;
static bool is_watching;
static unsigned char kept[BYTES_MAX];

/* The linker puts the second in place of bytes_wipe, and calls that the first. */
void __real_bytes_wipe(void *bytes, size_t length);
void __wrap_bytes_wipe(void *bytes, size_t length);

void
__wrap_bytes_wipe(void *bytes, size_t length)
{
	if (is_watching && length > 0) {
		assert_true(count < WIPES_MAX && length <= BYTES_MAX - used);
		memcpy(kept + used, bytes, length);
		wipes[count].start = used;
		wipes[count++].length = length;
		used += length;
	}
	__real_bytes_wipe(bytes, length);
}

void
wipes_start(void)
{
	count = used = 0;
	is_watching = true;
}

static bool
holds(const unsigned char *memory, size_t size, const void *secret, size_t length)
{
	for (size_t at = 0; at + length <= size; at++)
		if (memcmp(memory + at, secret, length) == 0)
			return true;
	return false;
}

size_t
wipes_of(const void *secret, size_t length)
{
	size_t found = 0;

	is_watching = false;
	for (size_t i = 0; i < count; i++)
		found += holds(kept + wipes[i].start, wipes[i].length, secret, length);
	return found;
}

size_t
wipes_sized(size_t length)
{
	size_t found = 0;

	is_watching = false;
	for (size_t i = 0; i < count; i++)
		found += wipes[i].length == length;
	return found;
}
