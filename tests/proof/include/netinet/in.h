/* in.h: Frama-C's, and what it lacks: RFC 3493, 6.7, and the network of inet_ntoa(3)'s loopback. */
#ifndef PROOF_IN_H
#define PROOF_IN_H

#include_next <netinet/in.h>

#define IN_LOOPBACKNET 127
#define PROOF_10_ZEROS(b)                                                                                         \
	((b)[0] == 0 && (b)[1] == 0 && (b)[2] == 0 && (b)[3] == 0 && (b)[4] == 0 && (b)[5] == 0 && (b)[6] == 0 && \
	    (b)[7] == 0 && (b)[8] == 0 && (b)[9] == 0)
#define IN6_IS_ADDR_V4MAPPED(a) (PROOF_10_ZEROS((a)->s6_addr) && (a)->s6_addr[10] == 0xff && (a)->s6_addr[11] == 0xff)
#define IN6_IS_ADDR_LOOPBACK(a)                                                                                     \
	(PROOF_10_ZEROS((a)->s6_addr) && (a)->s6_addr[10] == 0 && (a)->s6_addr[11] == 0 && (a)->s6_addr[12] == 0 && \
	    (a)->s6_addr[13] == 0 && (a)->s6_addr[14] == 0 && (a)->s6_addr[15] == 1)

#endif
