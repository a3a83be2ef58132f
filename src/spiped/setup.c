/* setup.c: addresses and limits, for a start and for --check. */
#include "spiped/setup.h"

#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <time.h>

#include "daemon/message.h"
#include "daemon/process.h"

bool
setup_parse(struct endpoint *endpoint, const char *text, bool is_bind)
{
	char problem[ADDRESS_PROBLEM];

	if (!endpoint_parse(endpoint, text, is_bind, problem))
		return message_error("%s", problem);
	if (endpoint->kind != ENDPOINT_NAME || strcmp(endpoint->port, "0") == 0 || resolve_port(endpoint) != 0)
		return true;
	return message_error("Error looking up %s: %s", endpoint->host, gai_strerror(EAI_SERVICE));
}

bool
setup_look_up(const struct endpoint *endpoint, struct address_list *list, bool wait)
{
	char problem[ADDRESS_PROBLEM];
	bool temporary, is_told = false;

	while (!resolve_now(endpoint, list, problem, &temporary)) {
		if (!wait || !temporary)
			return message_error("%s", problem);
		if (!is_told)
			message_warning("%s; trying again every second", problem);
		is_told = true;
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	return true;
}

bool
setup_listens_on_every(const struct options *options, const struct address_list *source)
{
	for (size_t i = 0; options->kind == PIPE_ENCRYPT && i < source->count; i++)
		if (!address_is_loopback(&source->addresses[i]))
			return false;
	return true;
}

enum key_user
setup_key_user(const struct options *options)
{
	return options->kind == PIPE_DECRYPT ? KEYS_OF_SERVER : KEYS_OF_CLIENT;
}

struct server_config
setup_server(const struct options *options)
{
	return (struct server_config){
	    .pipe = {.kind = options->kind, .forward_secrecy = options->forward_secrecy, .timeout = options->timeout},
	    .resolve_interval = options->resolve_interval,
	    .keepalive = options->keepalive,
	    .max_connections = options->max_connections,
	    .max_handshakes = options->max_handshakes,
	    .workers = options->workers,
	    .close_revoked = options->close_revoked,
	    .backend = engine_choose(options->crypto)};
}

bool
setup_fit(struct server_config *server)
{
	uint32_t wanted = server->max_connections;
	uint64_t available = process_raise_descriptors(server_descriptors(server));

	if (!server_fit(server, available))
		return message_error("the limit of %" PRIu64
				     " open files is too low to serve even one connection (ulimit -n)",
		    available);
	if (wanted != 0 && server->max_connections < wanted)
		message_warning("-n %" PRIu32 " does not fit the limit of %" PRIu64
				" open files (ulimit -n): at most %" PRIu32 " connections at a time",
		    wanted, available, server->max_connections);
	return true;
}
