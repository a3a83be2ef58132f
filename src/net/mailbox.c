/* mailbox.c: see mailbox.h. */
#include "net/mailbox.h"

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

/* A few at a time, so that a flood of arrivals does not stall the connections that the loop carries. */
static void
on_async(uv_async_t *async)
{
	struct mailbox *mailbox = async->data;

	for (int i = 0; i < MAILS_A_TURN; i++) {
		struct mail *mail = take(mailbox);

		if (mail == NULL)
			return;
		mailbox->receive(mailbox, mail->kind, mail->accepted); /* mail may be gone, or posted again, after */
	}
	if (!uv_is_closing((uv_handle_t *)async))
		uv_async_send(async);
}

int
mailbox_start(struct mailbox *mailbox, uv_loop_t *loop,
    void (*receive)(struct mailbox *mailbox, enum mail_kind kind, struct accepted *accepted), void *context)
{
	int status = uv_mutex_init(&mailbox->mutex);

	if (status != 0)
		return status;
	mailbox->first = NULL;
	mailbox->last = &mailbox->first;
	mailbox->receive = receive;
	mailbox->context = context;
	mailbox->async.data = mailbox;
	status = uv_async_init(loop, &mailbox->async, on_async);
	if (status != 0)
		uv_mutex_destroy(&mailbox->mutex);
	return status;
}

static void
on_close(uv_handle_t *handle)
{
	struct mailbox *mailbox = handle->data;

	uv_mutex_destroy(&mailbox->mutex);
}

void
mailbox_stop(struct mailbox *mailbox)
{
	uv_close((uv_handle_t *)&mailbox->async, on_close);
}

void
mailbox_post(struct mailbox *mailbox, struct mail *mail, enum mail_kind kind)
{
	mail->next = NULL;
	mail->kind = kind;
	uv_mutex_lock(&mailbox->mutex);
	*mailbox->last = mail;
	mailbox->last = &mail->next;
	/* Within the lock: once it is open the receiver may act on the mail, and be gone. */
	uv_async_send(&mailbox->async);
	uv_mutex_unlock(&mailbox->mutex);
}
