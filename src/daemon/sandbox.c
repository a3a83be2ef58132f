/* sandbox.c: Linux: Landlock for files and ports, seccomp for system calls, and capabilities. */
#define _GNU_SOURCE /* realpath, O_PATH */
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Landlock's numbers are the same on every processor; the system's headers may be older than its kernel. */
enum { LANDLOCK_CREATE = 444, LANDLOCK_ADD, LANDLOCK_RESTRICT, LANDLOCK_VERSION = 1, LANDLOCK_KNOWN = 6 };
enum { RULE_FOLDER = 1, RULE_PORT, READ_FILE = 1 << 2, CONNECT_TCP = 1 << 1, DOMAIN_PORT = 53 };

struct folder_rule {
	uint64_t allowed;
	int32_t fd;
};

/* For look-ups: folders, as files in them are not written but replaced; the last ones may be links out of them. */
static const char *const look_up_places[] = {"/etc", "/usr/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
    "/usr/local/lib", "/nix/store", "/gnu/store", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
    "/var/lib/sss", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"};

/* A folder, or that of a regular file (but not the root). What is not there needs no rule, and a device's gets none. */
static void
allow_folder(int ruleset, const char *path)
{
	struct folder_rule rule = {.allowed = READ_FILE};
	char real[PATH_MAX];
	struct stat status;

	if (realpath(path, real) == NULL || stat(real, &status) != 0 ||
	    !(S_ISDIR(status.st_mode) || S_ISREG(status.st_mode)))
		return;
	if (S_ISREG(status.st_mode) && strrchr(real, '/') != real)
		*strrchr(real, '/') = '\0';
	rule.fd = open(real, O_PATH | O_CLOEXEC);
	(void)syscall(LANDLOCK_ADD, ruleset, RULE_FOLDER, &rule, 0);
	(void)close(rule.fd);
}

/* Whatever this version handles and no rule allows is refused. Returns the kernel's version; 0: none. */
static int
restrict_files(const struct sandbox_needs *needs)
{
	/* By version: how many kinds of access to files there are, and how long the attributes. */
	static const unsigned char kinds[] = {0, 13, 14, 15, 15, 16, 16}, sizes[] = {0, 8, 8, 8, 16, 16, 24};
	int version = (int)syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_VERSION), ruleset;
	int known = version < 0 ? 0 : version < LANDLOCK_KNOWN ? version : LANDLOCK_KNOWN;
	const uint64_t ports[] = {needs->target_port, needs->looks_up ? DOMAIN_PORT : 0}; /* nobody listens on 0 */
	/* Files, ports, and what is others': abstract UNIX sockets, and processes to send signals to. */
	const uint64_t attributes[] = {(UINT64_C(1) << kinds[known]) - 1, CONNECT_TCP, 3};

	ruleset = known == 0 ? -1 : (int)syscall(LANDLOCK_CREATE, attributes, (size_t)sizes[known], 0);
	if (ruleset < 0)
		return 0;
	for (size_t i = 0; needs->looks_up && i < COUNT(look_up_places); i++)
		allow_folder(ruleset, look_up_places[i]);
	if (needs->key != NULL)
		allow_folder(ruleset, needs->key);
	for (size_t i = 0; i < COUNT(ports); i++)
		(void)syscall(LANDLOCK_ADD, ruleset, RULE_PORT, (const uint64_t[]){CONNECT_TCP, ports[i]}, 0);
	version = syscall(LANDLOCK_RESTRICT, ruleset, 0) == 0 ? version : 0;
	(void)close(ruleset);
	return version;
}

/* Returns what is left, in a word. */
static const char *
drop_capabilities(const struct sandbox_needs *needs)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[2] = {{0, 0, 0}, {0, 0, 0}}; /* those that we know are in the lower one */
	uint32_t needed = needs->target_port == 0 ? 1U << CAP_DAC_OVERRIDE : 0; /* root may connect to everybody's */

	if (needs->bind_port > 0 && needs->bind_port < IPPORT_RESERVED)
		needed = 1U << CAP_NET_BIND_SERVICE;
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* fails for who has nothing to drop */
	(void)syscall(SYS_capget, &header, halves);
	needed &= halves[0].effective;
	halves[0] = (struct __user_cap_data_struct){needed, needed, 0};
	halves[1] = (struct __user_cap_data_struct){0, 0, 0};
	if (syscall(SYS_capset, &header, halves) != 0)
		return "unchanged";
	return needed == 0 ? "none" : needed == 1U << CAP_NET_BIND_SERVICE ? "net_bind_service" : "dac_override";
}

#ifdef HAVE_SECCOMP

#include <seccomp.h>

/* By name: not every processor, and not every libseccomp, has each. */
static const char *const allowed[] = {"epoll_pwait", "epoll_wait", "recvfrom", "sendto", "read", "write", "futex",
    "futex_time64", "epoll_ctl", "recv", "send", "accept4", "close", "connect", "setsockopt", "getsockopt", "shutdown",
    "clock_gettime", "clock_gettime64", "getrandom", "madvise", "mmap", "mmap2", "munmap", "mprotect", "access", "bind",
    "brk", "clock_nanosleep", "clock_nanosleep_time64", "dup2", "dup3", "epoll_create1", "eventfd2", "exit",
    "exit_group", "faccessat", "faccessat2", "fadvise64", "fcntl", "fcntl64", "fstat", "fstat64", "fstatat64",
    "getegid", "getegid32", "geteuid", "geteuid32", "getgid", "getgid32", "getpeername", "getpid", "getsockname",
    "gettid", "gettimeofday", "getuid", "getuid32", "_llseek", "lseek", "lstat", "lstat64", "membarrier", "mlock",
    "mremap", "munlock", "nanosleep", "newfstatat", "_newselect", "pipe2", "poll", "ppoll", "ppoll_time64", "pread64",
    "readlink", "readlinkat", "recvmsg", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sched_getaffinity", "sched_yield", "select",
    "sendmmsg", "sendmsg", "set_robust_list", "setpriority", "sigaltstack", "sigreturn", "stat", "stat64", "statx",
    "sysinfo", "time", "uname", "writev"};

/* No library calls these unasked: somebody else is in the process. */
static const char *const deadly[] = {"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "mount", "umount",
    "umount2", "pivot_root", "chroot", "setns", "unshare", "add_key", "keyctl", "request_key", "userfaultfd",
    "perf_event_open", "open_by_handle_at", "iopl", "ioperm", "setuid", "setuid32", "setgid", "setgid32", "setreuid",
    "setreuid32", "setregid", "setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32", "setfsuid",
    "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32"};

#ifdef __s390__
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC)

/* Allowed where an argument, as far as mask, has this value. The kernel ignores the upper half of all of these. */
static const struct {
	const char *name;
	unsigned at;
	uint64_t mask, value;
} conditional[] = {{"open", 1, WRITES, O_RDONLY}, {"openat", 2, WRITES, O_RDONLY},
    {"clone", CLONE_FLAGS, CLONE_THREAD, CLONE_THREAD}, {"socket", 0, UINT32_MAX, AF_UNIX},
    {"socket", 0, UINT32_MAX, AF_INET}, {"socket", 0, UINT32_MAX, AF_INET6}, {"socket", 0, UINT32_MAX, AF_NETLINK},
    {"ioctl", 1, UINT32_MAX, SIOCOUTQ}, {"ioctl", 1, UINT32_MAX, FIONREAD}, {"ioctl", 1, UINT32_MAX, FIONBIO},
    {"ioctl", 1, UINT32_MAX, FIOCLEX}, {"ioctl", 1, UINT32_MAX, SIOCGIFINDEX}, {"ioctl", 1, UINT32_MAX, SIOCGIFNAME},
    {"prlimit64", 2, UINT64_MAX, 0 /* sets none */}};

static bool
add(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count, struct scmp_arg_cmp condition)
{
	int number = seccomp_syscall_resolve_name(name);

	return number == __NR_SCMP_ERROR || seccomp_rule_add_array(filter, action, number, count, &condition) == 0;
}

static bool
add_rules(scmp_filter_ctx filter)
{
	struct scmp_arg_cmp condition = SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint32_t)getpid());
	bool done = add(filter, SCMP_ACT_ALLOW, "tgkill", 1, condition); /* abort(3), and nobody else's end */

	for (size_t i = 0; i < COUNT(allowed) && done; i++)
		done = add(filter, SCMP_ACT_ALLOW, allowed[i], 0, condition);
	for (size_t i = 0; i < COUNT(conditional) && done; i++) {
		condition = SCMP_CMP(conditional[i].at, SCMP_CMP_MASKED_EQ, conditional[i].mask, conditional[i].value);
		done = add(filter, SCMP_ACT_ALLOW, conditional[i].name, 1, condition);
	}
	for (size_t i = 0; i < COUNT(deadly); i++)
		(void)add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], 0, condition); /* an old kernel has EPERM for it */
	/* Threads by clone(2), then: its flags can be seen from here. */
	return done && add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, condition);
}

static const char *
filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM)); /* no end for what only a newer libc does */
	bool loaded;

	(void)seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree, for kernels that ask it at every call */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);      /* older kernels would slow the processor down */
	loaded = filter != NULL && add_rules(filter) && seccomp_load(filter) == 0;
	seccomp_release(filter);
	return loaded ? "yes" : "no";
}

#endif

void
sandbox_enter(const struct sandbox_needs *needs, struct line *line)
{
	line_start(line, "sandbox");
	if (needs == NULL) {
		line_text(line, "off", "yes");
		return;
	}
	tzset(); /* syslog(3) writes local times */
	line_text(line, "no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? "yes" : "no");
	line_number(line, "landlock", (uint64_t)(IS_INSTRUMENTED ? 0 : restrict_files(needs)));
	line_text(line, "capabilities", drop_capabilities(needs));
#ifdef HAVE_SECCOMP
	line_text(line, "seccomp", filter_calls());
#else
	line_text(line, "seccomp", "not-built");
#endif
}
