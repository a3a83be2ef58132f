/* resolve.c: from an endpoint to addresses, at once or again and again. */
#include "net/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"

enum { RETRY = 1000 /* ms, while there is no answer at all */ };

/*
 * Without AI_ADDRCONFIG: it leaves out families by what the interfaces have now, and that may change while we run; an
 * address that cannot be reached costs a failed connect, at once.
 */
static struct addrinfo
hints_for(const struct endpoint *endpoint)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	if (endpoint->kind == ENDPOINT_NUMERIC)
		hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	return hints;
}

static bool
list_holds(const struct address_list *list, const struct address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (address_equal(&list->addresses[i], address))
			return true;
	}
	return false;
}

/* A rotated answer is the same answer: name servers do that for sport. */
static bool
same_set(const struct address_list *a, const struct address_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!list_holds(b, &a->addresses[i]))
			return false;
	}
	return true;
}

static void
list_fill(struct address_list *list, const struct addrinfo *answers)
{
	list->count = 0;
	for (const struct addrinfo *answer = answers; answer != NULL; answer = answer->ai_next) {
		struct address *address = &list->addresses[list->count];

		if (answer->ai_family != AF_INET && answer->ai_family != AF_INET6)
			continue;
		memset(address, 0, sizeof *address);
		address->length = answer->ai_addrlen;
		memcpy(&address->storage, answer->ai_addr, answer->ai_addrlen);
		if (!list_holds(list, address))
			list->count++;
		if (list->count == ADDRESS_LIST_MAX)
			return;
	}
}

static void
list_fill_unix(struct address_list *list, const struct endpoint *endpoint)
{
	struct address *address = &list->addresses[0];

	memset(address, 0, sizeof *address);
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, endpoint->path, sizeof endpoint->path);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(endpoint->path) + 1);
	list->count = 1;
}

bool
resolve_now(const struct endpoint *endpoint, struct address_list *list, char problem[ADDRESS_PROBLEM], bool *temporary)
{
	struct addrinfo hints = hints_for(endpoint), *answers;
	const char *reason;
	int code;

	*temporary = false;
	list->count = 0;
	if (endpoint->kind == ENDPOINT_UNIX) {
		list_fill_unix(list, endpoint);
		return true;
	}
	code = getaddrinfo(endpoint->host, endpoint->port, &hints, &answers);
	if (code == 0) {
		list_fill(list, answers);
		freeaddrinfo(answers);
		if (list->count > 0)
			return true;
		code = EAI_NONAME;
	}
	reason = code == EAI_SYSTEM ? strerror(errno) : gai_strerror(code);
	/* The one thing that can be wrong with a parsed address is the interface it names. */
	if (endpoint->kind == ENDPOINT_NUMERIC && code == EAI_NONAME)
		reason = strerror(ENODEV);
	*temporary = code != EAI_SERVICE;
	snprintf(problem, ADDRESS_PROBLEM, "Error looking up %s: %s", endpoint->host, reason);
	return false;
}

uint16_t
resolve_port(const struct endpoint *endpoint)
{
	const char *port = endpoint->kind == ENDPOINT_UNIX ? "0" : endpoint->port;
	const struct servent *service;

	if (port[strspn(port, "0123456789")] == '\0')
		return (uint16_t)strtoul(port, NULL, 10);
	service = getservbyname(port, "tcp");
	return service == NULL ? 0 : ntohs((uint16_t)service->s_port);
}

static void resolver_look_up(uv_timer_t *timer);

static void
schedule(struct resolver *resolver)
{
	uint64_t delay = resolver->list.count == 0 ? RETRY : resolver->interval;

	if (delay > 0)
		uv_timer_start(&resolver->timer, resolver_look_up, delay, 0);
}

/* A line when look-ups begin to fail, with a status for it, and one when they work again. */
static void
note(struct resolver *resolver, int status, size_t count)
{
	bool fails = status < 0, has_changed = fails != resolver->failing;
	struct line line;

	resolver->failing = fails;
	if (!has_changed)
		return;
	line_start(&line, fails ? "lookup-failed" : "lookup-works-again");
	line_text(&line, "name", resolver->endpoint->host);
	if (fails)
		line_text(&line, "error", uv_strerror(status));
	line_number(&line, fails ? "kept_addresses" : "addresses", count);
	resolver->log->write(resolver->log->context, LOG_LEVEL_WARNING, false, line.text);
}

static void
look_up_failed(struct resolver *resolver, int status)
{
	note(resolver, status, resolver->list.count);
	schedule(resolver);
}

static void
looked_up(uv_getaddrinfo_t *request, int status, struct addrinfo *answers)
{
	struct resolver *resolver = request->data;
	struct address_list list;
	bool differs;

	list_fill(&list, answers);
	uv_freeaddrinfo(answers);
	resolver->busy = false;
	if (resolver->stopping)
		return;
	if (status == 0 && list.count == 0)
		status = UV_EAI_NONAME;
	if (status < 0) {
		look_up_failed(resolver, status);
		return;
	}
	note(resolver, 0, list.count);
	differs = !same_set(&resolver->list, &list);
	if (differs)
		resolver->list = list;
	schedule(resolver);
	if (differs)
		resolver->changed(resolver);
}

static void
resolver_look_up(uv_timer_t *timer)
{
	struct resolver *resolver = timer->data;
	const struct endpoint *endpoint = resolver->endpoint;
	struct addrinfo hints = hints_for(endpoint);
	int status = uv_getaddrinfo(timer->loop, &resolver->request, looked_up, endpoint->host, endpoint->port, &hints);

	if (status < 0)
		look_up_failed(resolver, status);
	else
		resolver->busy = true;
}

int
resolver_start(struct resolver *resolver, uv_loop_t *loop, const struct endpoint *endpoint,
    const struct address_list *initial, uint64_t interval, const struct log_sink *log,
    void (*changed)(struct resolver *), void *context)
{
	memset(resolver, 0, sizeof *resolver);
	resolver->endpoint = endpoint;
	resolver->log = log;
	resolver->interval = endpoint->kind == ENDPOINT_NAME ? interval : 0;
	resolver->changed = changed;
	resolver->context = context;
	resolver->timer.data = resolver->request.data = resolver;
	if (initial != NULL)
		resolver->list = *initial;
	else if (endpoint->kind == ENDPOINT_UNIX)
		list_fill_unix(&resolver->list, endpoint);
	uv_timer_init(loop, &resolver->timer);
	if (resolver->list.count == 0)
		return uv_timer_start(&resolver->timer, resolver_look_up, 0, 0);
	schedule(resolver);
	return 0;
}

void
resolver_stop(struct resolver *resolver)
{
	if (resolver->stopping)
		return;
	resolver->stopping = true;
	if (resolver->busy)
		uv_cancel((uv_req_t *)&resolver->request);
	uv_close((uv_handle_t *)&resolver->timer, NULL);
}
