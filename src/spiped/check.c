/* check.c: spiped --check. */
#include "spiped/check.h"

#include <errno.h>
#include <string.h>

#include "daemon/message.h"
#include "daemon/pidfile.h"
#include "daemon/privileges.h"
#include "spiped/setup.h"

/* Only a UNIX socket gets an owner. */
static bool
check_source_owner(const struct options *options)
{
	struct identity owner;

	if (options->source_owner == NULL)
		return true;
	if (!identity_parse(&owner, options->source_owner))
		return false;
	if (options->source[0] != '/' || privileges_may_give_to(&owner))
		return true;
	return message_error("Error setting the owner of %s: %s", options->source, strerror(EPERM));
}

static bool
check_user(const char *text)
{
	struct identity identity;

	return text == NULL || (identity_parse(&identity, text) && privileges_check(&identity));
}

/* With -D a look-up that fails is no reason not to start. false, or an empty list: there is nothing to bind to. */
static bool
check_address(const struct options *options, const char *text, bool is_bind, struct address_list *list)
{
	struct endpoint endpoint;
	char problem[ADDRESS_PROBLEM];
	bool temporary;

	list->count = 0;
	if (!setup_parse(&endpoint, text, is_bind))
		return false;
	if (resolve_now(&endpoint, list, problem, &temporary))
		return true;
	list->count = 0;
	if (!options->wait_for_dns || !temporary)
		return message_error("%s", problem);
	message_warning("%s", problem);
	return true;
}

/* One that can be bound is enough; the rest would be a warning at the start. */
static bool
check_listen(const struct options *options, const struct address_list *list)
{
	int error = 0;

	for (size_t i = 0; i < list->count; i++) {
		error = listen_check(&list->addresses[i]);
		if (error == 0 || error == -EADDRINUSE)
			break;
	}
	if (error == 0)
		return true;
	if (error != -EADDRINUSE)
		return message_error("Error binding to %s: %s", options->source, strerror(-error));
	message_warning("Error binding to %s: %s (is it the running spiped?)", options->source, strerror(EADDRINUSE));
	return true;
}

static bool
check_addresses(const struct options *options)
{
	static struct address_list list;
	bool source = check_address(options, options->source, false, &list) && check_listen(options, &list);
	bool target = check_address(options, options->target, false, &list);
	bool bind = options->bind == NULL || check_address(options, options->bind, true, &list);

	return source && target && bind;
}

int
check_run(const struct options *options)
{
	struct server_config server = setup_server(options);
	const bool results[] = {
	    check_addresses(options),
	    key_set_check(options->keys.texts, options->keys.count, setup_key_user(options)),
	    check_user(options->user),
	    check_source_owner(options),
	    options->foreground || pidfile_check(options->pidfile),
	    setup_fit(&server),
	};

	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++)
		if (!results[i])
			return 1;
	return puts("spiped: everything is there to start") < 0 || fflush(stdout) != 0 ? 1 : 0;
}
