/* address.c: parses what a user types as an address, and writes what the kernel takes for one. */
#include "net/address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool
is_number(const char *text)
{
	return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

/* Copies text with control bytes as \xHH; what does not fit is cut, and the cut is marked by "...". size >= 4. */
static void
copy_printable(char *out, size_t size, const char *text, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (size - used < sizeof "\\xHH" + 3) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		if (!is_control(text[i])) {
			out[used++] = text[i];
			continue;
		}
		memcpy(out + used, (char[]){'\\', 'x', hex[byte >> 4], hex[byte & 15]}, 4);
		used += 4;
	}
	out[used] = '\0';
}

static bool
refuse(char problem[ADDRESS_PROBLEM], const char *sentence, const char *value, size_t length)
{
	size_t used = (size_t)snprintf(problem, ADDRESS_PROBLEM, "%s: ", sentence);

	copy_printable(problem + used, ADDRESS_PROBLEM - used, value, length);
	return false;
}

/* Whether host is an IPv4 address, or an IPv6 one with or without a %zone. */
static bool
is_ip(const char *host)
{
	size_t length = strcspn(host, "%");
	const char *zone = host + length;
	char ip[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	if (length >= sizeof ip)
		return false;
	memcpy(ip, host, length);
	ip[length] = '\0';
	if (*zone == '\0' && inet_pton(AF_INET, ip, &parsed) == 1)
		return true;
	if (*zone != '\0' && (zone[1] == '\0' || strlen(zone + 1) >= IF_NAMESIZE))
		return false;
	return inet_pton(AF_INET6, ip, &parsed) == 1;
}

static bool
parse_path(struct endpoint *endpoint, const char *text, size_t length, char problem[ADDRESS_PROBLEM])
{
	endpoint->kind = ENDPOINT_UNIX;
	if (length >= sizeof endpoint->path)
		return refuse(problem, "socket path too long", text, length);
	memcpy(endpoint->path, text, length);
	return true;
}

/* Fills in port. A service name is looked up with the host, so only its length matters here. */
static bool
parse_port(struct endpoint *endpoint, const char *port, bool allow_name, bool allow_zero)
{
	size_t length = strlen(port);
	unsigned value = 0;

	if (!is_number(port)) {
		if (!allow_name || length == 0 || length >= sizeof endpoint->port)
			return false;
		memcpy(endpoint->port, port, length);
		return true;
	}
	for (; *port != '\0' && value <= 65535; port++)
		value = 10 * value + (unsigned)(*port - '0');
	if (value > 65535 || (value == 0 && !allow_zero))
		return false;
	snprintf(endpoint->port, sizeof endpoint->port, "%u", value);
	return true;
}

/* Fills in kind and host, from what stands before the last colon. */
static bool
parse_host(struct endpoint *endpoint, const char *text, size_t length, char problem[ADDRESS_PROBLEM])
{
	bool bracketed = length > 0 && text[0] == '[';
	const char *host = text;

	if (bracketed && text[length - 1] != ']')
		return refuse(problem, "Invalid [IP address]", text, length);
	if (bracketed) {
		host = text + 1;
		length -= 2;
	}
	if (length >= sizeof endpoint->host)
		return refuse(problem, bracketed ? "Error parsing IP address" : "Host name too long", host, length);
	memcpy(endpoint->host, host, length);
	if (bracketed && !is_ip(endpoint->host))
		return refuse(problem, "Error parsing IP address", host, length);
	if (length == 0)
		return refuse(problem, "Address must contain a host", endpoint->text, strlen(endpoint->text));
	if (bracketed || (is_number(endpoint->port) && is_ip(endpoint->host)))
		endpoint->kind = ENDPOINT_NUMERIC;
	else
		endpoint->kind = ENDPOINT_NAME;
	return true;
}

bool
endpoint_parse(struct endpoint *endpoint, const char *text, bool is_bind, char problem[ADDRESS_PROBLEM])
{
	size_t length = strlen(text);
	const char *colon = strrchr(text, ':'), *port;
	bool bracketed = text[0] == '[', has_port;

	memset(endpoint, 0, sizeof *endpoint);
	copy_printable(endpoint->text, sizeof endpoint->text, text, length);
	if (text[0] == '/')
		return parse_path(endpoint, text, length, problem);
	for (size_t i = 0; i < length; i++) {
		if (text[i] == ' ' || is_control(text[i]))
			return refuse(problem, "Address must not contain spaces or control characters", text, length);
	}
	has_port = colon != NULL && !(bracketed && text[length - 1] == ']');
	if (!has_port && !is_bind)
		return refuse(problem, "Address must contain port number", text, length);
	port = has_port ? colon + 1 : "0";
	if (!parse_port(endpoint, port, !bracketed, is_bind))
		return refuse(problem, "Invalid port number", port, strlen(port));
	return parse_host(endpoint, text, has_port ? (size_t)(colon - text) : length, problem);
}

/* The path of a UNIX socket, which the kernel need not terminate; an abstract one begins with, and may hold, zeros. */
static void
format_path(const struct address *address, char text[ADDRESS_TEXT])
{
	size_t start = offsetof(struct sockaddr_un, sun_path), size = sizeof address->un.sun_path;
	size_t length = address->length > start ? address->length - start : 0;
	const char *path = address->un.sun_path;
	bool abstract;

	if (length > size)
		length = size;
	abstract = length > 0 && path[0] == '\0';
	if (!abstract)
		length = strnlen(path, length);
	if (length == 0 || (abstract && length == 1)) {
		memcpy(text, "unix", sizeof "unix");
		return;
	}
	for (size_t i = 0; i < length; i++)
		text[i] = path[i] == '\0' ? '@' : path[i];
	text[length] = '\0';
}

static void
format_ip6(const struct sockaddr_in6 *in6, char text[ADDRESS_TEXT])
{
	const uint8_t *bytes = in6->sin6_addr.s6_addr;
	char ip[INET6_ADDRSTRLEN], zone[IF_NAMESIZE];
	unsigned port = ntohs(in6->sin6_port);

	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u:%u", bytes[12], bytes[13], bytes[14], bytes[15], port);
		return;
	}
	inet_ntop(AF_INET6, bytes, ip, sizeof ip);
	if (in6->sin6_scope_id == 0)
		snprintf(text, ADDRESS_TEXT, "[%s]:%u", ip, port);
	else if (if_indextoname(in6->sin6_scope_id, zone) != NULL)
		snprintf(text, ADDRESS_TEXT, "[%s%%%s]:%u", ip, zone, port);
	else
		snprintf(text, ADDRESS_TEXT, "[%s%%%u]:%u", ip, (unsigned)in6->sin6_scope_id, port);
}

void
address_format(const struct address *address, char text[ADDRESS_TEXT])
{
	char ip[INET_ADDRSTRLEN];

	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, ip, sizeof ip);
		snprintf(text, ADDRESS_TEXT, "%s:%u", ip, (unsigned)ntohs(address->in.sin_port));
		return;
	}
	if (address->any.sa_family == AF_INET6)
		format_ip6(&address->in6, text);
	else
		format_path(address, text);
}

bool
address_is_loopback(const struct address *address)
{
	const uint8_t *bytes = address->in6.sin6_addr.s6_addr;

	if (address->any.sa_family == AF_INET)
		return ntohl(address->in.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	if (address->any.sa_family != AF_INET6)
		return address->any.sa_family == AF_UNIX;
	if (IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return bytes[12] == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&address->in6.sin6_addr);
}

bool
address_equal(const struct address *a, const struct address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	if (a->any.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
	return a->length == b->length && a->length <= sizeof a->storage && memcmp(&a->un, &b->un, a->length) == 0;
}
