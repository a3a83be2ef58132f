/* helpers.h: addresses, listeners that answer or do not, and a place for UNIX sockets, for the tests of net/. */
#ifndef NET_HELPERS_H
#define NET_HELPERS_H

#include "net/resolve.h"

struct tcp_info;

/* The one address that text means; port 0 is allowed. */
struct address address_of(const char *text);

/* The endpoint that text means. */
struct endpoint endpoint_of(const char *text, bool is_bind);

/* Appends an address to a list. */
void list_add(struct address_list *list, const struct address *address);

/* Whether this machine has IPv6, on its loopback at least. */
bool has_ip6(void);

/* Listens on *at, whose port 0 becomes the port that was picked. */
int listen_on(struct address *at, int backlog);

/* An address of this machine, "[127.0.0.1]:0" or the like, on which nobody listens. */
struct address nobody_at(const char *text);

/* Listens, but no connect to *at is answered: its backlog is full. fds[0..2) are to be closed. */
void listen_without_answer(struct address *at, int fds[2]);

/* Connects, blocking. */
int connect_to(const struct address *at);

/* A new folder under the one for temporary files, and name in it; scratch_remove empties and removes it. */
void scratch_create(void);
const char *scratch_path(const char *name);
void scratch_remove(void);

/* A socket's option, of those that are an int. */
int option_of(int fd, int level, int name);

/* What the kernel knows of a TCP socket. False where it is not told whole: by qemu to programs of other machines. */
bool tcp_info_of(int fd, struct tcp_info *info);

/* How many descriptors this process has open. */
size_t open_descriptors(void);

#endif
