/*
 * faults.c: preloaded into a program: notes each call of calls.h by its call stack, or makes one of them fail.
 *
 * The environment's FAULTS_PLAN names the file with the plan (plan.h). Functions of libuv and libcrypto count only
 * where a program of ours calls them; those of libc wherever they are called.
 */
#define _GNU_SOURCE
#undef _FILE_OFFSET_BITS /* mmap is mmap here, and mmap64 another */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

#include "faults.h"
#include "live.h"
#include "stack.h"

static const struct {
	const char *name;
	enum how how;
} calls[CALLS] = {
#define CALL(name, how, errors) {#name, how},
#define OWN CALL
#include "calls.h"
#undef CALL
#undef OWN
};

struct plan *plan;
static faults_function *real[CALLS];
static atomic_flag sites_lock = ATOMIC_FLAG_INIT;

_Thread_local bool faults_busy;

static void
note_site(unsigned call, const struct plan_stack *stack)
{
	uint32_t phase = plan->phase;
	size_t at = (stack->hash ^ (uint64_t)phase * 0x9e3779b9) % PLAN_SITES;

	while (atomic_flag_test_and_set(&sites_lock))
		;
	while (
	    plan->sites[at].count != 0 && (plan->sites[at].stack.hash != stack->hash || plan->sites[at].phase != phase))
		at = (at + 1) % PLAN_SITES;
	if (plan->sites[at].count != 0) {
		plan->sites[at].count++;
	} else if (plan->site_count >= PLAN_SITES / 2) {
		plan->overflow = 1;
	} else {
		plan->site_count++;
		plan->sites[at] = (struct plan_site){.function = call, .phase = phase, .count = 1, .stack = *stack};
	}
	atomic_flag_clear(&sites_lock);
}

uint64_t
faults_trace(uintptr_t caller)
{
	struct plan_stack stack;

	faults_busy = true;
	stack_walk(&stack, "memory", caller);
	note_site(0, &stack);
	faults_busy = false;
	return stack.hash;
}

static bool
is_wanted(unsigned call, uintptr_t caller)
{
	static uintptr_t wanted;
	struct plan_stack stack;

	if (call != plan->function || plan->phase != plan->in_phase || plan->fired != 0)
		return false;
	if (wanted == 0) {
		stack_start(plan);
		wanted = stack_address(plan->module, plan->offset);
	}
	if (caller != wanted)
		return false;
	stack_walk(&stack, calls[call].name, caller);
	if (stack.hash != plan->hash || __atomic_add_fetch(&plan->visits, 1, __ATOMIC_SEQ_CST) != plan->nth)
		return false;
	plan->fired = 1;
	return true;
}

bool
faults_visit(unsigned call, uintptr_t caller)
{
	int error = errno;
	bool wanted = false;

	if (plan == NULL || faults_busy)
		return false;
	faults_busy = true;
	if (call >= CALL_uv_loop_init && !stack_is_in_program(caller)) {
		/* a library's own affair: what it calls in turn counts */
	} else if (plan->mode == PLAN_LIST) {
		struct plan_stack stack;

		stack_walk(&stack, calls[call].name, caller);
		note_site(call, &stack);
	} else if (plan->mode == PLAN_FAIL) {
		wanted = is_wanted(call, caller);
	}
	faults_busy = false;
	errno = error;
	return wanted;
}

long
faults_fail(enum how how)
{
	switch (how) {
	case ERRNO:
	case BYTES:
	case CLOSED:
		errno = plan->error;
		return -1;
	case ABSENT:
		errno = plan->error;
		return 0;
	case CODE:
	case ANSWER:
		return plan->error;
	case NEGATIVE:
		return -plan->error;
	case ZERO:
		return 0;
	case MINUS:
		break;
	}
	return -1;
}

faults_function *
faults_real(unsigned call)
{
	if (real[call] == NULL) {
		bool was_busy = faults_busy;

		faults_busy = true;
		*(void **)&real[call] = dlsym(RTLD_NEXT, calls[call].name);
		faults_busy = was_busy;
	}
	return real[call];
}

/* The kernel takes little at once, so that what has to wait is seen. */
static void
shrink(long fd)
{
	int size = 32768;

	if (fd >= 0)
		(void)faults_real(CALL_setsockopt)(fd, SOL_SOCKET, SO_SNDBUF, (long)&size, sizeof size, 0);
}

/* The kernel needs memory only for what is new to it. */
static bool
can_fail(unsigned call, long second)
{
	return call != CALL_epoll_ctl || second == EPOLL_CTL_ADD;
}

static long
through(unsigned call, const void *caller, long a, long b, long c, long d, long e, long f)
{
	faults_function *next = faults_real(call);
	long result;

	if (can_fail(call, b) && faults_visit(call, (uintptr_t)caller)) {
		if (calls[call].how == CLOSED)
			(void)next(a, b, c, d, e, f);
		if (calls[call].how != BYTES || plan->error != 0)
			return faults_fail(calls[call].how);
		c = 1;
	}
	result = next(a, b, c, d, e, f);
	if (plan != NULL && plan->small_buffers != 0 && (call == CALL_socket || call == CALL_accept4))
		shrink((int)result);
	return result;
}

#define CALL(name, how, errors)                                                           \
	long fault_##name(long a, long b, long c, long d, long e, long f) __asm__(#name); \
	EXPORTED long fault_##name(long a, long b, long c, long d, long e, long f)        \
	{                                                                                 \
		return through(CALL_##name, CALLER, a, b, c, d, e, f);                    \
	}
#define OWN(name, how, errors)
#include "calls.h"
#undef CALL
#undef OWN

long system_call(long, long, long, long, long, long, long) __asm__("syscall");

EXPORTED long
system_call(long number, long a, long b, long c, long d, long e, long f)
{
	typedef long longer(long, long, long, long, long, long, long);

	if (faults_visit(CALL_syscall, (uintptr_t)CALLER))
		return faults_fail(ERRNO);
	return ((longer *)(void (*)(void))faults_real(CALL_syscall))(number, a, b, c, d, e, f);
}

/* Who gives up, and where. */
static void
note_end(uintptr_t caller)
{
	if (plan == NULL || plan->aborted != 0)
		return;
	faults_busy = true;
	plan->aborted = 1;
	stack_walk(&plan->abort, "abort", caller);
}

EXPORTED _Noreturn void
abort(void)
{
	note_end((uintptr_t)CALLER);
	((void (*)(void))dlsym(RTLD_NEXT, "abort"))();
	_exit(127);
}

_Noreturn void assertion_failed(const char *, const char *, unsigned, const char *) __asm__("__assert_fail");

EXPORTED _Noreturn void
assertion_failed(const char *text, const char *file, unsigned line, const char *where)
{
	note_end((uintptr_t)CALLER);
	((void (*)(const char *, const char *, unsigned, const char *))dlsym(RTLD_NEXT, "__assert_fail"))(
	    text, file, line, where);
	_exit(127);
}

#ifdef __x86_64__
static void
on_crash(int number, siginfo_t *info, void *context)
{
	(void)info;
	note_end((uintptr_t)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]);
	signal(number, SIG_DFL); /* it happens again, and then for good */
}

static void
watch_for_crashes(void)
{
	struct sigaction action = {.sa_sigaction = on_crash, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGABRT, &action, NULL); /* of an assertion of libc's own */
}
#else
static void
watch_for_crashes(void)
{
}
#endif

static __attribute__((constructor)) void
start(void)
{
	const char *path = getenv("FAULTS_PLAN");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *memory;

	if (fd < 0)
		return;
	memory = (void *)faults_real(CALL_mmap)(0, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return;
	for (unsigned call = 0; call < CALLS; call++)
		(void)faults_real(call);
	faults_busy = true;
	stack_start(memory);
	faults_busy = false;
	plan = memory;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* who is tested ends with the test, whatever ends that */
	watch_for_crashes();
}

/* Last of all: the library is loaded before the others, so its end comes after theirs. */
static __attribute__((destructor)) void
end(void)
{
	struct plan *told = plan;

	if (told == NULL)
		return;
	plan = NULL;
	live_report(told);
	told->ended++;
}
