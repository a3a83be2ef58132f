/* test_mailbox.c: many post and one loop receives: in order, all of it, a few at a time, and nothing after the end. */
#include <poll.h>
#include <pthread.h>

#include "net/mailbox.h"
#include "test.h"

enum { SENDERS = 4, MAILS = 2000 };

struct sender {
	struct mailbox *mailbox;
	struct mail mails[MAILS];
	unsigned received;
};

struct place {
	uv_loop_t loop;
	struct poller poller;
	struct mailbox mailbox;
	struct mail last;
	unsigned received, at_most; /* in this turn; in any */
};

static struct sender senders[SENDERS];

static void
receive(struct mailbox *mailbox, enum mail_kind kind, void *about)
{
	struct place *place = mailbox->context;
	struct sender *sender = about;

	place->received++;
	if (kind == MAIL_STOP) {
		mailbox_stop(mailbox);
		return;
	}
	assert_int_equal(kind, (enum mail_kind)(sender->received % 2));
	sender->received++;
}

static void *
post_all(void *argument)
{
	struct sender *sender = argument;

	for (unsigned i = 0; i < MAILS; i++) {
		sender->mails[i].about = sender;
		mailbox_post(sender->mailbox, &sender->mails[i], (enum mail_kind)(i % 2));
	}
	return NULL;
}

static void
place_start(struct place *place)
{
	*place = (struct place){0};
	assert_int_equal(uv_loop_init(&place->loop), 0);
	assert_int_equal(poller_start(&place->poller, &place->loop), 0);
	assert_int_equal(mailbox_start(&place->mailbox, &place->loop, receive, place), 0);
	for (int i = 0; i < SENDERS; i++)
		senders[i] = (struct sender){.mailbox = &place->mailbox};
}

static void
turn(struct place *place)
{
	place->received = 0;
	assert_true(poller_turn(&place->poller));
	if (place->received > place->at_most)
		place->at_most = place->received;
}

static void
place_end(struct place *place)
{
	mailbox_post(&place->mailbox, &place->last, MAIL_STOP);
	while (place->mailbox.watcher.ready != NULL)
		turn(place);
	assert_false(poller_turn(&place->poller)); /* nothing is left that could be waited for */
	poller_stop(&place->poller);
	mailbox_free(&place->mailbox);
	assert_int_equal(uv_loop_close(&place->loop), 0);
}

static void
all_that_many_post_at_the_same_time_is_received_in_the_order_of_each(void **state)
{
	static struct place place;
	pthread_t threads[SENDERS];
	unsigned received = 0;

	(void)state;
	place_start(&place);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_all, &senders[i]), 0);
	while (received < SENDERS * MAILS) { /* for ever, where a wake-up is lost */
		turn(&place);
		received += place.received;
	}
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	place_end(&place);
	for (int i = 0; i < SENDERS; i++)
		assert_int_equal(senders[i].received, MAILS);
}

static void
a_mail_in_an_empty_box_wakes_the_loop_once(void **state)
{
	static struct place place;
	struct pollfd set;

	(void)state;
	place_start(&place);
	set = (struct pollfd){.fd = place.poller.fd, .events = POLLIN};
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(poll(&set, 1, 0), 0);
		senders[0].mails[i].about = &senders[0];
		mailbox_post(&place.mailbox, &senders[0].mails[i], (enum mail_kind)(i % 2));
		assert_int_equal(poll(&set, 1, 0), 1);
		turn(&place);
		assert_int_equal(place.received, 1);
	}
	place_end(&place);
}

static void
a_flood_of_mail_leaves_the_loop_its_turns(void **state)
{
	static struct place place;

	(void)state;
	place_start(&place);
	(void)post_all(&senders[0]);
	place_end(&place);
	assert_int_equal(senders[0].received, MAILS);
	assert_in_range(place.at_most, 1, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_that_many_post_at_the_same_time_is_received_in_the_order_of_each),
	    cmocka_unit_test(a_mail_in_an_empty_box_wakes_the_loop_once),
	    cmocka_unit_test(a_flood_of_mail_leaves_the_loop_its_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
