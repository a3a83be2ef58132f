/* net.h: the socket and clock calls that the load generators and the relay share. What fails ends the program, said in
 * one line. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <netinet/in.h>
#include <stdint.h>
#include <stdnoreturn.h>

noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Monotonic nanoseconds. */
uint64_t clock_ns(void);

/* An IPv4 address and a port, as in 127.0.0.1:8025. */
struct sockaddr_in address_parse(const char *text);

/* Allow as many descriptors as the system lets us have. */
void files_raise_limit(void);

/* A listening socket; in the network namespace at the path netns, or in ours when that is NULL. Non-blocking. */
int net_listen(const struct sockaddr_in *address, const char *netns);

/* A connected socket, blocking; gives up (and ends the program) where a call takes over 30 seconds. */
int net_connect(const struct sockaddr_in *address);

/* A non-blocking socket that is connecting or connected; -1 where the other side refused at once. */
int net_connect_start(const struct sockaddr_in *address);

/* Add fd to an epoll set, or change what it is watched for; data comes back with its events. */
void watch_add(int epoll, int fd, uint32_t events, void *data);
void watch_change(int epoll, int fd, uint32_t events, void *data);

#endif
