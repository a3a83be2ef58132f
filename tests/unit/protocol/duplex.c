/* duplex.c: both ends of one connection in memory. */
#include "duplex.h"

#include "backend.h"

void
fill(uint8_t *bytes, size_t length, unsigned seed)
{
	uint32_t state = seed * 2654435761u + 1;

	for (size_t i = 0; i < length; i++) {
		state = state * 1664525u + 1013904223u;
		bytes[i] = (uint8_t)(state >> 24);
	}
}

bool
holds(const void *memory, size_t size, const void *secret, size_t length)
{
	const uint8_t *bytes = memory;

	for (size_t i = 0; i + length <= size; i++)
		if (memcmp(bytes + i, secret, length) == 0)
			return true;
	return false;
}

int
duplex_setup(void **state)
{
	struct duplex *duplex = calloc(1, sizeof *duplex);

	if (duplex == NULL || group14_start() != OK)
		return -1;
	duplex->engine = engine_new(test_backend());
	if (duplex->engine == NULL)
		return -1;
	for (unsigned i = 0; i < DUPLEX_KEYS; i++) {
		duplex->names[i].text[0] = (char)('a' + i);
		duplex->keys[i].name = &duplex->names[i];
		fill(duplex->keys[i].k, WIRE_KEY, 100 + i);
	}
	duplex->server_ring = (struct keyring){.count = DUPLEX_KEYS, .keys = duplex->keys};
	duplex->client_ring = (struct keyring){.count = 1, .keys = &duplex->keys[DUPLEX_KEY]};
	fill(duplex->client_random, SESSION_RANDOM, 1);
	fill(duplex->server_random, SESSION_RANDOM, 2);
	*state = duplex;
	return 0;
}

int
duplex_teardown(void **state)
{
	struct duplex *duplex = *state;

	if (duplex->client.engine != NULL)
		session_end(&duplex->client);
	if (duplex->server.engine != NULL)
		session_end(&duplex->server);
	engine_free(duplex->engine);
	group14_stop();
	free(duplex);
	return 0;
}

void
duplex_start(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server)
{
	session_start(
	    &duplex->client, SESSION_CLIENT, client, &duplex->client_ring, duplex->engine, duplex->client_random);
	session_start(
	    &duplex->server, SESSION_SERVER, server, &duplex->server_ring, duplex->engine, duplex->server_random);
}

/* Powers are costly and the same again and again: remembers the few that these tests meet. A match is neither. */
static void
run_remembered(struct job *job)
{
	static struct job asked[64], answered[64];
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (memcmp(&asked[i], job, sizeof *job) == 0) {
			*job = answered[i];
			return;
		}
	if (job->kind == JOB_MATCH || count == sizeof asked / sizeof asked[0]) {
		job_run(job);
		return;
	}
	asked[count] = *job;
	job_run(job);
	answered[count++] = *job;
}

enum error
run_job(struct session *session, struct job *job)
{
	assert_true(session_wants(session) & SESSION_JOB);
	session_job(session, job);
	/* no power is computed for a stranger */
	assert_int_equal(job->kind, session_key(session) == NULL ? JOB_MATCH : JOB_POWERS);
	assert_false(session_wants(session) & SESSION_JOB);
	run_remembered(job);
	return session_job_done(session, job);
}

size_t
take_out(struct session *session, uint8_t *out, size_t size)
{
	const uint8_t *bytes;
	size_t length = session_out(session, &bytes);

	assert_true(length <= size);
	if (length > 0)
		assert_true(bytes >= session->out && bytes + length <= session->out + sizeof session->out);
	memcpy(out, bytes, length);
	session_sent(session, length);
	assert_int_equal(session_out(session, &bytes), 0);
	return length;
}

enum error
feed_all(struct session *session, const uint8_t *in, size_t length)
{
	enum error error = OK;

	while (length > 0 && error == OK && session_wants_bytes(session) > 0) {
		size_t n = session_wants_bytes(session);

		if (n > length)
			n = length;
		error = session_feed(session, in, n);
		in += n;
		length -= n;
	}
	return error;
}

enum error
give_y(struct session *session, const uint8_t message[WIRE_Y_AND_MAC])
{
	enum error error = feed_all(session, message, WIRE_Y_AND_MAC);
	struct job job;

	if (session->role == SESSION_CLIENT)
		return error;
	assert_int_equal(error, OK);
	assert_int_equal(session_wants(session) & ~(unsigned)SESSION_WRITE, SESSION_JOB);
	assert_null(session_key(session));
	return run_job(session, &job);
}

void
forge_y(const struct duplex *duplex, enum session_role sender, const uint8_t y[WIRE_Y], uint8_t message[WIRE_Y_AND_MAC])
{
	uint8_t nonces[2 * WIRE_NONCE], dk_1[WIRE_DK_1];

	memcpy(nonces, duplex->client_random, WIRE_NONCE);
	memcpy(nonces + WIRE_NONCE, duplex->server_random, WIRE_NONCE);
	assert_int_equal(hash_pbkdf2(duplex->keys[DUPLEX_KEY].k, nonces, sizeof nonces, dk_1, sizeof dk_1), OK);
	memcpy(message, y, WIRE_Y);
	assert_int_equal(
	    hash_hmac(dk_1 + (sender == SESSION_CLIENT ? 0 : WIRE_MAC), WIRE_MAC, y, WIRE_Y, message + WIRE_Y), OK);
}

struct session *
await_peer_y(struct duplex *duplex, enum session_role role, enum forward_secrecy forward_secrecy)
{
	struct session *session = role == SESSION_CLIENT ? &duplex->client : &duplex->server;
	uint8_t out[WIRE_NONCE + WIRE_Y_AND_MAC];
	struct job job;

	duplex_start(duplex, forward_secrecy, forward_secrecy);
	if (role == SESSION_CLIENT) {
		assert_int_equal(feed_all(session, duplex->server_random, WIRE_NONCE), OK);
		assert_int_equal(run_job(session, &job), OK);
	} else {
		assert_int_equal(feed_all(session, duplex->client_random, WIRE_NONCE), OK);
	}
	take_out(session, out, sizeof out);
	assert_int_equal(session_wants(session), SESSION_READ);
	assert_int_equal(session_wants_bytes(session), WIRE_Y_AND_MAC);
	return session;
}

static void
assert_wants_make_sense(const struct session *session)
{
	const uint8_t *bytes;
	unsigned wants = session_wants(session);

	assert_false(wants & SESSION_FAILED);
	assert_true(((wants & SESSION_READ) != 0) == (session_wants_bytes(session) > 0));
	assert_true(((wants & SESSION_WRITE) != 0) == (session_out(session, &bytes) > 0));
	if (wants & SESSION_READY)
		assert_false(wants & (SESSION_READ | SESSION_JOB));
	if (session_key(session) == NULL && (wants & SESSION_JOB) != 0) /* all of y and its MAC is there */
		assert_true(!(wants & SESSION_READ) && session->handshake.in_have == WIRE_Y_AND_MAC);
}

/* Moves what is there to be moved up to the next cut, as much as the other end reads. */
static bool
move(struct session *from, struct session *to, size_t *moved, size_t cut_at, bool single)
{
	const uint8_t *bytes;
	size_t n = session_out(from, &bytes), wanted = session_wants_bytes(to);

	if (n > wanted)
		n = wanted;
	if (*moved < cut_at && n > cut_at - *moved)
		n = cut_at - *moved;
	if (single && n > 1)
		n = 1;
	if (n == 0)
		return false;
	assert_int_equal(session_feed(to, bytes, n), OK);
	session_sent(from, n);
	*moved += n;
	assert_wants_make_sense(from);
	assert_wants_make_sense(to);
	return true;
}

static bool
run_one_job(struct duplex *duplex)
{
	struct job *job = &duplex->client_job;

	if (session_wants(&duplex->client) & SESSION_JOB) {
		if (duplex->client.state != SESSION_SHARED)
			job = &duplex->client_y_job;
		assert_int_equal(run_job(&duplex->client, job), OK);
		return true;
	}
	if (!(session_wants(&duplex->server) & SESSION_JOB))
		return false;
	job = session_key(&duplex->server) == NULL ? &duplex->match_job : &duplex->server_job;
	assert_int_equal(run_job(&duplex->server, job), OK);
	return true;
}

void
duplex_shake_hands(struct duplex *duplex, const struct cutting *cutting)
{
	size_t from_client = 0, from_server = 0;
	bool moved, worked;

	do {
		worked = !cutting->jobs_late && run_one_job(duplex);
		moved = move(&duplex->client, &duplex->server, &from_client, cutting->client_at, cutting->single);
		moved |= move(&duplex->server, &duplex->client, &from_server, cutting->server_at, cutting->single);
		if (!moved && cutting->jobs_late)
			worked = run_one_job(duplex);
	} while (moved || worked);
	assert_int_equal(from_client, WIRE_NONCE + WIRE_Y_AND_MAC);
	assert_int_equal(from_server, WIRE_NONCE + WIRE_Y_AND_MAC);
	assert_int_equal(session_wants(&duplex->client), SESSION_READY);
	assert_int_equal(session_wants(&duplex->server), SESSION_READY);
}

void
duplex_open(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server)
{
	duplex_start(duplex, client, server);
	duplex_shake_hands(duplex, &(struct cutting){0});
}

uint8_t *
seal_message(struct session *session, const uint8_t *plain, size_t length, size_t *count)
{
	uint8_t *wire = malloc(packet_count(length) * WIRE_PACKET);
	size_t sealed;

	assert_non_null(wire);
	assert_int_equal(session_seal(session, wire, plain, length, &sealed), OK);
	assert_int_equal(sealed, packet_count(length) * WIRE_PACKET);
	*count = packet_count(length);
	return wire;
}

void
assert_crosses(struct session *from, struct session *to, const uint8_t *plain, size_t length)
{
	size_t count, opened;
	uint8_t *wire = seal_message(from, plain, length, &count), *out = malloc(count * WIRE_PLAIN_MAX);

	assert_non_null(out);
	assert_int_equal(session_open(to, out, wire, count, &opened), OK);
	assert_int_equal(opened, length);
	assert_memory_equal(out, plain, length);
	free(out);
	free(wire);
}

void
assert_broken(struct session *session, enum error error)
{
	static const uint8_t nothing[sizeof(struct session)];
	uint8_t byte = 0, plain[WIRE_PLAIN_MAX], wire[WIRE_PACKET] = {0};
	const uint8_t *bytes;
	struct job job;
	size_t n;

	assert_int_equal(session_wants(session), SESSION_FAILED);
	assert_int_equal(session_wants_bytes(session), 0);
	assert_int_equal(session_out(session, &bytes), 0);
	assert_memory_equal(&session->handshake, nothing, sizeof session->handshake);
	assert_memory_equal(&session->data, nothing, sizeof session->data);
	assert_memory_equal(session->out, nothing, sizeof session->out);
	/* whatever is tried, it stays */
	assert_int_equal(session_feed(session, &byte, 1), error);
	session_job(session, &job);
	assert_int_equal(job.kind, JOB_POWERS);
	assert_false(job.wants_y || job.wants_shared);
	assert_int_equal(session_job_done(session, &job), error);
	assert_int_equal(session_seal(session, wire, plain, 1, &n), error);
	assert_int_equal(n, 0);
	assert_int_equal(session_open(session, plain, wire, 1, &n), error);
	assert_int_equal(n, 0);
	session_end(session);
	assert_int_equal(session_error(session), error);
}
