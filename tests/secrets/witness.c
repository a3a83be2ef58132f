/*
 * witness.c: an interposed library that makes a program's secrets known to a test, and stops it just before its end.
 *
 *   WITNESS_RANDOM=FD   the random bytes of each handshake, a nonce then x, are written to that descriptor too
 *   WITNESS_STOP=1      just before it ends the process stops itself, as by SIGSTOP
 *   WITNESS_OLD=1       the kernel has no memfd_secret(2)
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int RAND_priv_bytes(unsigned char *bytes, int length);

int
RAND_priv_bytes(unsigned char *bytes, int length)
{
	int (*real)(unsigned char *, int) = NULL;
	const char *descriptor = getenv("WITNESS_RANDOM");
	void *symbol = dlsym(RTLD_NEXT, "RAND_priv_bytes");
	int result;

	memcpy(&real, &symbol, sizeof real);
	result = real(bytes, length);
	/* From where they are: no copy of ours may be found. */
	if (descriptor != NULL && write(atoi(descriptor), bytes, (size_t)length) != length)
		abort();
	return result;
}

long
syscall(long number, ...)
{
	long (*real)(long, ...) = NULL;
	void *symbol = dlsym(RTLD_NEXT, "syscall");
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
#ifdef SYS_memfd_secret /* s390x has none */
	if (number == SYS_memfd_secret && getenv("WITNESS_OLD") != NULL) {
		errno = ENOSYS;
		return -1;
	}
#endif
	memcpy(&real, &symbol, sizeof real);
	return real(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
}

static void
stop(void)
{
	if (getenv("WITNESS_STOP") != NULL)
		(void)raise(SIGSTOP);
}

/* After all that the program and its libraries do at their end. */
__attribute__((destructor)) static void
at_the_end(void)
{
	stop();
}

void
_exit(int status)
{
	stop();
	for (;;)
		(void)syscall(SYS_exit_group, status);
}
