/* socket.h: one descriptor of ours: its options, reading, writing, ends. Non-blocking, close-on-exec, no SIGPIPE. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"

/* Every call below but the _any ones is non-blocking; each retries EINTR, and returns a negative errno on failure. Any
 * thread. */

/* A new non-blocking, close-on-exec stream socket for a family; -EMFILE and the like. */
int socket_new(int family);

/* The next waiting connection, non-blocking and close-on-exec, its peer in *peer; -EAGAIN: none. */
int socket_accept(int listener, struct address *peer);

/*
 * TCP_NODELAY; SO_KEEPALIVE with probes that give up after a quarter of an hour, where asked. UNIX: nothing to do.
 * On Linux those that are accepted inherit both of these from a socket that listens.
 */
void socket_tune(int fd, bool keepalive);

/* A plain leg to a loopback address: no pacing (reno), where the system's default would. (docs/PERFORMANCE.md) */
void socket_tune_plain(int fd, const struct address *peer);

/* Bytes read, 0 at the end, -EAGAIN. Sockets only. */
ssize_t socket_read(int fd, uint8_t *bytes, size_t length);
ssize_t socket_write(int fd, const uint8_t *bytes, size_t length); /* bytes taken, or -EAGAIN, -EPIPE ... */

/*
 * The same for spipe's input and output: every kind of descriptor, shared with others, so left as blocking as it is:
 * on one that blocks, these block. Whatever SIGPIPE does is left alone too: none is raised.
 */
ssize_t socket_read_any(int fd, uint8_t *bytes, size_t length);
ssize_t socket_write_any(int fd, const uint8_t *bytes, size_t length);

/* The error that waits on the socket (SO_ERROR), 0 or negative. */
int socket_error(int fd);

/*
 * Bytes that the peer's side does not have yet: for TCP what is not acknowledged, for a UNIX socket what is not read
 * (with the kernel's overhead: only 0 is exact). 0 where there is nobody left to send them to, or no telling.
 */
size_t socket_unsent(int fd);

int socket_shutdown(int fd); /* our direction */
void socket_close(int fd);
void socket_reset(int fd); /* close with RST (SO_LINGER 0); a UNIX socket is closed */

#endif
