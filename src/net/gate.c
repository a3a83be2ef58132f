/* gate.c: see gate.h. */
#include "net/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/line.h"
#include "crypto/random.h"

enum { WARN_EVERY_MS = 60000 };

/* Told to go and not gone yet: accept(2) is quicker than a worker, which would have ever more of a flood to do. */
enum { EVICTED_AT_ONCE = 64 };

enum { WARN_CONNECTIONS, WARN_HANDSHAKES, WARN_SHORTAGE };

static bool
encrypts(const struct gate *gate)
{
	return gate->config->pipe.kind == PIPE_ENCRYPT;
}

/* Names a limit that was met, at most once a minute: it is met again and again while it lasts. */
static void
warn(struct gate *gate, int which, const char *event, const char *name, uint64_t value, uint64_t now)
{
	struct line line;

	now++; /* 0 is "never" */
	if (gate->warned_at[which] != 0 && now < gate->warned_at[which] + WARN_EVERY_MS)
		return;
	gate->warned_at[which] = now;
	line_start(&line, event);
	line_number(&line, name, value);
	gate->config->log->write(gate->config->log->context, LOG_LEVEL_WARNING, false, line.text);
}

/* A host has a lot of IPv6 addresses, but hardly more than one /64. */
static void
source_of(const struct address *peer, struct admission_source *source)
{
	memset(source, 0, sizeof(*source));
	if (peer->any.sa_family == AF_INET) {
		source->bytes[0] = 4;
		memcpy(source->bytes + 1, &peer->in.sin_addr, 4);
	} else if (peer->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&peer->in6.sin6_addr)) {
		source->bytes[0] = 4;
		memcpy(source->bytes + 1, peer->in6.sin6_addr.s6_addr + 12, 4);
	} else if (peer->any.sa_family == AF_INET6) {
		source->bytes[0] = 6;
		memcpy(source->bytes + 1, peer->in6.sin6_addr.s6_addr, 8);
	}
}

static void
tell(struct accepted *accepted, enum mail_kind verdict)
{
	accepted->is_verdict_out = true;
	accepted->verdict.about = accepted;
	mailbox_post(&accepted->worker->mailbox, &accepted->verdict, verdict);
}

static void
evict(struct gate *gate, uint32_t slot)
{
	struct accepted *accepted = gate->by_slot[slot];

	accepted->standing = ACCEPTED_EVICTED;
	gate->evicted++;
	tell(accepted, MAIL_EVICTED);
}

static void
admit(struct gate *gate, struct accepted *accepted)
{
	gate->waiting -= accepted->standing == ACCEPTED_WAITING;
	accepted->standing = ACCEPTED_ADMITTED;
	gate->by_slot[accepted->slot] = NULL;
}

static void
end_one(struct gate *gate)
{
	uint32_t next = admission_end(&gate->admission);
	struct accepted *accepted;

	if (next == ADMISSION_NONE)
		return;
	accepted = gate->by_slot[next];
	admit(gate, accepted);
	tell(accepted, MAIL_ADMITTED);
}

bool
gate_open(struct gate *gate, uint64_t now)
{
	bool is_open;

	uv_mutex_lock(&gate->mutex);
	is_open = gate->evicted < EVICTED_AT_ONCE;
	if (is_open && encrypts(gate) && !admission_take(&gate->admission)) {
		is_open = false;
		warn(gate, WARN_CONNECTIONS, "limit", "connections", gate->admission.limit, now);
	}
	gate->is_awaited |= !is_open;
	uv_mutex_unlock(&gate->mutex);
	return is_open;
}

void
gate_close(struct gate *gate)
{
	if (!encrypts(gate))
		return;
	uv_mutex_lock(&gate->mutex);
	end_one(gate);
	uv_mutex_unlock(&gate->mutex);
}

static void
make_room(struct gate *gate, uint32_t slot, uint64_t now)
{
	const uint32_t cap = gate->admission.cap;

	if (slot == ADMISSION_NONE)
		return;
	warn(
	    gate, WARN_HANDSHAKES, "limit", "handshakes", gate->strangers_most < cap ? gate->strangers_most : cap, now);
	evict(gate, slot);
}

static bool
enter(struct gate *gate, struct accepted *accepted, const struct address *peer, uint64_t now)
{
	struct admission_source source;
	uint32_t evicted, slot;

	if (encrypts(gate)) {
		accepted->standing = ACCEPTED_ADMITTED; /* its place was taken before accept(2) */
		return true;
	}
	source_of(peer, &source);
	if (gate->admission.strangers - gate->waiting >= gate->strangers_most)
		make_room(gate, admission_evict(&gate->admission), now);
	slot = admission_enter(&gate->admission, &source, &evicted);
	make_room(gate, evicted, now);
	if (slot == ADMISSION_NONE)
		return false;
	accepted->standing = ACCEPTED_STRANGER;
	accepted->slot = slot;
	gate->by_slot[slot] = accepted;
	return true;
}

static struct worker *
least_loaded(struct worker *workers, unsigned count)
{
	struct worker *best = &workers[0];

	for (unsigned i = 1; i < count; i++) {
		if (workers[i].count < best->count)
			best = &workers[i];
	}
	return best;
}

bool
gate_enter(struct gate *gate, struct accepted *accepted, const struct address *peer, struct worker *workers,
    unsigned worker_count, uint64_t now)
{
	bool is_in;

	uv_mutex_lock(&gate->mutex);
	is_in = enter(gate, accepted, peer, now);
	if (is_in) {
		accepted->worker = least_loaded(workers, worker_count);
		accepted->worker->count++;
		gate->count++;
	}
	uv_mutex_unlock(&gate->mutex);
	return is_in;
}

void
gate_shortage(struct gate *gate, uint64_t now)
{
	uint32_t slot;

	uv_mutex_lock(&gate->mutex);
	warn(gate, WARN_SHORTAGE, "shortage", "connections", gate->count, now);
	slot = encrypts(gate) ? ADMISSION_NONE : admission_evict(&gate->admission);
	if (slot != ADMISSION_NONE)
		evict(gate, slot);
	gate->is_awaited = true;
	uv_mutex_unlock(&gate->mutex);
}

uint32_t
gate_look(struct gate *gate, bool is_awaited)
{
	uint32_t count;

	uv_mutex_lock(&gate->mutex);
	gate->is_awaited = is_awaited;
	gate->is_room_out = false;
	count = gate->count;
	uv_mutex_unlock(&gate->mutex);
	return count;
}

void
gate_await(struct gate *gate)
{
	uv_mutex_lock(&gate->mutex);
	gate->is_awaited = true;
	uv_mutex_unlock(&gate->mutex);
}

uint32_t
gate_count(struct gate *gate)
{
	uint32_t count;

	uv_mutex_lock(&gate->mutex);
	count = gate->count;
	uv_mutex_unlock(&gate->mutex);
	return count;
}

bool
gate_proved(struct accepted *accepted)
{
	struct gate *gate = accepted->worker->gate;
	bool is_admitted = false;

	uv_mutex_lock(&gate->mutex);
	if (accepted->standing == ACCEPTED_STRANGER) { /* else evicted meanwhile */
		is_admitted = admission_authenticated(&gate->admission, accepted->slot);
		if (is_admitted) {
			admit(gate, accepted);
		} else {
			accepted->standing = ACCEPTED_WAITING;
			gate->waiting++;
			warn(gate, WARN_CONNECTIONS, "limit", "connections", gate->admission.limit,
			    uv_now(&accepted->worker->loop));
		}
	}
	uv_mutex_unlock(&gate->mutex);
	return is_admitted;
}

bool
gate_heard(struct accepted *accepted)
{
	struct gate *gate = accepted->worker->gate;
	bool is_over;

	uv_mutex_lock(&gate->mutex);
	accepted->is_verdict_out = false;
	is_over = accepted->is_over;
	uv_mutex_unlock(&gate->mutex);
	if (is_over)
		free(accepted);
	return !is_over;
}

void
gate_gone(struct accepted *accepted)
{
	struct gate *gate = accepted->worker->gate;
	bool is_verdict_out;

	uv_mutex_lock(&gate->mutex);
	if (accepted->standing == ACCEPTED_ADMITTED) {
		end_one(gate);
	} else if (accepted->standing == ACCEPTED_EVICTED) {
		gate->evicted--;
	} else {
		gate->waiting -= accepted->standing == ACCEPTED_WAITING;
		gate->by_slot[accepted->slot] = NULL;
		admission_leave(&gate->admission, accepted->slot);
	}
	accepted->worker->count--;
	gate->count--;
	if (gate->is_awaited && !gate->is_room_out) {
		gate->is_room_out = true;
		mailbox_post(gate->acceptor, &gate->room, MAIL_ROOM);
	}
	accepted->is_over = true;
	is_verdict_out = accepted->is_verdict_out;
	uv_mutex_unlock(&gate->mutex);
	if (!is_verdict_out)
		free(accepted);
}

int
gate_start(struct gate *gate, const struct server_config *config, struct mailbox *acceptor)
{
	uint32_t cap = config->pipe.kind == PIPE_ENCRYPT ? 1 : config->max_handshakes;
	uint64_t hash_key;
	int status;

	gate->config = config;
	gate->acceptor = acceptor;
	if (random_bytes((uint8_t *)&hash_key, sizeof(hash_key)) != OK)
		return UV_EIO;
	gate->memory = calloc(1, admission_size(cap));
	gate->by_slot = calloc(cap, sizeof(struct accepted *));
	status = gate->memory == NULL || gate->by_slot == NULL ? UV_ENOMEM : uv_mutex_init(&gate->mutex);
	if (status != 0) {
		free(gate->memory);
		free(gate->by_slot);
		return status;
	}
	admission_start(&gate->admission, gate->memory, cap, config->max_connections, hash_key);
	return 0;
}

void
gate_free(struct gate *gate)
{
	uv_mutex_destroy(&gate->mutex);
	free(gate->memory);
	free(gate->by_slot);
}
