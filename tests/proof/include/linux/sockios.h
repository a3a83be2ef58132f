/* sockios.h: of Linux's sockets what src/net/socket.c uses and Frama-C's libc lacks. */
#ifndef PROOF_LINUX_SOCKIOS_H
#define PROOF_LINUX_SOCKIOS_H

#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#define SIOCOUTQ 0x5411
#define SOCK_NONBLOCK 0x800
#define SOCK_CLOEXEC 0x80000

#define _NETINET_TCP_H /* Frama-C's, which has no tcp_info */
enum { TCP_NODELAY = 1, TCP_KEEPIDLE = 4, TCP_KEEPINTVL = 5, TCP_KEEPCNT = 6, TCP_INFO = 11, TCP_CONGESTION = 13 };
enum { TCP_CLOSE = 7 };
struct tcp_info {
	uint8_t tcpi_state, more[231];
};
struct linger {
	int l_onoff, l_linger;
};

int accept4(int listener, struct sockaddr *peer, socklen_t *length, int flags);
int sigpending(sigset_t *set);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before);
int sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *timeout);

#endif
