/* inet.c: addresses and interfaces as texts, as inet_pton(3), inet_ntop(3) and if_indextoname(3) have them. */
#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include "unknown.h"

/* A text of any length from least to most, and of any bytes but the first, which don't end it. */
static void
any_text(char *text, size_t least, size_t most)
{
	memset(text, 'x', least);
	unknown_bytes(text + least, most - least);
	text[most] = '\0';
}

/* 1: it is one, and it is in out; 0: it is none. -1 is for other families only. */
int
inet_pton(int family, const char *text, void *out)
{
	//@ assert family: family == AF_INET || family == AF_INET6;
	//@ assert text: valid_read_string(text);
	//@ assert room: \valid((char *)out + (0 .. (family == AF_INET ? 3 : 15)));
	if (unknown_bool())
		return 0;
	unknown_bytes(out, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
	return 1;
}

/* NULL is for other families, and for less room than this asks for. */
const char *
inet_ntop(int family, const void *address, char *text, socklen_t size)
{
	//@ assert family: family == AF_INET || family == AF_INET6;
	//@ assert address: \initialized((char *)address + (0 .. (family == AF_INET ? 3 : 15)));
	//@ assert size: size >= (family == AF_INET ? 16 : 46);
	//@ assert room: \valid(text + (0 .. size - 1));
	if (family == AF_INET)
		any_text(text, sizeof "0.0.0.0" - 1, INET_ADDRSTRLEN - 1);
	else
		any_text(text, sizeof "::" - 1, INET6_ADDRSTRLEN - 1);
	return text;
}

char *
if_indextoname(unsigned index, char *name)
{
	//@ assert room: \valid(name + (0 .. IF_NAMESIZE - 1));
	int found = Frama_C_int_interval(0, 1);

	//@ split found;
	if (found == 0)
		return NULL;
	any_text(name, 1, IF_NAMESIZE - 1);
	return name;
}
