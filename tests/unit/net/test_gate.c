/* test_gate.c: who may come in, who waits and who goes, and what their workers and the accepting thread hear of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "net/gate.h"
#include "test.h"

enum { WORKERS = 3, POSTED_MOST = 128, EVICTED_MOST = 64 /* gate.c's EVICTED_AT_ONCE */ };
static const char HERE[] = "[127.0.0.1]:1";

struct posted {
	struct mailbox *mailbox;
	enum mail_kind kind;
	void *about;
};

/* What went into mailboxes and was not looked at yet, in its order; and lines of the log. */
static struct posted posted[POSTED_MOST];
static size_t posted_count;
static unsigned lines;
static char last_line[256];

void __wrap_mailbox_post(struct mailbox *mailbox, struct mail *mail, enum mail_kind kind);

void
__wrap_mailbox_post(struct mailbox *mailbox, struct mail *mail, enum mail_kind kind)
{
	assert_true(posted_count < POSTED_MOST);
	posted[posted_count++] = (struct posted){mailbox, kind, mail->about};
}

static void
write_line(void *context, enum log_level level, bool stranger, const char *line)
{
	(void)context;
	assert_int_equal(level, LOG_LEVEL_WARNING);
	assert_false(stranger);
	(void)snprintf(last_line, sizeof last_line, "%s", line);
	lines++;
}

/* Each test's own, made anew. */
static struct place {
	struct log_sink log;
	struct server_config config;
	struct mailbox acceptor;
	struct worker workers[WORKERS];
	struct gate gate;
	uint64_t now;
} place;

static void
place_start(enum pipe_kind kind, uint32_t handshakes, uint32_t connections)
{
	posted_count = 0;
	lines = 0;
	last_line[0] = '\0';
	memset(&place, 0, sizeof place);
	place.log.write = write_line;
	place.config =
	    (struct server_config){.log = &place.log, .max_handshakes = handshakes, .max_connections = connections};
	place.config.pipe.kind = kind;
	assert_int_equal(gate_start(&place.gate, &place.config, &place.acceptor), 0);
	place.gate.strangers_most = UINT32_MAX;
	for (int i = 0; i < WORKERS; i++) {
		place.workers[i].gate = &place.gate;
		assert_int_equal(uv_loop_init(&place.workers[i].loop), 0);
	}
}

static void
place_end(void)
{
	assert_int_equal(posted_count, 0);
	assert_int_equal(gate_count(&place.gate), 0);
	assert_int_equal(place.gate.waiting, 0);
	assert_int_equal(place.gate.evicted, 0);
	assert_int_equal(place.gate.admission.strangers, 0);
	assert_int_equal(place.gate.admission.admitted, 0);
	for (int i = 0; i < WORKERS; i++) {
		assert_int_equal(place.workers[i].count, 0);
		assert_int_equal(uv_loop_close(&place.workers[i].loop), 0);
	}
	gate_free(&place.gate);
}

/* The next mail that was posted is this. */
static void
assert_posted(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	assert_true(posted_count > 0);
	assert_ptr_equal(posted[0].mailbox, mailbox);
	assert_int_equal(posted[0].kind, kind);
	assert_ptr_equal(posted[0].about, about);
	posted_count--;
	memmove(posted, posted + 1, posted_count * sizeof posted[0]);
}

static void
assert_told(struct accepted *accepted, enum mail_kind verdict)
{
	assert_posted(&accepted->worker->mailbox, verdict, accepted);
}

/* NULL: there was no place for it. */
static struct accepted *
enter(const char *from)
{
	struct address peer = address_of(from);
	struct accepted *accepted = calloc(1, sizeof *accepted);

	assert_non_null(accepted);
	assert_true(gate_open(&place.gate, place.now));
	if (gate_enter(&place.gate, accepted, &peer, place.workers, WORKERS, place.now))
		return accepted;
	free(accepted);
	return NULL;
}

/* One that has proved its key: admitted, or waiting for room under -n. */
static struct accepted *
enter_with_key(bool is_admitted)
{
	struct accepted *accepted = enter(HERE);

	assert_int_equal(gate_proved(accepted), is_admitted);
	return accepted;
}

/* It was told to go, hears of it and does. */
static void
goes(struct accepted *accepted)
{
	assert_told(accepted, MAIL_EVICTED);
	assert_true(gate_heard(accepted));
	gate_gone(accepted);
}

static void
test_a_stranger_who_proves_a_key_is_admitted(void **state)
{
	struct accepted *accepted;

	(void)state;
	place_start(PIPE_DECRYPT, 8, 0);
	accepted = enter(HERE);
	assert_int_equal(gate_count(&place.gate), 1);
	assert_true(gate_proved(accepted));
	gate_gone(accepted);
	place_end();
}

static void
test_the_worker_that_has_fewest_gets_the_next(void **state)
{
	struct accepted *all[2 * WORKERS];

	(void)state;
	place_start(PIPE_DECRYPT, 8, 0);
	for (int i = 0; i < 2 * WORKERS; i++) {
		all[i] = enter(HERE);
		assert_ptr_equal(all[i]->worker, &place.workers[i % WORKERS]);
	}
	gate_gone(all[1]);
	all[1] = enter(HERE);
	assert_ptr_equal(all[1]->worker, &place.workers[1]);
	for (int i = 0; i < 2 * WORKERS; i++)
		gate_gone(all[i]);
	place_end();
}

/* What comes over IPv4 is one source a host, whichever kind of socket took it; over IPv6 one a /64. */
static void
test_of_the_source_with_most_strangers_the_oldest_goes(void **state)
{
	static const struct {
		const char *many, *more, *few;
	} sources[] = {
	    {"[127.0.0.1]:1", "[::ffff:127.0.0.1]:2", "[127.0.0.2]:1"},
	    {"[2001:db8::1]:1", "[2001:db8::ffff:0:0:2]:1", "[2001:db8:0:1::1]:1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
		struct accepted *few, *oldest, *second, *newest;

		place_start(PIPE_DECRYPT, 3, 0);
		few = enter(sources[i].few);
		oldest = enter(sources[i].many);
		second = enter(sources[i].more);
		newest = enter(sources[i].few);
		assert_told(oldest, MAIL_EVICTED);
		assert_string_equal(last_line, "limit handshakes=3");
		assert_int_equal(lines, 1);
		assert_false(gate_proved(oldest)); /* it is too late */
		assert_true(gate_heard(oldest));
		gate_gone(oldest);
		gate_gone(few);
		assert_true(gate_proved(second));
		gate_gone(second);
		gate_gone(newest);
		place_end();
	}
}

static void
test_who_is_told_to_go_and_is_gone_already_is_freed_when_that_is_heard(void **state)
{
	struct accepted *first, *second;

	(void)state;
	place_start(PIPE_DECRYPT, 1, 0);
	first = enter(HERE);
	second = enter("[127.0.0.1]:2");
	gate_gone(first);
	assert_told(first, MAIL_EVICTED);
	assert_false(gate_heard(first));
	gate_gone(second);
	place_end();
}

static void
test_one_beyond_n_waits_until_another_has_gone(void **state)
{
	struct accepted *first, *second, *gone, *third, *stranger, *newcomer;

	(void)state;
	place_start(PIPE_DECRYPT, 4, 1);
	first = enter_with_key(true);
	second = enter_with_key(false);
	gone = enter_with_key(false);
	third = enter_with_key(false);
	assert_int_equal(lines, 1); /* once a minute */
	assert_string_equal(last_line, "limit connections=1");
	assert_true(gate_open(&place.gate, place.now));
	gate_close(&place.gate); /* nobody was there; a stranger takes no place before it has proved a key */
	assert_int_equal(posted_count, 0);
	stranger = enter(HERE); /* in the one slot that is left */
	newcomer = enter(HERE);
	goes(stranger); /* and none of those who wait */
	gate_gone(gone);
	gate_gone(first);
	assert_told(second, MAIL_ADMITTED); /* who has waited longest */
	gate_gone(second);                  /* before it has heard of that: its place is the next one's */
	assert_told(third, MAIL_ADMITTED);
	assert_false(gate_heard(second));
	assert_true(gate_heard(third));
	gate_gone(newcomer);
	gate_gone(third);
	place_end();
}

static void
test_nobody_comes_in_while_those_who_wait_have_every_place(void **state)
{
	struct accepted *first, *second;

	(void)state;
	place_start(PIPE_DECRYPT, 1, 1);
	first = enter_with_key(true);
	second = enter_with_key(false);
	assert_null(enter(HERE));
	assert_int_equal(gate_count(&place.gate), 2);
	gate_gone(second);
	gate_gone(first);
	place_end();
}

/* Many keys: to find a stranger's takes long. Who waits has proved one, and does not count among them. */
static void
test_there_may_be_room_for_fewer_strangers_than_the_cap(void **state)
{
	struct accepted *first, *waits, *stranger, *second, *newcomer;

	(void)state;
	place_start(PIPE_DECRYPT, 8, 1);
	place.gate.strangers_most = 2;
	first = enter_with_key(true);
	waits = enter_with_key(false);
	stranger = enter(HERE);
	second = enter(HERE);
	assert_int_equal(posted_count, 0);
	newcomer = enter(HERE);
	goes(stranger);
	assert_string_equal(last_line, "limit handshakes=2");
	assert_int_equal(posted_count, 0);
	gate_gone(second);
	gate_gone(newcomer);
	gate_gone(waits);
	gate_gone(first);
	place_end();
}

static void
test_when_descriptors_have_run_out_strangers_make_room(void **state)
{
	struct accepted *first, *waits, *stranger, *second;

	(void)state;
	place_start(PIPE_DECRYPT, 8, 1);
	first = enter_with_key(true);
	waits = enter_with_key(false);
	stranger = enter(HERE);
	second = enter(HERE);
	gate_shortage(&place.gate, place.now);
	assert_told(stranger, MAIL_EVICTED);
	assert_string_equal(last_line, "shortage connections=4");
	gate_shortage(&place.gate, place.now);
	assert_told(second, MAIL_EVICTED);
	gate_shortage(&place.gate, place.now); /* nobody is left who could go */
	assert_int_equal(posted_count, 0);
	assert_true(gate_heard(stranger));
	gate_gone(stranger);
	assert_posted(&place.acceptor, MAIL_ROOM, NULL);
	assert_true(gate_heard(second));
	gate_gone(second);
	gate_gone(waits);
	gate_gone(first);
	assert_int_equal(gate_look(&place.gate, false), 0); /* the one before was not looked at */
	place_end();
}

static void
test_a_limit_is_named_once_a_minute(void **state)
{
	static const uint64_t times[] = {0, 1, 59999, 60000, 60001, 119999, 120000}; /* ms */
	struct accepted *last;

	(void)state;
	place_start(PIPE_DECRYPT, 1, 0);
	last = enter(HERE);
	for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
		struct accepted *next;

		place.now = times[i];
		next = enter(HERE);
		goes(last);
		last = next;
		assert_int_equal(lines, 1 + times[i] / 60000);
	}
	gate_gone(last);
	place_end();
}

static void
test_nobody_is_accepted_while_too_many_have_yet_to_go(void **state)
{
	struct accepted *all[EVICTED_MOST + 1];

	(void)state;
	place_start(PIPE_DECRYPT, 1, 0);
	for (int i = 0; i <= EVICTED_MOST; i++)
		all[i] = enter(HERE);
	assert_int_equal(posted_count, EVICTED_MOST);
	assert_false(gate_open(&place.gate, place.now));
	for (int i = 0; i < EVICTED_MOST; i++) {
		assert_told(all[i], MAIL_EVICTED);
		assert_true(gate_heard(all[i]));
	}
	gate_gone(all[0]);
	gate_gone(all[1]);
	assert_posted(&place.acceptor, MAIL_ROOM, NULL); /* once, until it is looked at */
	assert_int_equal(posted_count, 0);
	assert_int_equal(gate_look(&place.gate, false), EVICTED_MOST - 1);
	assert_true(gate_open(&place.gate, place.now));
	gate_gone(all[2]);
	assert_int_equal(posted_count, 0); /* nobody waits for it any more */
	gate_await(&place.gate);
	for (int i = 3; i <= EVICTED_MOST; i++)
		gate_gone(all[i]);
	assert_posted(&place.acceptor, MAIL_ROOM, NULL);
	assert_int_equal(gate_look(&place.gate, true), 0);
	place_end();
}

/* On -e everybody has a place before accept(2). */
static void
test_an_encrypting_daemon_accepts_as_many_as_n(void **state)
{
	struct accepted *first;

	(void)state;
	place_start(PIPE_ENCRYPT, 0, 1);
	first = enter(HERE);
	assert_false(gate_open(&place.gate, place.now));
	assert_string_equal(last_line, "limit connections=1");
	gate_shortage(&place.gate, place.now); /* nobody is told to go */
	assert_int_equal(posted_count, 0);
	assert_string_equal(last_line, "shortage connections=1");
	gate_gone(first);
	assert_posted(&place.acceptor, MAIL_ROOM, NULL);
	assert_int_equal(gate_look(&place.gate, false), 0);
	assert_true(gate_open(&place.gate, place.now));
	gate_close(&place.gate); /* nobody was there */
	first = enter(HERE);
	gate_gone(first);
	place_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_a_stranger_who_proves_a_key_is_admitted),
	    cmocka_unit_test(test_the_worker_that_has_fewest_gets_the_next),
	    cmocka_unit_test(test_of_the_source_with_most_strangers_the_oldest_goes),
	    cmocka_unit_test(test_who_is_told_to_go_and_is_gone_already_is_freed_when_that_is_heard),
	    cmocka_unit_test(test_one_beyond_n_waits_until_another_has_gone),
	    cmocka_unit_test(test_nobody_comes_in_while_those_who_wait_have_every_place),
	    cmocka_unit_test(test_there_may_be_room_for_fewer_strangers_than_the_cap),
	    cmocka_unit_test(test_when_descriptors_have_run_out_strangers_make_room),
	    cmocka_unit_test(test_a_limit_is_named_once_a_minute),
	    cmocka_unit_test(test_nobody_is_accepted_while_too_many_have_yet_to_go),
	    cmocka_unit_test(test_an_encrypting_daemon_accepts_as_many_as_n),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
