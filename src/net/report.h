/* report.h: the lines about connections (spiped(1), LOG). On the connection's thread; never blocks. */
#ifndef NET_REPORT_H
#define NET_REPORT_H

#include "net/connection.h"

void report_opened(struct connection *connection);
void report_over(struct connection *connection);    /* "close" when it had opened, else "refused" */
void report_revoked(struct connection *connection); /* open still, on a key that is not in force any more */

/* What a refused handshake probably means, at the end that connects; NULL: its reason says all. */
const char *report_hint(const struct connection *connection);

/* Whether it has not shown a key yet, where it has to (-d). */
bool report_is_stranger(const struct connection *connection);

/* One that never became a connection: for want of random bytes, memory or room. */
void report_refused(const struct log_sink *log, const char *peer, enum error error);

#endif
