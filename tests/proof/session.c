/*
 * session.c: stands in for src/protocol/session.c where the proof is about src/pipe: what protocol/session.h promises,
 * and asks for. prove_session.c and prove_packet.c prove the real one to keep it.
 */
#include "protocol/session.h"

#include <string.h>

#include "unknown.h"

static struct key_name the_name;
static const struct key the_key = {.name = &the_name};

static enum error
perhaps(void)
{
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires session: \valid(session);
    requires random: \valid_read(random + (0 .. 63)) && \initialized(random + (0 .. 63)); */
void
session_start(struct session *session, enum session_role role, enum forward_secrecy forward_secrecy,
    struct keyring *keyring, struct engine *engine, const uint8_t random[SESSION_RANDOM])
{
	memset(session, 0, sizeof *session);
	if (role == SESSION_CLIENT)
		session->key = &the_key;
}

/*@ requires session: \valid(session); */
void
session_end(struct session *session)
{
	unknown_bytes(session->out, sizeof session->out);
}

/*@ requires session: \valid_read(session); */
unsigned
session_wants(const struct session *session)
{
	if (session->key != NULL && unknown_bool())
		return unknown_bool() ? SESSION_READY : SESSION_READY | SESSION_WRITE;
	return unknown_bool() ? SESSION_FAILED : (unsigned)unknown_size(0, SESSION_READY - 1);
}

/*@ requires session: \valid_read(session);
    ensures most: \result <= 288; */
size_t
session_wants_bytes(const struct session *session)
{
	return unknown_size(0, WIRE_Y_AND_MAC);
}

/*@ requires session: \valid(session);
    requires bytes: \valid_read(in + (0 .. length - 1)) && \initialized(in + (0 .. length - 1)); */
enum error
session_feed(struct session *session, const uint8_t *in, size_t length)
{
	return perhaps();
}

/*@ requires session: \valid_read(session);
    requires bytes: \valid(bytes);
    ensures there: \valid_read(*bytes + (0 .. \result - 1)); */
size_t
session_out(const struct session *session, const uint8_t **bytes)
{
	*bytes = session->out;
	return unknown_size(0, sizeof session->out);
}

/*@ requires session: \valid(session); */
void
session_sent(struct session *session, size_t length)
{
}

/*@ requires session: \valid(session);
    requires job: \valid(job); */
void
session_job(struct session *session, struct job *job)
{
	unknown_bytes(job, sizeof *job);
}

/*@ requires session: \valid(session);
    requires job: \valid_read(job) && \initialized(job); */
enum error
session_job_done(struct session *session, const struct job *job)
{
	unknown_bytes(session->out, sizeof session->out);
	if (unknown_bool())
		session->key = &the_key;
	return perhaps();
}

/*@ requires session: \valid_read(session); */
enum error
session_error(const struct session *session)
{
	return perhaps();
}

/* What is asked twice gives the same twice: apart from here on are the states with a key and those without. */
/*@ requires session: \valid_read(session); */
const struct key *
session_key(const struct session *session)
{
	return session->key == NULL ? NULL : session->key;
}

/*@ requires session: \valid_read(session); */
bool
session_has_met(const struct session *session)
{
	return unknown_bool();
}

/*@ requires session: \valid(session);
    requires length: 1 <= length <= PACKET_BATCH_PLAIN;
    requires plain: \valid_read(plain + (0 .. length - 1)) && \initialized(plain + (0 .. length - 1));
    requires room: \valid(wire + (0 .. (length + 1023) / 1024 * 1060 - 1));
    requires sealed: \valid(sealed); */
enum error
session_seal(struct session *session, uint8_t *wire, const uint8_t *plain, size_t length, size_t *sealed)
{
	*sealed = 0;
	if (unknown_bool())
		return ERROR_CRYPTO;
	*sealed = packet_count(length) * WIRE_PACKET;
	return OK;
}

/*@ requires session: \valid(session);
    requires count: 1 <= count <= PACKET_BATCH_MAX;
    requires wire: \valid(wire + (0 .. count * 1060 - 1)) && \initialized(wire + (0 .. count * 1060 - 1));
    requires room: \valid(plain + (0 .. count * 1024 - 1));
    requires overlap: \separated(plain + (0 .. count * 1024 - 1), wire + (0 .. count * 1060 - 1));
    requires opened: \valid(opened);
    ensures opened: *opened <= count * 1024; */
enum error
session_open(struct session *session, uint8_t *plain, uint8_t *wire, size_t count, size_t *opened)
{
	*opened = unknown_size(0, count * WIRE_PLAIN_MAX);
	return unknown_bool() ? OK : ERROR_BAD_MAC;
}
