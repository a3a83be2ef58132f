/*
 * address.c: what a user types as an address, and what the kernel gives for one. Input: a byte of which bit 0 says
 * is_bind and bit 1 that a raw socket address follows, else text.
 */
#include "net/address.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static bool
has_an_end(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* A numeric address means what the system's own parser takes it for; written out and parsed again it is the same. */
static void
check_numeric(const struct endpoint *endpoint)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
	char text[ADDRESS_TEXT], problem[ADDRESS_PROBLEM];
	struct addrinfo *found = NULL;
	struct address address = {.length = 0}, same = {.length = 0};
	struct endpoint again;

	if (getaddrinfo(endpoint->host, endpoint->port, &hints, &found) != 0) {
		check(strchr(endpoint->host, '%') != NULL); /* a zone that this machine has no interface for */
		return;
	}
	check(found->ai_next == NULL && found->ai_addrlen <= sizeof address.storage);
	address.length = found->ai_addrlen;
	memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	address_format(&address, text);
	check(endpoint_parse(&again, text, true, problem) && again.kind == ENDPOINT_NUMERIC);
	check(strcmp(again.port, endpoint->port) == 0);
	if (getaddrinfo(again.host, again.port, &hints, &found) != 0) {
		/* A zone has come out as its interface's name, which the system only takes for an address that needs
		 * one. */
		check(strchr(again.host, '%') != NULL);
		return;
	}
	same.length = found->ai_addrlen;
	memcpy(&same.storage, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	/* An IPv4 address in IPv6's clothes is written without them. */
	if (same.any.sa_family == address.any.sa_family)
		check(address_equal(&address, &same));
	else
		check(IN6_IS_ADDR_V4MAPPED(&address.in6.sin6_addr) && same.any.sa_family == AF_INET);
	check(address_is_loopback(&address) == address_is_loopback(&same));
}

static void
check_parsed(const struct endpoint *endpoint, const char *text, bool is_bind)
{
	const char *colon = strrchr(text, ':');
	size_t digits;

	check(has_an_end(endpoint->host, sizeof endpoint->host) && has_an_end(endpoint->port, sizeof endpoint->port));
	if (endpoint->kind == ENDPOINT_UNIX) {
		check(text[0] == '/' && strcmp(endpoint->path, text) == 0);
		return;
	}
	check(endpoint->host[0] != '\0' && endpoint->port[0] != '\0');
	check(strchr(endpoint->host, ' ') == NULL && fuzz_is_one_line(endpoint->host) &&
	      fuzz_is_one_line(endpoint->port));
	digits = strspn(endpoint->port, "0123456789");
	if (endpoint->port[digits] == '\0')
		check(atol(endpoint->port) <= 65535 && (is_bind || atol(endpoint->port) > 0));
	else
		check(endpoint->kind == ENDPOINT_NAME && colon != NULL && strcmp(colon + 1, endpoint->port) == 0);
	check(strstr(text, endpoint->host) != NULL);
	if (endpoint->kind == ENDPOINT_NUMERIC)
		check_numeric(endpoint);
	else
		check(text[0] != '[');
}

static void
run_text(const char *text, bool is_bind)
{
	char problem[ADDRESS_PROBLEM];
	struct endpoint endpoint;
	bool is_good;

	memset(problem, 'x', sizeof problem);
	memset(&endpoint, 'x', sizeof endpoint);
	is_good = endpoint_parse(&endpoint, text, is_bind, problem);
	check(has_an_end(endpoint.text, sizeof endpoint.text) && fuzz_is_one_line(endpoint.text));
	if (is_good)
		check_parsed(&endpoint, text, is_bind);
	else
		check(
		    has_an_end(problem, sizeof problem) && fuzz_is_one_line(problem) && strstr(problem, ": ") != NULL);
}

/* Whatever the kernel says, it is written within its room, and an address is equal to itself. */
static void
run_raw(const uint8_t *data, size_t size)
{
	struct address address = {.length = 0};
	char text[ADDRESS_TEXT];

	if (size > sizeof address.storage)
		size = sizeof address.storage;
	memcpy(&address.storage, data, size);
	address.length = (socklen_t)size;
	memset(text, 'x', sizeof text);
	address_format(&address, text);
	check(has_an_end(text, sizeof text) && text[0] != '\0');
	check(address_equal(&address, &address));
	(void)address_is_loopback(&address);
	if (address.any.sa_family == AF_INET || address.any.sa_family == AF_INET6)
		check(fuzz_is_one_line(text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	if ((data[0] & 2) != 0) {
		run_raw(data + 1, size - 1);
		return 0;
	}
	text = malloc(size);
	check(text != NULL);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	run_text(text, (data[0] & 1) != 0);
	free(text);
	return 0;
}
