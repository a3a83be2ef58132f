/*
 * sandbox_probe.c: preloaded into spiped, plays whoever has taken it over: at the first accept4(2) it does what the
 * lines of $PROBE say, and writes the errno of each, 0 for success, to descriptor $PROBE_FD. $OLD_KERNEL: a kernel that
 * has neither Landlock nor seccomp.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
	const char *name;
	long number;
} calls[] = {{"execve", SYS_execve}, {"execveat", SYS_execveat}, {"ptrace", SYS_ptrace},
    {"process_vm_readv", SYS_process_vm_readv}, {"process_vm_writev", SYS_process_vm_writev},
    {"kexec_load", SYS_kexec_load}, {"init_module", SYS_init_module}, {"finit_module", SYS_finit_module},
    {"delete_module", SYS_delete_module}, {"bpf", SYS_bpf}, {"mount", SYS_mount}, {"umount2", SYS_umount2},
    {"pivot_root", SYS_pivot_root}, {"chroot", SYS_chroot}, {"setns", SYS_setns}, {"unshare", SYS_unshare},
    {"add_key", SYS_add_key}, {"keyctl", SYS_keyctl}, {"request_key", SYS_request_key},
    {"userfaultfd", SYS_userfaultfd}, {"perf_event_open", SYS_perf_event_open},
    {"open_by_handle_at", SYS_open_by_handle_at}, {"setuid", SYS_setuid}, {"setgid", SYS_setgid},
    {"setreuid", SYS_setreuid}, {"setregid", SYS_setregid}, {"setresuid", SYS_setresuid}, {"setresgid", SYS_setresgid},
    {"setfsuid", SYS_setfsuid}, {"setfsgid", SYS_setfsgid}, {"setgroups", SYS_setgroups},
    /* refused, and no more: what a later C library could try */
    {"clone3", SYS_clone3}, {"capset", SYS_capset}, {"io_uring_setup", 425}, {"memfd_create", SYS_memfd_create},
    {"unknown", 10000}};

static int
call(const char *name)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strcmp(calls[i].name, name) == 0)
			return (int)syscall(calls[i].number, 0L, 0L, 0L, 0L, 0L, 0L);
	abort();
}

static int
connect_port(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), result;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	result = connect(fd, (struct sockaddr *)&address, sizeof address);
	(void)close(fd);
	return result;
}

static int
connect_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));

	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	return connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, length);
}

static int
listen_anew(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return listen(fd, 1);
}

static int
type_into_terminal(void)
{
	char byte = '\n';

	return ioctl(STDERR_FILENO, TIOCSTI, &byte);
}

static void *
nothing(void *context)
{
	return context;
}

static int
thread(void)
{
	pthread_t started;

	errno = pthread_create(&started, NULL, nothing, NULL);
	return errno == 0 ? pthread_join(started, NULL) : -1;
}

static int
fork_one(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child < 0 ? -1 : 0;
}

static int
lower_limit(void)
{
	return setrlimit(RLIMIT_NPROC, &(struct rlimit){1000, 1000});
}

/* The limits stand where the lower half of their address is 0. */
static int
lower_limit_from_afar(void)
{
	struct rlimit *limits = mmap((void *)0x100000000, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (limits == MAP_FAILED)
		abort();
	*limits = (struct rlimit){1000, 1000};
	return (int)syscall(SYS_prlimit64, 0, RLIMIT_NPROC, limits, NULL);
}

/* A connection by the first bytes that are sent: Landlock does not see it. */
static int
fast_open(int port, bool by_message)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct iovec part = {.iov_base = "x", .iov_len = 1};
	const struct msghdr message = {
	    .msg_name = &address, .msg_namelen = sizeof address, .msg_iov = &part, .msg_iovlen = 1};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (by_message)
		return (int)sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL) < 0 ? -1 : 0;
	return (int)sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address) < 0
		   ? -1
		   : 0;
}

static int
try(const char *what, const char *with)
{
	if (strcmp(what, "read") == 0)
		return open(with, O_RDONLY | O_CLOEXEC);
	if (strcmp(what, "list") == 0)
		return open(with, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (strcmp(what, "write") == 0)
		return open(with, O_WRONLY | O_CLOEXEC);
	if (strcmp(what, "create") == 0)
		return open(with, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
	if (strcmp(what, "truncate") == 0)
		return open(with, O_RDONLY | O_TRUNC | O_CLOEXEC);
	if (strcmp(what, "unlink") == 0)
		return unlink(with);
	if (strcmp(what, "chmod") == 0)
		return chmod(with, 0777);
	if (strcmp(what, "socket") == 0)
		return socket(atoi(with), SOCK_STREAM, 0);
	if (strcmp(what, "raw") == 0)
		return socket(atoi(with), SOCK_RAW, IPPROTO_TCP);
	if (strcmp(what, "port") == 0)
		return connect_port(atoi(with));
	if (strcmp(what, "path") == 0)
		return connect_path(with);
	if (strcmp(what, "kill") == 0)
		return kill(atoi(with), 0);
	if (strcmp(what, "fork") == 0)
		return fork_one();
	if (strcmp(what, "listen") == 0)
		return listen_anew();
	if (strcmp(what, "terminal") == 0)
		return type_into_terminal();
	if (strcmp(what, "limit") == 0)
		return lower_limit();
	if (strcmp(what, "far-limit") == 0)
		return lower_limit_from_afar();
	if (strcmp(what, "fast-open") == 0 || strcmp(what, "fast-open-message") == 0)
		return fast_open(atoi(with), what[9] != '\0');
	if (strcmp(what, "multipath") == 0)
		return socket(atoi(with), SOCK_STREAM, 262);
	if (strcmp(what, "thread") == 0)
		return thread();
	return call(what);
}

static void
probe(void)
{
	char *text = getenv("PROBE"), *rest;
	int out = atoi(getenv("PROBE_FD"));

	for (char *line = strtok_r(strdup(text), "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *with = strchr(line, ' ');

		if (with != NULL)
			*with++ = '\0';
		errno = 0;
		(void)dprintf(out, "%d\n", try(line, with) < 0 ? errno : 0);
	}
	(void)close(out);
}

int
accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	static int (*real)(int, struct sockaddr *, socklen_t *, int);

	if (real == NULL) {
		real = (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");
		if (getenv("PROBE") != NULL)
			probe();
	}
	return real(fd, address, length, flags);
}

static int
refuse(int error)
{
	errno = error;
	return -1;
}

long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list list;
	long a[6];

	va_start(list, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (getenv("OLD_KERNEL") != NULL && ((number >= 444 && number <= 446) || number == SYS_seccomp))
		return refuse(ENOSYS);
	if (real == NULL)
		real = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int
prctl(int option, ...)
{
	va_list list;
	long a[4];

	va_start(list, option);
	for (size_t i = 0; i < 4; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (getenv("OLD_KERNEL") != NULL && (option == PR_SET_SECCOMP || option == PR_SET_NO_NEW_PRIVS))
		return refuse(EINVAL);
	return (int)syscall(SYS_prctl, (long)option, a[0], a[1], a[2], a[3]);
}
