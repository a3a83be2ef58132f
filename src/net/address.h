/* address.h: what a user types as an address, and what the kernel takes for one. Parsing only: no look-ups here. */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/* A socket address of any family; length is what bind and connect want. */
struct address {
	socklen_t length;
	union {
		struct sockaddr any;
		struct sockaddr_storage storage;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

enum endpoint_kind {
	ENDPOINT_UNIX,    /* /absolute/path */
	ENDPOINT_NUMERIC, /* [v4]:port, [v6]:port, [fe80::1%eth0]:port, v4:port: no look-up needed */
	ENDPOINT_NAME     /* host:port, port a number or a service name; looked up */
};

/* A parsed SOURCE, TARGET or BIND. text is the user's own, for messages: control bytes in it are written as \xHH. */
struct endpoint {
	enum endpoint_kind kind;
	char text[512];
	char host[256]; /* NAME, NUMERIC: without brackets, with %zone */
	char port[64];  /* NAME, NUMERIC; "0" where a bind address left it out */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

enum { ADDRESS_PROBLEM = 640 };

/*
 * Parses text: split at the last colon; port 1 to 65535 or, unbracketed, a service name. is_bind: the port may be
 * left out or 0, for any. On failure returns false and puts into problem the sentence that Keep of compatibility
 * words ("Address must contain port number: X", "Invalid port number: X", "socket path too long: X" ...).
 */
bool endpoint_parse(struct endpoint *endpoint, const char *text, bool is_bind, char problem[ADDRESS_PROBLEM]);

enum { ADDRESS_TEXT = 160 };

/*
 * "192.0.2.7:51234" (an IPv4 client of an IPv6 listener too), "[2001:db8::1]:25", "[fe80::1%eth0]:25", "/run/x.sock",
 * "@abstract", "unix" for an unnamed one. Bytes of a path come as they are: escape them in a log. Any thread.
 */
void address_format(const struct address *address, char text[ADDRESS_TEXT]);

bool address_is_loopback(const struct address *address); /* a UNIX socket is: it does not leave this machine either */
bool address_equal(const struct address *a, const struct address *b);

#endif
