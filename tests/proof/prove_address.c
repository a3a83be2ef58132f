/*
 * prove_address.c: src/net/address.c with any text, and with whatever the kernel may say is an address.
 *
 * A text is what stands before its last colon, and what stands behind; each byte is anything. All lengths of both up
 * to a few, and those around each size that the code has: 16, 46, 64, 108, 256, 512, 640. Between these and beyond the
 * last nothing depends on a length. Texts and structures end where their memory ends.
 */
#include "net/address.h"

#include <stddef.h>
#include <string.h>

#include "unknown_text.h"

enum { MOST = 660, FEW = 3 };

static char text[MOST + 1];

static void
parse(size_t length)
{
	struct endpoint endpoint;
	char problem[ADDRESS_PROBLEM];

	if (endpoint_parse(&endpoint, text + MOST - length, unknown_bool(), problem)) {
		//@ assert text: endpoint.text[sizeof(endpoint.text) - 1] == '\0';
		//@ assert host: endpoint.host[sizeof(endpoint.host) - 1] == '\0';
		//@ assert port: endpoint.port[sizeof(endpoint.port) - 1] == '\0';
		//@ assert path: endpoint.path[sizeof(endpoint.path) - 1] == '\0';
	}
	//@ slevel merge;
}

/* Any host, the last colon, any port. */
static void
parse_with_colon(size_t host, size_t port)
{
	unknown_text(text + MOST - port, port, ':');
	text[MOST - port - 1] = ':';
	unknown_text(text + MOST - port - 1 - host, host, '\0');
	parse(host + 1 + port);
}

static void
parse_without_colon(size_t length)
{
	unknown_text(text + MOST - length, length, ':');
	parse(length);
}

static void
parse_any(void)
{
	static const size_t hosts[] = {256, 255, 47, 46, 45, 18, 17, 16}, ports[] = {65, 64, 63, 6, 5};
	static const size_t lengths[] = {256, 255, 108, 107, 46, 17, 2, 1, 0};

	//@ loop unroll 8;
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		parse_with_colon(hosts[i], 1);
	//@ loop unroll 5;
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
		parse_with_colon(1, ports[i]);
	//@ loop unroll 9;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		parse_without_colon(lengths[i]);
	//@ loop unroll 4;
	for (size_t host = 0; host <= FEW; host++) {
		//@ loop unroll 4;
		for (size_t port = 0; port <= FEW; port++)
			parse_with_colon(host, port);
	}
	parse_without_colon(MOST);
}

static void
format(socklen_t length)
{
	struct address a, b;
	char out[ADDRESS_TEXT];

	unknown_bytes(&a, sizeof a);
	unknown_bytes(&b, sizeof b);
	a.length = length;
	address_format(&a, out);
	(void)address_is_loopback(&a);
	(void)address_equal(&a, &b);
	(void)address_equal(&b, &a);
	(void)address_equal(&a, &a);
	//@ slevel merge;
}

int
main(void)
{
	static const socklen_t path = offsetof(struct sockaddr_un, sun_path);
	const socklen_t lengths[] = {0, 1, path, path + 1, path + 2, sizeof(struct sockaddr_un) - 1,
	    sizeof(struct sockaddr_un), sizeof(struct sockaddr_storage) - 1, sizeof(struct sockaddr_storage),
	    sizeof(struct sockaddr_storage) + 1};

	//@ loop unroll 10;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
		format(lengths[i]);
	format(Frama_C_unsigned_int_interval(0, UINT32_MAX));
	parse_any();
	return 0;
}
