/*
 * handshake.c: a session, as client or as server (FUZZ_ROLE), that meets a peer whose bytes are the input. After each
 * call the session must be where an honest implementation is: handshake_input.c has one. Input: handshake_input.h; it
 * seals 8 * say + 1 bytes.
 */
#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "handshake_input.h"

enum { BATCH = 16, SAY_MAX = 8 * 255 + 1 };

struct run {
	struct handshake_head head;
	struct handshake_story story;
	const uint8_t *peer; /* its bytes */
	size_t size, fed;
	struct session session;
	struct key keys[KEYS];
	struct keyring ring;
	uint8_t sent[WIRE_NONCE + WIRE_Y_AND_MAC];
	size_t sent_length;
	unsigned step;
	enum error expected; /* what it should be broken by; OK: it isn't */
};

/* Broken for good, by the first error; no secret is left, and nothing can be had from it any more. */
static void
check_broken(struct session *session, enum error error)
{
	uint8_t packet[WIRE_PACKET] = {0}, plain[WIRE_PLAIN_MAX] = {0};
	const uint8_t *bytes;
	struct job job;
	size_t n = 1;

	check(session_wants(session) == SESSION_FAILED);
	check(session_error(session) == error);
	check(session_wants_bytes(session) == 0);
	check(fuzz_is_wiped(&session->handshake, sizeof session->handshake));
	check(fuzz_is_wiped(&session->data, sizeof session->data));
	check(fuzz_is_wiped(session->out, sizeof session->out));
	check(session_out(session, &bytes) == 0);
	check(session_feed(session, plain, 1) == error);
	check(session_seal(session, packet, plain, 1, &n) == error && n == 0);
	check(session_open(session, plain, packet, 1, &n) == error && n == 0);
	session_job(session, &job);
	check(job.kind == JOB_POWERS && fuzz_is_wiped(job.x, sizeof job.x) && !job.wants_y && !job.wants_shared);
	check(session_job_done(session, &job) == error);
	session_end(session);
	check(session_error(session) == error);
}

static size_t
piece(const struct run *run, size_t length)
{
	return run->head.piece != 0 && run->head.piece < length ? run->head.piece : length;
}

static void
take_out(struct run *run)
{
	const uint8_t *bytes;
	size_t length = session_out(&run->session, &bytes);

	length = piece(run, length);
	check(run->sent_length + length <= sizeof run->sent);
	memcpy(run->sent + run->sent_length, bytes, length);
	run->sent_length += length;
	session_sent(&run->session, length);
}

/* A stranger makes nobody compute a power: before S4 a server has a match, of what the peer has sent and nothing else.
 */
static void
check_kind(const struct run *run, const struct job *job)
{
	if (session_key(&run->session) != NULL) {
		check(job->kind == JOB_POWERS);
		return;
	}
	check(run->fed == HANDSHAKE && job->kind == JOB_MATCH && job->error != OK);
	check(job->match.keyring == &run->ring && job->match.key == NULL);
	check(memcmp(job->match.y_and_mac, run->peer + WIRE_NONCE, WIRE_Y_AND_MAC) == 0);
	check(memcmp(job->match.nonces, run->peer, WIRE_NONCE) == 0);
	check(memcmp(job->match.nonces + WIRE_NONCE, run->head.random, WIRE_NONCE) == 0);
}

static void
do_job(struct run *run, enum misuse misuse)
{
	struct job job, undue;
	enum error error;

	session_job(&run->session, &job);
	check_kind(run, &job);
	check((session_wants(&run->session) & SESSION_JOB) == 0);
	if (misuse == MISUSE_JOB_TWICE) {
		session_job(&run->session, &undue);
		check(undue.kind == JOB_POWERS && !undue.wants_y && !undue.wants_shared);
		check(fuzz_is_wiped(undue.x, sizeof undue.x));
	}
	if (misuse != MISUSE_NOT_RUN)
		job_run(&job);
	if (misuse == MISUSE_JOB_FAILED)
		job.error = ERROR_CRYPTO;
	if (misuse == MISUSE_JOB_FAILED || misuse == MISUSE_NOT_RUN)
		run->expected = job.error; /* OK where there was nothing to do */
	else if (job.kind == JOB_MATCH)
		run->expected = run->story.verdict;
	error = session_job_done(&run->session, &job);
	check(error == run->expected);
	if (job.kind == JOB_MATCH) /* a server knows the client's key from S4 on */
		check(session_key(&run->session) == (error == OK ? &run->keys[run->story.key_at] : NULL));
	job_wipe(&job);
}

static void
feed(struct run *run)
{
	size_t wants = session_wants_bytes(&run->session), length = run->size - run->fed;
	bool is_greedy = (run->head.manner & MANNER_GREEDY) != 0;

	length = piece(run, is_greedy || length < wants ? length : wants);
	if (length > wants)
		run->expected = ERROR_BAD_LENGTH;
	else if (run->fed + length == HANDSHAKE && run->session.role == SESSION_CLIENT)
		run->expected = run->story.verdict;
	check(session_feed(&run->session, run->peer + run->fed, length) == run->expected);
	run->fed += length;
	check((session_key(&run->session) != NULL) == (run->session.role == SESSION_CLIENT)); /* who picks its own */
}

/* What no driver of ours does; the session must not mind, or break as it says. */
static void
misuse(struct run *run, enum misuse what)
{
	uint8_t packet[WIRE_PACKET] = {0}, plain[WIRE_PLAIN_MAX] = {0};
	bool is_ready = (session_wants(&run->session) & SESSION_READY) != 0;
	struct job job = {.error = OK};
	size_t n;

	if (what == MISUSE_EMPTY_FEED)
		check(session_feed(&run->session, plain, 0) == OK);
	if (what == MISUSE_END) {
		run->expected = ERROR_KILLED;
		session_end(&run->session);
	} else if (what == MISUSE_DONE) {
		run->expected = ERROR_CRYPTO;
		check(session_job_done(&run->session, &job) == ERROR_CRYPTO);
	} else if (what == MISUSE_SEAL && !is_ready) {
		run->expected = ERROR_CRYPTO;
		check(session_seal(&run->session, packet, plain, 1, &n) == ERROR_CRYPTO && n == 0);
	} else if (what == MISUSE_OPEN && !is_ready) {
		run->expected = ERROR_CRYPTO;
		check(session_open(&run->session, plain, packet, 1, &n) == ERROR_CRYPTO && n == 0);
	}
}

/* Until the handshake is done, the session is broken, or the peer has said all. */
static void
shake_hands(struct run *run)
{
	enum misuse what = (enum misuse)(run->head.misuse % 16);

	for (; run->expected == OK; run->step++) {
		enum misuse now = run->step == run->head.misuse / 16 ? what : MISUSE_NONE;
		unsigned wants;
		bool has_bytes, is_late = (run->head.manner & MANNER_LATE) != 0;

		misuse(run, now);
		if (run->expected != OK)
			break;
		wants = session_wants(&run->session);
		has_bytes = (wants & SESSION_READ) != 0 && run->fed < run->size;
		if ((wants & SESSION_WRITE) != 0)
			take_out(run);
		else if ((wants & SESSION_JOB) != 0 && !(is_late && has_bytes))
			do_job(run, what == MISUSE_NOT_RUN || what == MISUSE_JOB_FAILED ? now : what);
		else if (has_bytes)
			feed(run);
		else
			break;
	}
}

/* All that has been sent is what the protocol says: not a byte before its time, and no other. */
static void
check_sent(const struct run *run)
{
	const uint8_t *dhmac = run->story.dk_1 + (run->session.role == SESSION_CLIENT ? WIRE_DHMAC_C : WIRE_DHMAC_S);
	uint8_t all[WIRE_NONCE + WIRE_Y_AND_MAC];

	memcpy(all, run->head.random, WIRE_NONCE);
	memcpy(all + WIRE_NONCE, run->story.y, WIRE_Y);
	peer_hmac(dhmac, run->story.y, WIRE_Y, all + WIRE_NONCE + WIRE_Y);
	check(memcmp(run->sent, all, run->sent_length) == 0);
	if (run->session.role == SESSION_SERVER && (run->fed < HANDSHAKE || run->story.verdict != OK))
		check(run->sent_length <= WIRE_NONCE);
	if (run->session.role == SESSION_CLIENT && run->fed < WIRE_NONCE)
		check(run->sent_length <= WIRE_NONCE);
}

/* What it seals, anybody with the keys can open. */
static void
say(struct run *run)
{
	static uint8_t wire[(SAY_MAX / WIRE_PLAIN_MAX + 1) * WIRE_PACKET];
	uint8_t plain[SAY_MAX], heard[WIRE_PLAIN_MAX];
	size_t length = 8 * (size_t)run->head.say + 1, sealed, at = 0, n;

	for (size_t i = 0; i < length; i++)
		plain[i] = (uint8_t)(i + run->head.say);
	check(session_seal(&run->session, wire, plain, length, &sealed) == OK);
	check(sealed == packet_count(length) * WIRE_PACKET);
	for (size_t i = 0; i * WIRE_PACKET < sealed; i++) {
		check(peer_open(&run->story.ours, i, wire + i * WIRE_PACKET, heard, &n) == PEER_GOOD);
		check(at + n <= length && memcmp(heard, plain + at, n) == 0);
		at += n;
	}
	check(at == length);
}

/* What the peer's packets say comes out, byte for byte, up to the first that is wrong. */
static void
listen(struct run *run)
{
	static uint8_t wire[BATCH * WIRE_PACKET], plain[BATCH * WIRE_PLAIN_MAX], expected[BATCH * WIRE_PLAIN_MAX];
	uint64_t number = 0;

	while (run->expected == OK && run->size - run->fed >= WIRE_PACKET) {
		size_t count = (run->size - run->fed) / WIRE_PACKET, most = run->head.batch % BATCH + 1u;
		size_t length = 0, opened, n;

		count = count < most ? count : most;
		memcpy(wire, run->peer + run->fed, count * WIRE_PACKET);
		for (size_t i = 0; i < count && run->expected == OK; i++) {
			enum peer_verdict verdict =
			    peer_open(&run->story.theirs, number++, wire + i * WIRE_PACKET, expected + length, &n);

			length += n;
			if (verdict != PEER_GOOD)
				run->expected = verdict == PEER_BAD_MAC ? ERROR_BAD_MAC : ERROR_BAD_LENGTH;
		}
		check(session_open(&run->session, plain, wire, count, &opened) == run->expected);
		check(opened == length && memcmp(plain, expected, length) == 0);
		run->fed += count * WIRE_PACKET;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	bool is_whole;

	memset(&run, 0, sizeof run);
	if (size < sizeof run.head + SCRIPT)
		return 0;
	memcpy(&run.head, data, sizeof run.head);
	run.peer = data + sizeof run.head + SCRIPT;
	run.size = size - sizeof run.head - SCRIPT;
	is_whole = run.size >= HANDSHAKE;
	handshake_tell(&run.head, run.peer, run.size, &run.story);
	handshake_ring(&run.story, run.head.k, run.keys);
	run.ring = (struct keyring){.count = KEYS, .keys = run.keys};
	session_start(&run.session, FUZZ_ROLE, run.story.mode, &run.ring, handshake_engine(&run.head), run.head.random);
	shake_hands(&run);
	check_sent(&run);
	if (run.expected == OK && (session_wants(&run.session) & SESSION_READY) != 0) {
		check(is_whole && run.story.verdict == OK && run.sent_length == sizeof run.sent);
		say(&run);
		listen(&run);
	}
	if (run.expected == OK) {
		check(session_error(&run.session) == OK);
		session_end(&run.session);
		run.expected = ERROR_KILLED;
	}
	check_broken(&run.session, run.expected);
	return 0;
}
