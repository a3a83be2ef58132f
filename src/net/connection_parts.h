/* connection_parts.h: what connection.c (what happens) and connection_do.c (what is done) share. Nobody else includes
 * it. */
#ifndef NET_CONNECTION_PARTS_H
#define NET_CONNECTION_PARTS_H

#include "net/connection.h"

uint64_t connection_now(const struct connection *c);

/* What happened, for the pipe; connection_settle does what it says until it is content. */
void connection_tell(struct connection *c, struct pipe_event event);
void connection_tell_leg(struct connection *c, enum pipe_event_kind kind, enum pipe_leg leg);
void connection_settle(struct connection *c);

/* What came of c->job. */
void connection_job_done(void *context, const struct job *job);

void connection_do(struct connection *c, const struct pipe_action *action);

/* Once for each of its handles, and for itself when it is over. */
void connection_handle_closed(struct connection *c);

/* Some keys are not in force any more: it ends if it is on one of them (--close-revoked), or is listed. */
void connection_look_at_key(struct connection *c);

#endif
