/*
 * session.h: one end of one connection: the handshake, and then packets both ways. Sans-I/O: bytes, random bytes and
 * results of jobs come in; bytes, wishes and verdicts come out. Allocated by its caller, fixed in size; keeps no
 * pointer to a buffer of its caller's, only to the keyring and to the engine.
 */
#ifndef PROTOCOL_SESSION_H
#define PROTOCOL_SESSION_H

#include "protocol/job.h"
#include "protocol/keyring.h"
#include "protocol/packet.h"

enum session_role { SESSION_CLIENT, SESSION_SERVER };

enum forward_secrecy {
	FORWARD_SECRECY,          /* ours, whatever the peer does */
	FORWARD_SECRECY_OFF,      /* -f: x = 0, y = 1 */
	FORWARD_SECRECY_REQUIRED, /* -g: refuse a peer that sends y = 1 */
};

/* What session_wants answers: bits, several at once. */
enum {
	SESSION_READ = 1,   /* session_wants_bytes(s) more handshake bytes from the peer */
	SESSION_WRITE = 2,  /* session_out has bytes for the peer */
	SESSION_JOB = 4,    /* session_job has work for somebody */
	SESSION_READY = 8,  /* keys are there: seal and open; may come with SESSION_WRITE (a server's S5) */
	SESSION_FAILED = 16 /* for ever; session_error says why; all secrets are wiped already */
};

enum { SESSION_RANDOM = WIRE_NONCE + WIRE_X };

enum session_state {
	SESSION_NONCES, /* S1/C1, S2/C2 */
	SESSION_PEER_Y, /* C5, S4: the peer's y and MAC are awaited */
	SESSION_MATCH,  /* S4: they are there, and a job is to find out which key it is */
	SESSION_SHARED, /* S5 and S6, or C6: a job is to be run */
	SESSION_DATA,
	SESSION_BROKEN
};

/* The members are for session.c alone, but for partial. */
struct session {
	enum session_role role;
	enum forward_secrecy forward_secrecy;
	enum session_state state;
	enum error error;
	bool has_met; /* the peer's nonce was there: it may be one of us */
	struct engine *engine;
	struct keyring *keyring;
	const struct key *key;
	union {
		struct session_handshake {
			uint8_t nonces[2 * WIRE_NONCE]; /* nonce_C || nonce_S */
			uint8_t x[WIRE_X];
			uint8_t dk_1[WIRE_DK_1];
			uint8_t in[WIRE_Y_AND_MAC]; /* what has arrived of the message that is awaited or at work */
			uint16_t in_have;
			bool has_y;   /* ours stands in out, behind the nonce */
			bool job_out; /* a job is with somebody */
		} handshake;
		struct {
			struct packet_direction seal, open;
		} data;
	};
	/*
	 * What has to be sent still: lives on into SESSION_DATA, since a server's S5 does. Nothing secret. When it has
	 * gone, and session_wants is SESSION_READY alone, its place is the owner's, who keeps a part of a packet there:
	 * thousands of idle connections should cost little.
	 */
	union {
		uint8_t out[WIRE_NONCE + WIRE_Y_AND_MAC];
		uint8_t partial[WIRE_PACKET];
	};
	uint16_t out_have, out_sent;
};

/*
 * Starts a handshake. random is SESSION_RANDOM fresh random bytes, the nonce then x, wiped by the caller afterwards.
 * engine outlives the session, keyring its handshake. Never fails; a client needs keyring->count >= 1.
 */
void session_start(struct session *session, enum session_role role, enum forward_secrecy forward_secrecy,
    struct keyring *keyring, struct engine *engine, const uint8_t random[SESSION_RANDOM]);

/*
 * Wipes all secrets; the session is SESSION_FAILED afterwards, by ERROR_KILLED if it had no error yet. Whoever started
 * one ends it, once or more often.
 */
void session_end(struct session *session);

unsigned session_wants(const struct session *session);

/*
 * How many bytes the handshake still takes before it has to think: the most that may be read. 0 unless SESSION_READ;
 * so for a client between C2 and C4, when an honest server can have nothing to say.
 */
size_t session_wants_bytes(const struct session *session);

/*
 * Bytes that arrived, at most session_wants_bytes (more is ERROR_BAD_LENGTH). OK, or the error that ended the session.
 * (C2, S2, S4, C5)
 */
enum error session_feed(struct session *session, const uint8_t *in, size_t length);

/*
 * SESSION_WRITE: what to send next, in the order of the protocol; *bytes points into the session and stays good until
 * the next call with it. session_sent says how many of them have gone. (C1, S1, C4, S5)
 */
size_t session_out(const struct session *session, const uint8_t **bytes);
void session_sent(struct session *session, size_t length);

/*
 * SESSION_JOB: copies what is to be computed into *job and is no longer wanted. Both hand out two, one after the other:
 * a client C4, C6; a server S3 with S4, which finds the key, and only after that S5 with S6, for which it waits as long
 * as its caller likes. One may be empty (-f); running it costs nothing then. session_job_done takes the result back:
 * OK, or the error that ended the session (C7, S7). The caller wipes the job.
 */
void session_job(struct session *session, struct job *job);
enum error session_job_done(struct session *session, const struct job *job);

/* Why it FAILED; OK while it hasn't. */
enum error session_error(const struct session *session);

/* Whether the peer's nonce came, however it ended: what did not send as much is none of us. */
bool session_has_met(const struct session *session);

/* The key that the peer proved to have (server, from S4 on) or that we use (client); else NULL. Owned by the keyring.
 */
const struct key *session_key(const struct session *session);

/* SESSION_READY only: as packet_seal and packet_open, with the engine and the keys of this session; errors stick. */
enum error session_seal(struct session *session, uint8_t *wire, const uint8_t *plain, size_t length, size_t *sealed);
enum error session_open(struct session *session, uint8_t *plain, uint8_t *wire, size_t count, size_t *opened);

#endif
