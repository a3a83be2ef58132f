/* sys/epoll.h: of epoll(7) what src/net's connections name. */
#ifndef PROOF_SYS_EPOLL_H
#define PROOF_SYS_EPOLL_H

#include <stdint.h>

enum { EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 16 };

struct epoll_event {
	uint32_t events;
	union {
		void *ptr;
	} data;
};

#endif
