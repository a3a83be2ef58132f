/* session.c: the handshake, clause by clause, and then packets both ways. No I/O, no allocation, no randomness. */
#include "protocol/session.h"

#include <string.h>

#include "base/bytes.h"

/* What -f sends for y and takes for y_SC. */
static const uint8_t one[WIRE_Y] = {[WIRE_Y - 1] = 1};

/* The first error stays; after it there is no secret left, and nothing to send. */
static enum error
fail(struct session *session, enum error error)
{
	if (session->state == SESSION_BROKEN)
		return session->error;
	if (session->state == SESSION_DATA) {
		packet_direction_wipe(&session->data.seal, session->engine);
		packet_direction_wipe(&session->data.open, session->engine);
	}
	bytes_wipe(&session->handshake, sizeof session->handshake);
	bytes_wipe(session->out, sizeof session->out);
	session->out_have = session->out_sent = 0;
	session->state = SESSION_BROKEN;
	session->error = error;
	return error;
}

void
session_start(struct session *session, enum session_role role, enum forward_secrecy forward_secrecy,
    struct keyring *keyring, struct engine *engine, const uint8_t random[SESSION_RANDOM])
{
	struct session_handshake *handshake = &session->handshake;
	bool is_client = role == SESSION_CLIENT;

	memset(session, 0, sizeof *session);
	session->role = role;
	session->forward_secrecy = forward_secrecy;
	session->keyring = keyring;
	session->engine = engine;
	session->key = is_client ? &keyring->keys[0] : NULL;
	/* C1, S1: at once, waiting for nothing */
	memcpy(handshake->nonces + (is_client ? 0 : WIRE_NONCE), random, WIRE_NONCE);
	memcpy(session->out, random, WIRE_NONCE);
	session->out_have = WIRE_NONCE;
	/* With -f x stays 0. */
	if (forward_secrecy != FORWARD_SECRECY_OFF)
		memcpy(handshake->x, random + WIRE_NONCE, WIRE_X);
}

void
session_end(struct session *session)
{
	fail(session, ERROR_KILLED);
}

/* C4, S5: y, which stands behind the nonce already, and its MAC. */
static enum error
send_y(struct session *session)
{
	const uint8_t *dhmac =
	    session->handshake.dk_1 + (session->role == SESSION_CLIENT ? WIRE_DHMAC_C : WIRE_DHMAC_S);
	uint8_t *message = session->out + WIRE_NONCE;

	session->out_have = WIRE_NONCE + WIRE_Y_AND_MAC;
	return hash_hmac(dhmac, WIRE_MAC, message, WIRE_Y, message + WIRE_Y);
}

/* C2, S2: the other's nonce. */
static enum error
receive_nonce(struct session *session)
{
	struct session_handshake *handshake = &session->handshake;
	bool is_client = session->role == SESSION_CLIENT;
	enum error error;

	memcpy(handshake->nonces + (is_client ? WIRE_NONCE : 0), handshake->in, WIRE_NONCE);
	handshake->in_have = 0;
	session->has_met = true;
	session->state = SESSION_PEER_Y;
	if (!is_client)
		return OK; /* S3 is done by keyring_match: which key it is shows only with the client's y */
	/* C3 */
	error = hash_pbkdf2(session->key->k, handshake->nonces, sizeof handshake->nonces, handshake->dk_1, WIRE_DK_1);
	if (error != OK || !handshake->has_y)
		return error;
	return send_y(session); /* C4, when y was there first */
}

/* S4, C5: what an honest peer's y is not. Only after its MAC: a stranger learns nothing from which error it is. */
static enum error
check_peer_y(const struct session *session, const uint8_t y[WIRE_Y])
{
	if (!group14_valid(y))
		return ERROR_BAD_Y;
	if (session->forward_secrecy == FORWARD_SECRECY_REQUIRED && group14_is_one(y))
		return ERROR_NO_FORWARD_SECRECY;
	return OK;
}

/* S4: a client has shown which key it has; the check of its MAC came before, so that a stranger costs next to nothing.
 */
static enum error
accept_client(struct session *session, const struct job_match *match)
{
	struct session_handshake *handshake = &session->handshake;
	enum error error = check_peer_y(session, handshake->in);

	if (error != OK)
		return error;
	session->key = match->key;
	memcpy(handshake->dk_1, match->dk_1, WIRE_DK_1);
	session->state = SESSION_SHARED;
	return OK;
}

/* C5: the server's y and its MAC. */
static enum error
receive_server_y(struct session *session)
{
	const uint8_t *y = session->handshake.in, *mac = y + WIRE_Y;
	uint8_t expected[WIRE_MAC];
	enum error error;

	error = hash_hmac(session->handshake.dk_1 + WIRE_DHMAC_S, WIRE_MAC, y, WIRE_Y, expected);
	if (error == OK && !bytes_equal(expected, mac, WIRE_MAC))
		error = ERROR_WRONG_KEY;
	bytes_wipe(expected, sizeof expected);
	if (error == OK)
		error = check_peer_y(session, y);
	if (error == OK)
		session->state = SESSION_SHARED;
	return error;
}

/* C7, S7: the four keys. The handshake's secrets end here, and its memory becomes that of the packets. */
static enum error
start_data(struct session *session, const uint8_t shared[WIRE_Y])
{
	uint8_t salt[2 * WIRE_NONCE + WIRE_Y], dk_2[WIRE_DK_2];
	bool is_client = session->role == SESSION_CLIENT;
	enum error error;

	memcpy(salt, session->handshake.nonces, 2 * WIRE_NONCE);
	memcpy(salt + 2 * WIRE_NONCE, shared, WIRE_Y);
	error = hash_pbkdf2(session->key->k, salt, sizeof salt, dk_2, WIRE_DK_2);
	if (error == OK) {
		const uint8_t *client_keys = dk_2 + WIRE_E_C, *server_keys = dk_2 + WIRE_E_S;
		const uint8_t *ours = is_client ? client_keys : server_keys,
			      *theirs = is_client ? server_keys : client_keys;

		bytes_wipe(&session->handshake, sizeof session->handshake);
		session->state = SESSION_DATA;
		error = packet_direction_start(&session->data.seal, session->engine, ours, ours + WIRE_KEY);
		if (error == OK)
			error = packet_direction_start(&session->data.open, session->engine, theirs, theirs + WIRE_KEY);
	}
	bytes_wipe(salt, sizeof salt);
	bytes_wipe(dk_2, sizeof dk_2);
	return error;
}

/* A client's y may be computed from the start; a server computes no power before S4. */
static bool
job_is_due(const struct session *session)
{
	if (session->state >= SESSION_DATA || session->handshake.job_out)
		return false;
	return session->state == SESSION_MATCH || session->state == SESSION_SHARED ||
	       (session->role == SESSION_CLIENT && !session->handshake.has_y);
}

unsigned
session_wants(const struct session *session)
{
	unsigned wants = 0;

	if (session->state == SESSION_BROKEN)
		return SESSION_FAILED;
	if (session_wants_bytes(session) > 0)
		wants |= SESSION_READ;
	if (session->out_sent < session->out_have)
		wants |= SESSION_WRITE;
	if (job_is_due(session))
		wants |= SESSION_JOB;
	if (session->state == SESSION_DATA)
		wants |= SESSION_READY;
	return wants;
}

size_t
session_wants_bytes(const struct session *session)
{
	if (session->state == SESSION_NONCES)
		return WIRE_NONCE - (size_t)session->handshake.in_have;
	if (session->state != SESSION_PEER_Y)
		return 0;
	/* C5 comes after C4: a server can't answer what it hasn't got. */
	if (session->role == SESSION_CLIENT && !session->handshake.has_y)
		return 0;
	return WIRE_Y_AND_MAC - (size_t)session->handshake.in_have;
}

enum error
session_feed(struct session *session, const uint8_t *in, size_t length)
{
	enum error error = OK;

	if (length == 0 || session->state == SESSION_BROKEN)
		return session->error;
	if (length > session_wants_bytes(session))
		return fail(session, ERROR_BAD_LENGTH);
	memcpy(session->handshake.in + session->handshake.in_have, in, length);
	session->handshake.in_have = (uint16_t)(session->handshake.in_have + length);
	if (session_wants_bytes(session) > 0)
		return OK;
	if (session->state == SESSION_NONCES)
		error = receive_nonce(session);
	else if (session->role == SESSION_SERVER)
		session->state = SESSION_MATCH; /* S3 and S4 are a job: there may be many keys */
	else
		error = receive_server_y(session);
	return error == OK ? OK : fail(session, error);
}

size_t
session_out(const struct session *session, const uint8_t **bytes)
{
	*bytes = session->out + session->out_sent;
	return (size_t)session->out_have - session->out_sent;
}

void
session_sent(struct session *session, size_t length)
{
	session->out_sent = (uint16_t)(session->out_sent + length);
}

/* S3, S4: nothing of ours goes with it but the keys to try. */
static void
hand_out_match(const struct session *session, struct job *job)
{
	const struct session_handshake *handshake = &session->handshake;

	job->kind = JOB_MATCH;
	job->error = ERROR_CRYPTO; /* a job that nobody has run proves nothing */
	job->match.keyring = session->keyring;
	memcpy(job->match.nonces, handshake->nonces, sizeof handshake->nonces);
	memcpy(job->match.y_and_mac, handshake->in, WIRE_Y_AND_MAC);
}

void
session_job(struct session *session, struct job *job)
{
	struct session_handshake *handshake = &session->handshake;
	bool is_due = job_is_due(session);

	memset(job, 0, sizeof *job);
	if (is_due) /* else this may not be the handshake's memory any more */
		handshake->job_out = true;
	if (is_due && session->state == SESSION_MATCH) {
		hand_out_match(session, job);
		return;
	}
	memcpy(job->y, one, WIRE_Y);
	memcpy(job->shared, one, WIRE_Y);
	if (!is_due || session->forward_secrecy == FORWARD_SECRECY_OFF)
		return;
	/* C4, S5: x was picked at the start. C6, S6: a y of 1 has no other power than 1. */
	job->wants_y = !handshake->has_y;
	job->wants_shared = session->state == SESSION_SHARED && !group14_is_one(handshake->in);
	memcpy(job->x, handshake->x, WIRE_X);
	if (job->wants_shared)
		memcpy(job->peer_y, handshake->in, WIRE_Y);
	/* So that a job which nobody has run is not taken for a y_SC of 1. */
	if (job->wants_y || job->wants_shared)
		job->error = ERROR_CRYPTO;
}

enum error
session_job_done(struct session *session, const struct job *job)
{
	struct session_handshake *handshake = &session->handshake;
	bool is_server = session->role == SESSION_SERVER;
	enum error error = OK;

	if (session->state >= SESSION_DATA || !handshake->job_out ||
	    (job->kind == JOB_MATCH) != (session->state == SESSION_MATCH))
		return fail(session, ERROR_CRYPTO);
	if (job->error != OK)
		return fail(session, job->error);
	handshake->job_out = false;
	if (job->kind == JOB_MATCH) {
		error = accept_client(session, &job->match);
		return error == OK ? OK : fail(session, error);
	}
	if (!handshake->has_y) {
		memcpy(session->out + WIRE_NONCE, job->y, WIRE_Y);
		handshake->has_y = true;
		if (is_server || session->state == SESSION_PEER_Y)
			error = send_y(session); /* S5; C4, when the nonce was there first */
	}
	if (error == OK && session->state == SESSION_SHARED)
		error = start_data(session, job->shared); /* C6, S6 */
	return error == OK ? OK : fail(session, error);
}

enum error
session_error(const struct session *session)
{
	return session->error;
}

bool
session_has_met(const struct session *session)
{
	return session->has_met;
}

const struct key *
session_key(const struct session *session)
{
	return session->key;
}

enum error
session_seal(struct session *session, uint8_t *wire, const uint8_t *plain, size_t length, size_t *sealed)
{
	enum error error;

	*sealed = 0;
	if (session->state != SESSION_DATA)
		return fail(session, ERROR_CRYPTO);
	error = packet_seal(&session->data.seal, session->engine, wire, plain, length, sealed);
	return error == OK ? OK : fail(session, error);
}

enum error
session_open(struct session *session, uint8_t *plain, uint8_t *wire, size_t count, size_t *opened)
{
	enum error error;

	*opened = 0;
	if (session->state != SESSION_DATA)
		return fail(session, ERROR_CRYPTO);
	error = packet_open(&session->data.open, session->engine, plain, wire, count, opened);
	return error == OK ? OK : fail(session, error);
}
