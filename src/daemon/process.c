/* process.c: descriptors and core dumps. */
#include "daemon/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

void
process_keep_standard_descriptors(void)
{
	/* Each takes the lowest free number. Output is opened for reading: a write to it must be an error that shows.
	 */
	static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", modes[fd] | O_NOCTTY);
}

uint64_t
process_raise_descriptors(uint64_t wanted)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024; /* it cannot fail; what every system gives */
	raised = limit;
	raised.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	if (raised.rlim_cur > limit.rlim_cur && setrlimit(RLIMIT_NOFILE, &raised) == 0)
		limit = raised;
	return limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

void
process_forbid_dumps(void)
{
	if (IS_INSTRUMENTED)
		return; /* a sanitizer's leak checker looks into its own process from another one */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
	(void)prctl(PR_SET_DUMPABLE, 0);
}
