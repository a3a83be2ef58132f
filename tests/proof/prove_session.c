/*
 * prove_session.c: src/protocol/session.c from every state that it can be in: each call is made from any state that
 * keeps the rules below, with any bytes, and must leave a state that keeps them. Every fragmentation is every in_have.
 */
#include <string.h>

#include "protocol/session.h"
#include "unknown.h"

enum { KEYS = 2 };

static struct key keys[KEYS];
static struct keyring keyring = {.keys = keys};
static struct engine *engine;

/* What a session's numbers are between two calls. */
static void
keeps_the_rules(const struct session *s)
{
	//@ assert state: s->state <= SESSION_BROKEN;
	//@ assert out: s->out_sent <= s->out_have <= sizeof(s->out);
	if (s->state == SESSION_NONCES) {
		//@ assert nonce: s->handshake.in_have <= WIRE_NONCE;
	}
	if (s->state == SESSION_PEER_Y) {
		//@ assert y: s->handshake.in_have <= WIRE_Y_AND_MAC;
	}
}

static void
start(struct session *s, enum session_role role)
{
	uint8_t random[SESSION_RANDOM];

	unknown_bytes(random, sizeof random);
	keyring.count = unknown_size(role == SESSION_CLIENT ? 1 : 0, KEYS);
	session_start(s, role, unknown_size(FORWARD_SECRECY, FORWARD_SECRECY_REQUIRED), &keyring, engine, random);
	keeps_the_rules(s);
}

/* Any state of the handshake with so many bytes of a message. */
static void
in_handshake(struct session *s, enum session_role role, enum session_state state, uint16_t have)
{
	start(s, role);
	s->state = state;
	unknown_bytes(s->handshake.nonces, sizeof s->handshake.nonces);
	unknown_bytes(s->handshake.x, sizeof s->handshake.x);
	unknown_bytes(s->handshake.dk_1, sizeof s->handshake.dk_1);
	unknown_bytes(s->handshake.in, sizeof s->handshake.in);
	unknown_bytes(s->out, sizeof s->out);
	s->handshake.in_have = have;
	s->handshake.has_y = unknown_bool();
	s->handshake.job_out = unknown_bool();
	s->key = role == SESSION_CLIENT ? &keys[0] : state == SESSION_SHARED ? &keys[unknown_size(0, KEYS - 1)] : NULL;
	s->out_have = (uint16_t)(unknown_bool() ? WIRE_NONCE : WIRE_NONCE + WIRE_Y_AND_MAC);
	s->out_sent = (uint16_t)unknown_size(0, WIRE_NONCE);
}

/* What may come next, whatever came before. */
static void
ask(const struct session *s)
{
	const uint8_t *bytes;
	size_t length;

	(void)session_wants(s);
	length = session_wants_bytes(s);
	//@ assert wants: length <= WIRE_Y_AND_MAC;
	length = session_out(s, &bytes);
	//@ assert out: length <= sizeof(s->out);
	(void)session_error(s);
	(void)session_key(s);
	(void)session_has_met(s);
}

static void
feed(enum session_role role, enum session_state state, uint16_t have)
{
	uint8_t in[2 * WIRE_Y_AND_MAC];
	struct session s;

	in_handshake(&s, role, state, have);
	unknown_bytes(in, sizeof in);
	(void)session_feed(&s, in, unknown_size(0, sizeof in));
	keeps_the_rules(&s);
	ask(&s);
	session_end(&s);
	//@ slevel merge;
}

/* Of bytes that were handed in none beyond the last is looked at: they end where their memory ends. */
static void
feed_exactly(enum session_role role, enum session_state state, size_t length)
{
	uint8_t in[WIRE_Y_AND_MAC + 1];
	struct session s;

	in_handshake(&s, role, state, 0);
	unknown_bytes(in, sizeof in);
	(void)session_feed(&s, in + sizeof in - length, length);
	keeps_the_rules(&s);
	session_end(&s);
	//@ slevel merge;
}

static void
every_fragmentation(enum session_role role)
{
	//@ loop unroll 33;
	for (uint16_t have = 0; have <= WIRE_NONCE; have++)
		feed(role, SESSION_NONCES, have);
	//@ loop unroll 289;
	for (uint16_t have = 0; have <= WIRE_Y_AND_MAC; have++)
		feed(role, SESSION_PEER_Y, have);
	//@ loop unroll 34;
	for (size_t length = 0; length <= WIRE_NONCE + 1; length++)
		feed_exactly(role, SESSION_NONCES, length);
	//@ loop unroll 10;
	for (size_t length = 1; length <= WIRE_Y_AND_MAC + 1; length += WIRE_NONCE)
		feed_exactly(role, SESSION_PEER_Y, length);
	feed_exactly(role, SESSION_PEER_Y, WIRE_Y_AND_MAC);
	feed(role, SESSION_SHARED, WIRE_Y_AND_MAC);
	feed(role, SESSION_BROKEN, 0);
}

/* Jobs asked for and brought back at any time, run or not, while another is out or not. */
static void
jobs_while(bool job_out, enum session_role role, enum session_state state)
{
	struct session s;
	struct job job;

	in_handshake(
	    &s, role, state, (uint16_t)(state == SESSION_MATCH || state == SESSION_SHARED ? WIRE_Y_AND_MAC : 0));
	s.handshake.job_out = job_out;
	session_job(&s, &job);
	if (unknown_bool())
		job_run(&job);
	(void)session_job_done(&s, &job);
	job_wipe(&job);
	keeps_the_rules(&s);
	ask(&s);
	session_end(&s);
	session_end(&s);
	//@ slevel merge;
}

static void
jobs(enum session_role role, enum session_state state)
{
	jobs_while(false, role, state);
	jobs_while(true, role, state);
}

/* Whatever of what there is to send has gone. */
static void
sending(enum session_role role)
{
	struct session s;
	const uint8_t *bytes;
	size_t length;

	in_handshake(&s, role, SESSION_PEER_Y, 0);
	length = session_out(&s, &bytes);
	if (length > 0) {
		//@ assert bytes_are_there: \valid_read(bytes) && \initialized(bytes);
	}
	start(&s, role);
	length = session_out(&s, &bytes);
	session_sent(&s, unknown_size(0, length));
	keeps_the_rules(&s);
	ask(&s);
}

/* Refused before the keys are there, and ended by whoever ends it. */
static void
packets(enum session_role role)
{
	static uint8_t plain[WIRE_PLAIN_MAX], wire[WIRE_PACKET];
	struct session s;
	struct job job;
	size_t sealed, opened;

	in_handshake(&s, role, SESSION_SHARED, WIRE_Y_AND_MAC);
	s.handshake.job_out = false;
	session_job(&s, &job);
	job_run(&job);
	if (session_job_done(&s, &job) == OK) {
		unknown_bytes(plain, sizeof plain);
		(void)session_seal(&s, wire, plain, sizeof plain, &sealed);
		unknown_bytes(wire, sizeof wire);
		(void)session_open(&s, plain, wire, 1, &opened);
	}
	session_end(&s);
	(void)session_seal(&s, wire, plain, sizeof plain, &sealed);
	(void)session_open(&s, plain, wire, 1, &opened);
}

int
main(void)
{
	engine = engine_new(ENGINE_LIBCRYPTO);
	if (engine == NULL)
		return 1;
	unknown_bytes(keys, sizeof keys);
	//@ loop unroll 2;
	for (int i = 0; i < 2; i++) {
		enum session_role role = i == 0 ? SESSION_CLIENT : SESSION_SERVER;

		every_fragmentation(role);
		jobs(role, SESSION_NONCES);
		jobs(role, SESSION_PEER_Y);
		if (role == SESSION_SERVER)
			jobs(role, SESSION_MATCH);
		jobs(role, SESSION_SHARED);
		jobs(role, SESSION_BROKEN);
		sending(role);
		packets(role);
	}
	engine_free(engine);
	return 0;
}
