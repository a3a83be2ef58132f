/* libc.c: what Frama-C's libc lacks, with a body. */
#include <string.h>

void
explicit_bzero(void *bytes, size_t length)
{
	memset(bytes, 0, length);
}
