/*
 * test_constant_time.c: run under valgrind, which is told that secrets are undefined and then complains of each branch
 * and each index that depends on one: in whole handshakes, in finding a key, and in packets after them, on every
 * backend that runs there. What libcrypto's big numbers do is left out (../crypto/constant_time.supp).
 *
 * Linked with --wrap: what becomes public is said here, once for each, and not where the program uses it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "base/bytes.h"
#include "protocol/session.h"

enum { KEYS = 5, ROUNDS = 3, LENGTH = 3000 };

bool __real_bytes_equal(const uint8_t *a, const uint8_t *b, size_t length);
bool __wrap_bytes_equal(const uint8_t *a, const uint8_t *b, size_t length);
uint32_t __real_bytes_get_be32(const uint8_t in[4]);
uint32_t __wrap_bytes_get_be32(const uint8_t in[4]);

static struct key keys[KEYS];
static size_t verdicts, lengths;

static void
make_secret(const void *bytes, size_t length)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(bytes, length);
}

static void
make_public(const void *bytes, size_t length)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(bytes, length);
}

/* Whether a MAC is right: everybody sees what comes of it. */
bool
__wrap_bytes_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
	bool is_equal = __real_bytes_equal(a, b, length);

	make_public(&is_equal, sizeof is_equal);
	verdicts++;
	return is_equal;
}

/* How many plain bytes are in a packet: the plain side's writes show it. */
uint32_t
__wrap_bytes_get_be32(const uint8_t in[4])
{
	uint32_t value = __real_bytes_get_be32(in);

	make_public(&value, sizeof value);
	lengths++;
	return value;
}

static void
expect(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "failed: %s\n", what);
	exit(2);
}

/* A nonce goes over the wire; x is known to nobody. */
static void
start(struct session *session, enum session_role role, struct keyring *keyring, struct engine *engine, unsigned seed)
{
	uint8_t random[SESSION_RANDOM];

	for (unsigned i = 0; i < sizeof random; i++)
		random[i] = (uint8_t)((i + 1) * (2 * seed + 3) + seed);
	make_secret(random + WIRE_NONCE, WIRE_X);
	session_start(session, role, FORWARD_SECRECY_REQUIRED, keyring, engine, random);
}

/* What is sent is public, and so is our own y from then on. */
static enum error
carry(struct session *from, struct session *to)
{
	const uint8_t *bytes;
	uint8_t wire[WIRE_NONCE + WIRE_Y_AND_MAC];
	size_t length = session_out(from, &bytes), fed = 0;

	memcpy(wire, bytes, length);
	make_public(wire, length);
	session_sent(from, length);
	while (fed < length) {
		size_t wanted = session_wants_bytes(to), rest = length - fed;
		enum error error = session_feed(to, wire + fed, wanted < rest ? wanted : rest);

		if (error != OK || wanted == 0)
			return error;
		fed += wanted < rest ? wanted : rest;
	}
	return OK;
}

static enum error
compute(struct session *session)
{
	struct job job;
	enum error error = OK;

	if ((session_wants(session) & SESSION_JOB) == 0)
		return OK;
	session_job(session, &job);
	job_run(&job);
	error = session_job_done(session, &job);
	job_wipe(&job);
	return error;
}

static enum error
shake_hands(struct session *client, struct session *server)
{
	enum error error = compute(client); /* the client's y, while the nonces travel */

	for (int i = 0; i < 3 && error == OK; i++) {
		error = carry(client, server);
		if (error == OK)
			error = compute(server);
		if (error == OK)
			error = carry(server, client);
		if (error == OK)
			error = compute(client);
	}
	return error;
}

static void
send_packets(struct session *from, struct session *to, bool forge)
{
	static uint8_t plain[LENGTH], wire[4 * WIRE_PACKET], out[4 * WIRE_PLAIN_MAX];
	size_t sealed, opened;
	enum error error;

	make_secret(plain, sizeof plain);
	expect(session_seal(from, wire, plain, sizeof plain, &sealed) == OK, "seal");
	make_public(wire, sizeof wire);
	if (forge)
		wire[WIRE_PACKET + WIRE_PADDED + 31] ^= 1;
	error = session_open(to, out, wire, sealed / WIRE_PACKET, &opened);
	expect(
	    forge ? error == ERROR_BAD_MAC && opened == WIRE_PLAIN_MAX : error == OK && opened == sizeof plain, "open");
}

/* The client has key number `which` of the server's, or KEYS for one that the server has not. */
static void
connect_with(struct engine *engine, unsigned which)
{
	static struct key strange;
	struct keyring server_ring = {.count = KEYS, .keys = keys};
	struct keyring client_ring = {.count = 1, .keys = which < KEYS ? &keys[which] : &strange};
	struct session client, server;
	enum error error;

	strange = keys[0];
	strange.k[0] ^= 1;
	start(&client, SESSION_CLIENT, &client_ring, engine, 2 * which);
	start(&server, SESSION_SERVER, &server_ring, engine, 2 * which + 1);
	error = shake_hands(&client, &server);
	if (which == KEYS) {
		expect(error == ERROR_WRONG_KEY && session_wants(&server) == SESSION_FAILED, "a stranger");
	} else {
		expect(error == OK && session_key(&server) == &keys[which], "handshake");
		expect((session_wants(&client) & session_wants(&server) & SESSION_READY) != 0, "keys");
		send_packets(&client, &server, false);
		send_packets(&server, &client, false);
		send_packets(&client, &server, true);
	}
	session_end(&client);
	session_end(&server);
}

/* What the whole of this is worth: valgrind has to see it. */
static int
leak(void)
{
	return memcmp(keys[0].k, keys[1].k, WIRE_KEY) < 0 ? 1 : 0;
}

int
main(int argc, char *argv[])
{
	if (!RUNNING_ON_VALGRIND || group14_start() != OK)
		return 2;
	for (unsigned i = 0; i < KEYS; i++) {
		for (unsigned j = 0; j < WIRE_KEY; j++)
			keys[i].k[j] = (uint8_t)(17 * i + 29 * j + 3);
		make_secret(keys[i].k, WIRE_KEY);
	}
	if (argc > 1)
		return leak();
	for (int backend = ENGINE_LIBCRYPTO; backend < ENGINE_BACKENDS; backend++) {
		struct engine *engine = engine_new((enum engine_backend)backend);

		printf("%s: %s\n", engine_words[backend], engine == NULL ? "not under this valgrind" : "looked at");
		expect(engine != NULL || backend != ENGINE_LIBCRYPTO, "libcrypto");
		for (unsigned which = 0; engine != NULL && which <= KEYS; which += which == 0 ? KEYS / 2 : 1)
			connect_with(engine, which);
		engine_free(engine);
	}
	printf("%zu verdicts and %zu lengths became public\n", verdicts, lengths);
	group14_stop();
	return 0;
}
