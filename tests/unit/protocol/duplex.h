/* duplex.h: both ends of one connection in memory, and the ways to move bytes between them. */
#ifndef TESTS_PROTOCOL_DUPLEX_H
#define TESTS_PROTOCOL_DUPLEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "protocol/session.h"

enum { DUPLEX_KEYS = 3, DUPLEX_KEY = 1 /* of the server's ring, the client's */ };

/* How handshake bytes are cut on their way: each direction at one offset, or into single bytes. */
struct cutting {
	size_t client_at, server_at;
	bool single;
	bool jobs_late; /* a job is run only when no byte can move any more */
};

struct duplex {
	struct engine *engine;
	struct key_name names[DUPLEX_KEYS];
	struct key keys[DUPLEX_KEYS];
	struct keyring server_ring, client_ring;
	uint8_t client_random[SESSION_RANDOM], server_random[SESSION_RANDOM];
	struct session client, server;
	struct job client_y_job, client_job, match_job, server_job; /* as they came back */
};

/* A cmocka setup and teardown of one duplex with nothing started in it. */
int duplex_setup(void **state);
int duplex_teardown(void **state);

/* Starts both ends afresh. */
void duplex_start(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server);

/* Moves handshake bytes and runs jobs until nothing more happens; checks at each step what must always hold. */
void duplex_shake_hands(struct duplex *duplex, const struct cutting *cutting);

/* Starts both ends and brings them to SESSION_READY, all bytes at once. */
void duplex_open(struct duplex *duplex, enum forward_secrecy client, enum forward_secrecy server);

/* Takes the job that is due, which is a match where no key is known yet, runs it, gives it back; a copy in *job. */
enum error run_job(struct session *session, struct job *job);

/* Takes all bytes that a session has to send. */
size_t take_out(struct session *session, uint8_t *out, size_t size);

/* Feeds all of in, in the pieces that the session asks for, until it has an error or wants no more of it. */
enum error feed_all(struct session *session, const uint8_t *in, size_t length);

/* All of the other end's y and MAC, and of a server the match that it asks for then: what comes of it. */
enum error give_y(struct session *session, const uint8_t message[WIRE_Y_AND_MAC]);

/* The message that an end with the key would send with this y (C3, C4, S5). */
void forge_y(
    const struct duplex *duplex, enum session_role sender, const uint8_t y[WIRE_Y], uint8_t message[WIRE_Y_AND_MAC]);

/* Starts a session of this role and brings it to where it awaits the peer's y; its own bytes are sent. */
struct session *await_peer_y(struct duplex *duplex, enum session_role role, enum forward_secrecy forward_secrecy);

/* Seals one message into a batch of packets that the test frees; *count is how many. */
uint8_t *seal_message(struct session *session, const uint8_t *plain, size_t length, size_t *count);

/* One message from one end to the other: arrives whole. */
void assert_crosses(struct session *from, struct session *to, const uint8_t *plain, size_t length);

/* The session is broken by this, for good, and holds and says nothing any more. */
void assert_broken(struct session *session, enum error error);

bool holds(const void *memory, size_t size, const void *secret, size_t length);

/* Bytes that look random and are the same each time. */
void fill(uint8_t *bytes, size_t length, unsigned seed);

#endif
