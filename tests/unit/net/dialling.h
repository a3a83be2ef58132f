/* dialling.h: a dial, its loop and what became of it, for the tests of net/dial.h. */
#ifndef NET_DIALLING_H
#define NET_DIALLING_H

#include <sys/resource.h>

#include "helpers.h"
#include "net/dial.h"
#include "test.h"

struct fixture {
	uv_loop_t loop;
	struct poller poller;
	uv_timer_t timer;
	struct address_list list;
	struct dial_options options;
	struct dial *dial;
	size_t descriptors_before;
	uint64_t started;
	/* what became of it */
	int calls, fd, system_error;
	enum error error;
	struct address peer;
	uint64_t milliseconds;
	/* for what a test does while the dial goes on */
	int listener, accepted;
	struct rlimit limit;
};

/* A test between prepare and clean_up; its state is a struct fixture. */
#define DIALLING(name) cmocka_unit_test_setup_teardown(name, dialling_prepare, dialling_clean_up)

int dialling_prepare(void **state);
int dialling_clean_up(void **state);

/* Notes what became of a dial whose context is a fixture. */
void on_done(void *context, int fd, const struct address *peer, enum error error, int system_error);

/* Dials the fixture's list with its options. */
void start(struct fixture *fixture);

/* Runs its loop to the end. */
void run(struct fixture *fixture);

/* Runs until the dial has freed itself, and checks that it said so once and left nothing open. */
void finish(struct fixture *fixture);

void assert_connected(struct fixture *fixture, const struct address *to);
void assert_failed(struct fixture *fixture, enum error error, int system_error);

/* Listens at a UNIX socket whose queue is full: *client is what it took. Both are to be closed. */
int listen_with_full_backlog(struct address *at, int *client);

#endif
