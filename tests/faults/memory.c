/* memory.c: the calls that give and take memory, which is counted. */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* mmap is mmap here, and mmap64 another */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "faults.h"
#include "live.h"

/* libc's own, since dlsym itself asks for memory. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void *
given(void *memory, size_t size, uintptr_t caller)
{
	if (memory != NULL && !faults_busy) {
		live_add(memory, size, caller, plan != NULL && plan->trace_memory != 0 ? faults_trace(caller) : 0);
		if (plan != NULL)
			plan->live = live_count();
	}
	return memory;
}

static void
taken(void *memory)
{
	live_remove(memory);
	if (plan != NULL)
		plan->live = live_count();
}

EXPORTED void *
malloc(size_t size)
{
	uintptr_t caller = (uintptr_t)CALLER;

	return faults_visit(CALL_malloc, caller) ? (void *)faults_fail(ABSENT)
						 : given(__libc_malloc(size), size, caller);
}

EXPORTED void *
calloc(size_t count, size_t size)
{
	uintptr_t caller = (uintptr_t)CALLER;

	return faults_visit(CALL_calloc, caller) ? (void *)faults_fail(ABSENT)
						 : given(__libc_calloc(count, size), count * size, caller);
}

EXPORTED void *
realloc(void *old, size_t size)
{
	uintptr_t caller = (uintptr_t)CALLER;

	if (size > 0 && faults_visit(CALL_realloc, caller))
		return (void *)faults_fail(ABSENT);
	taken(old);
	return given(__libc_realloc(old, size), size, caller);
}

EXPORTED void *
aligned_alloc(size_t alignment, size_t size)
{
	uintptr_t caller = (uintptr_t)CALLER;

	return faults_visit(CALL_aligned_alloc, caller) ? (void *)faults_fail(ABSENT)
							: given(__libc_memalign(alignment, size), size, caller);
}

EXPORTED int
posix_memalign(void **memory, size_t alignment, size_t size)
{
	uintptr_t caller = (uintptr_t)CALLER;

	if (faults_visit(CALL_posix_memalign, caller))
		return (int)faults_fail(CODE);
	*memory = given(__libc_memalign(alignment, size), size, caller);
	return *memory == NULL ? ENOMEM : 0;
}

EXPORTED void
free(void *memory)
{
	taken(memory);
	__libc_free(memory);
}

static void *
map(unsigned call, uintptr_t caller, void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *memory;

	if (faults_visit(call, caller))
		return (void *)faults_fail(ERRNO);
	memory = (void *)faults_real(CALL_mmap)((long)at, (long)size, protection, flags, fd, offset);
	return memory == MAP_FAILED ? memory : given(memory, size, caller);
}

EXPORTED void *
mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return map(CALL_mmap, (uintptr_t)CALLER, at, size, protection, flags, fd, offset);
}

void *mapped64(void *at, size_t size, int protection, int flags, int fd, off_t offset) __asm__("mmap64");

EXPORTED void *
mapped64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return map(CALL_mmap64, (uintptr_t)CALLER, at, size, protection, flags, fd, offset);
}

EXPORTED int
munmap(void *memory, size_t size)
{
	if (faults_visit(CALL_munmap, (uintptr_t)CALLER))
		return (int)faults_fail(ERRNO);
	taken(memory);
	return (int)faults_real(CALL_munmap)((long)memory, (long)size, 0, 0, 0, 0);
}
