/* sandbox.c: Linux: Landlock for files and ports, seccomp for system calls, and capabilities. */
#define _GNU_SOURCE /* realpath, O_PATH */
#include "daemon/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
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

/* Of Landlock's later versions: the system's headers may be older than its kernel. */
enum { LANDLOCK_KNOWN = 6, RULE_PORT = 2, CONNECT_TCP = 2, PORTS_SINCE = 4, DOMAIN_PORT = 53 };

/* For look-ups: folders, as files in them are not written but replaced; the last ones may be links out of them. */
static const char *const look_up_places[] = {"/etc", "/usr/etc", "/lib", "/lib64", "/usr/lib", "/usr/lib64",
    "/usr/local/lib", "/nix/store", "/gnu/store", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
    "/var/lib/sss", "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"};

/*
 * A folder, or that of a regular file, but not the root. What is not there needs no rule, and a device's gets none.
 * false: one is needed, and not to be had.
 */
static bool
allow_folder(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	char real[PATH_MAX];
	struct stat status;
	bool done;

	if (realpath(path, real) == NULL || stat(real, &status) != 0)
		return errno != ENOMEM;
	if (strcmp(real, "/") == 0)
		return true;
	if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode))
		return true;
	if (S_ISREG(status.st_mode) && strrchr(real, '/') != real)
		*strrchr(real, '/') = '\0';
	rule.parent_fd = open(real, O_PATH | O_CLOEXEC);
	done = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	(void)close(rule.parent_fd);
	return done;
}

/* Where no administrator puts links that change, and much else is: /dev/stdin is one. */
static bool
is_the_systems(const char *folder)
{
	return strcmp(folder, "/dev") == 0 || strcmp(folder, "/proc") == 0 || strncmp(folder, "/proc/", 6) == 0;
}

/* What is put in its place stands beside it: beside a folder itself, and beside each link that leads to it. */
static bool
allow_keys(int ruleset, const struct key_set *keys)
{
	const uint64_t file = LANDLOCK_ACCESS_FS_READ_FILE, folder = file | LANDLOCK_ACCESS_FS_READ_DIR;
	char beside[PATH_MAX + 3];
	bool done = true;

	for (size_t i = 0; done && i < keys->count; i++) {
		const struct key_source *source = &keys->sources[i];
		const uint64_t access = source->is_folder ? folder : file;

		if (source->is_once)
			continue;
		(void)snprintf(beside, sizeof beside, "%s/..", source->path);
		done = allow_folder(ruleset, source->path, access) &&
		       (!source->is_folder || allow_folder(ruleset, beside, access));
		for (size_t j = 0; done && j < source->step_count; j++)
			done = !source->way[j].is_link || is_the_systems(source->way[j].folder) ||
			       allow_folder(ruleset, source->way[j].folder, access);
	}
	return done;
}

/* Whatever this version handles and no rule allows is refused. Returns the kernel's version; 0: none. */
static int
restrict_files(const struct sandbox_needs *needs)
{
	/* By version: how many kinds of access to files there are, and how long the attributes. */
	static const unsigned char kinds[] = {0, 13, 14, 15, 15, 16, 16}, sizes[] = {0, 8, 8, 8, 16, 16, 24};
	int version = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION), ruleset;
	int known = version < 0 ? 0 : version < LANDLOCK_KNOWN ? version : LANDLOCK_KNOWN;
	const uint64_t ports[] = {needs->target_port, needs->looks_up ? DOMAIN_PORT : 0}; /* nobody listens on 0 */
	/* Files, ports, and what is others': abstract UNIX sockets, and processes to send signals to. */
	const uint64_t attributes[] = {(UINT64_C(1) << kinds[known]) - 1, CONNECT_TCP, 3};
	bool done = true; /* a rule less, and the daemon could not do its work: rather none of this */

	ruleset = known == 0 ? -1 : (int)syscall(SYS_landlock_create_ruleset, attributes, (size_t)sizes[known], 0);
	if (ruleset < 0)
		return 0;
	for (size_t i = 0; done && needs->looks_up && i < COUNT(look_up_places); i++)
		done = allow_folder(ruleset, look_up_places[i], LANDLOCK_ACCESS_FS_READ_FILE);
	if (done && needs->keys != NULL)
		done = allow_keys(ruleset, needs->keys);
	for (size_t i = 0; done && known >= PORTS_SINCE && i < COUNT(ports); i++)
		done = syscall(SYS_landlock_add_rule, ruleset, RULE_PORT, (const uint64_t[]){CONNECT_TCP, ports[i]},
			   0) == 0;
	version = done && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0 ? version : 0;
	(void)close(ruleset);
	return version;
}

/* Returns what is left, in a word. */
static const char *
drop_capabilities(const struct sandbox_needs *needs)
{
	bool is_bound_low = needs->bind_port > 0 && needs->bind_port < IPPORT_RESERVED;
	/* Root may connect to everybody's UNIX sockets. */
	uint32_t needed = is_bound_low              ? 1U << CAP_NET_BIND_SERVICE
			  : needs->target_port == 0 ? 1U << CAP_DAC_OVERRIDE
						    : 0;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct halves[2] = {{needed, needed, 0}, {0, 0, 0}};

	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0); /* fails for who has nothing to drop */
	if (syscall(SYS_capset, &header, halves) == 0 && needed != 0)
		return is_bound_low ? "net_bind_service" : "dac_override";
	halves[0] = (struct __user_cap_data_struct){0, 0, 0}; /* it had none of that kind */
	return syscall(SYS_capset, &header, halves) == 0 ? "none" : "unchanged";
}

#ifdef HAVE_SECCOMP

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>

/* The frequent ones first: older kernels go through this at each call. By name, for not every processor has each. */
static const char *const allowed[] = {"epoll_pwait", "epoll_wait", "recvfrom", "sendto", "read", "write", "futex",
    "futex_time64", "epoll_ctl", "recv", "send", "accept4", "close", "connect", "setsockopt", "getsockopt", "shutdown",
    "socketcall", "clock_gettime", "clock_gettime64", "getrandom", "madvise", "mmap", "mmap2", "munmap", "mprotect",
    "bind", "brk", "clock_nanosleep", "clock_nanosleep_time64", "dup2", "dup3", "epoll_create1", "eventfd2", "exit",
    "exit_group", "faccessat", "faccessat2", "fcntl", "fcntl64", "fstat", "fstat64", "fstatat64", "ftruncate",
    "ftruncate64", "getdents", "getdents64", "geteuid", "geteuid32", "getpeername", "getpid", "getsockname", "gettid",
    "gettimeofday", "getuid", "getuid32", "inotify_add_watch", "inotify_init1", "inotify_rm_watch", "_llseek", "lseek",
    "lstat", "lstat64", "memfd_secret", "mlock", "mremap", "munlock", "nanosleep", "newfstatat", "pipe2", "poll",
    "ppoll", "ppoll_time64", "pread64", "readlink", "readlinkat", "recvmsg", "restart_syscall", "rseq", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "rt_sigtimedwait_time64", "sched_getaffinity",
    "sched_yield", "sendmmsg", "sendmsg", "set_robust_list", "setpriority", "sigaltstack", "sigreturn", "stat",
    "stat64", "statx", "time", "uname", "writev"};

/* No library calls these unasked: somebody else is in the process. */
static const char *const deadly[] = {"execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "mount", "umount",
    "umount2", "pivot_root", "chroot", "setns", "unshare", "add_key", "keyctl", "request_key", "userfaultfd",
    "perf_event_open", "open_by_handle_at", "iopl", "ioperm", "setuid", "setuid32", "setgid", "setgid32", "setreuid",
    "setreuid32", "setregid", "setregid32", "setresuid", "setresuid32", "setresgid", "setresgid32", "setfsuid",
    "setfsuid32", "setfsgid", "setfsgid32", "setgroups", "setgroups32"};

/* Allowed where the lower half of an argument, as far as mask, is value; of numbers the kernel ignores the upper. */
static const struct {
	const char *name;
	unsigned at;
	uint32_t mask, value;
} conditional[] = {{"open", 1, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY},
    {"openat", 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY}, {"socket", 0, UINT32_MAX, AF_UNIX},
    {"socket", 0, UINT32_MAX, AF_INET}, {"socket", 0, UINT32_MAX, AF_INET6}, {"socket", 0, UINT32_MAX, AF_NETLINK},
    {"ioctl", 1, UINT32_MAX, SIOCOUTQ}, {"ioctl", 1, UINT32_MAX, FIONREAD}, {"ioctl", 1, UINT32_MAX, FIONBIO},
    {"ioctl", 1, UINT32_MAX, FIOCLEX}, {"ioctl", 1, UINT32_MAX, SIOCGIFINDEX}, {"ioctl", 1, UINT32_MAX, SIOCGIFNAME},
    {"prlimit64", 2, UINT32_MAX, 0 /* sets none */}};

/*
 * Refused where one of these bits of an argument's half is set, whatever allows them else: connections that Landlock
 * does not see (TCP Fast Open, and protocols but 0, TCP and UDP, as multipath TCP), and limits to set.
 */
static const struct {
	const char *name;
	unsigned at;
	bool is_upper;
	uint32_t bits;
} refused[] = {{"sendto", 3, false, MSG_FASTOPEN}, {"send", 3, false, MSG_FASTOPEN},
    {"sendmsg", 2, false, MSG_FASTOPEN}, {"sendmmsg", 3, false, MSG_FASTOPEN},
    {"socket", 2, false, ~(uint32_t)(IPPROTO_TCP | IPPROTO_UDP)}, {"prlimit64", 2, true, UINT32_MAX}};

static struct sock_filter
    steps[2 * (COUNT(allowed) + COUNT(deadly)) + 6 * (COUNT(conditional) + COUNT(refused) + 2) + 8];
static unsigned short length;

/* By hand: short of memory, libseccomp makes programs that are wrong, where this needs none. */
static void
put(uint16_t code, uint32_t value, uint8_t skip_if, uint8_t skip_unless)
{
	steps[length++] = (struct sock_filter){code, skip_if, skip_unless, value};
}

/* The answer to these calls, as far as there are such here. */
static void
answer(const char *const names[], size_t count, uint32_t verdict)
{
	for (size_t i = 0; i < count; i++) {
		if (seccomp_syscall_resolve_name(names[i]) < 0)
			continue;
		put(BPF_JMP | BPF_JEQ, (uint32_t)seccomp_syscall_resolve_name(names[i]), 0, 1);
		put(BPF_RET, verdict, 0, 0);
	}
}

/* The verdict where half of an argument, as far as mask, is value or, with is_other, is not. */
static void
answer_if(const char *name, unsigned at, bool is_upper, uint32_t mask, uint32_t value, bool is_other, uint32_t verdict)
{
	const uint32_t half = is_upper == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) ? 0 : 4;

	put(BPF_JMP | BPF_JEQ, (uint32_t)seccomp_syscall_resolve_name(name), 0, 5); /* negative: it is never met */
	put(BPF_LD | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, args) + 8 * at + half, 0, 0);
	put(BPF_ALU | BPF_AND, mask, 0, 0);
	put(BPF_JMP | BPF_JEQ, value, is_other, !is_other);
	put(BPF_RET, verdict, 0, 0);
	put(BPF_LD | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
}

static void
allow_if(const char *name, unsigned at, uint32_t mask, uint32_t value)
{
	answer_if(name, at, false, mask, value, false, SECCOMP_RET_ALLOW);
}

static const char *
filter_calls(void)
{
	put(BPF_LD | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	put(BPF_JMP | BPF_JEQ, seccomp_arch_native(), 1, 0);
	put(BPF_RET, SECCOMP_RET_KILL_PROCESS, 0, 0);
	put(BPF_LD | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (size_t i = 0; i < COUNT(refused); i++)
		answer_if(refused[i].name, refused[i].at, refused[i].is_upper, refused[i].bits, 0, true,
		    SECCOMP_RET_ERRNO | EPERM);
	answer(allowed, COUNT(allowed), SECCOMP_RET_ALLOW);
	answer(deadly, COUNT(deadly), SECCOMP_RET_KILL_PROCESS);
	answer(
	    (const char *const[]){"clone3"}, 1, SECCOMP_RET_ERRNO | ENOSYS); /* clone(2), then: its flags can be seen */
	allow_if("clone", seccomp_arch_native() == SCMP_ARCH_S390X, CLONE_THREAD, CLONE_THREAD);
	allow_if("tgkill", 0, UINT32_MAX, (uint32_t)getpid()); /* abort(3) */
	for (size_t i = 0; i < COUNT(conditional); i++)
		allow_if(conditional[i].name, conditional[i].at, conditional[i].mask, conditional[i].value);
	put(BPF_RET, SECCOMP_RET_ERRNO | EPERM, 0, 0); /* no end for what only a newer libc does */
	/* The flag: kernels before 5.16 would slow the processor down. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW,
		   &(struct sock_fprog){length, steps}) == 0
		   ? "yes"
		   : "no";
}

#else
#define filter_calls() "not-built"
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
	line_text(line, "seccomp", filter_calls());
}
