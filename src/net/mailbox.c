/* mailbox.c: see mailbox.h. */
#include "net/mailbox.h"

#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { MAILS_A_TURN = 16 };

static struct mail *
take(struct mailbox *mailbox)
{
	struct mail *mail;

	uv_mutex_lock(&mailbox->mutex);
	mail = mailbox->first;
	if (mail != NULL)
		mailbox->first = mail->next;
	if (mailbox->first == NULL)
		mailbox->last = &mailbox->first;
	uv_mutex_unlock(&mailbox->mutex);
	return mail;
}

/* It fails only where a signal comes, and a box that nobody is woken for would never be looked into. */
static void
wake(struct mailbox *mailbox)
{
	const uint64_t one = 1;

	while (write(mailbox->fd, &one, sizeof one) != sizeof one)
		;
}

/* A few at a time, so that a flood of arrivals does not stall the connections that the loop carries. */
static void
on_mail(struct watcher *watcher, uint32_t events)
{
	struct mailbox *mailbox = (struct mailbox *)((char *)watcher - offsetof(struct mailbox, watcher));
	uint64_t count;

	(void)events;
	if (read(mailbox->fd, &count, sizeof count) < 0)
		return; /* this comes again */
	for (int i = 0; i < MAILS_A_TURN; i++) {
		struct mail *mail = take(mailbox);

		if (mail == NULL)
			return;
		mailbox->receive(mailbox, mail->kind, mail->about); /* mail may be gone, or posted again, after */
	}
	wake(mailbox);
}

int
mailbox_start(struct mailbox *mailbox, uv_loop_t *loop,
    void (*receive)(struct mailbox *mailbox, enum mail_kind kind, void *about), void *context)
{
	int status = uv_mutex_init(&mailbox->mutex);

	if (status != 0)
		return status;
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	mailbox->loop = loop;
	mailbox->receive = receive;
	mailbox->context = context;
	mailbox->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	status = mailbox->fd < 0 ? UV_EMFILE : poller_add(loop, &mailbox->watcher, mailbox->fd, EPOLLIN, on_mail);
	if (status != 0)
		mailbox_free(mailbox);
	return status;
}

void
mailbox_stop(struct mailbox *mailbox)
{
	poller_remove(mailbox->loop, &mailbox->watcher);
}

void
mailbox_free(struct mailbox *mailbox)
{
	if (mailbox->fd >= 0)
		(void)close(mailbox->fd);
	uv_mutex_destroy(&mailbox->mutex);
}

void
mailbox_post(struct mailbox *mailbox, struct mail *mail, enum mail_kind kind)
{
	bool was_empty;

	mail->next = NULL;
	mail->kind = kind;
	uv_mutex_lock(&mailbox->mutex);
	was_empty = mailbox->first == NULL; /* else somebody has woken the loop, or will as soon as it runs again */
	*mailbox->last = mail;
	mailbox->last = &mail->next;
	uv_mutex_unlock(&mailbox->mutex);
	if (was_empty)
		wake(mailbox);
}
