/* report.h: the lines about connections (spiped(1), LOG). On the connection's thread; never blocks. */
#ifndef NET_REPORT_H
#define NET_REPORT_H

#include "net/connection.h"

void report_opened(struct connection *connection);
void report_over(struct connection *connection); /* "close" when it had opened, else "refused" */

/* One that never became a connection: for want of random bytes, memory or room. */
void report_refused(const struct log_sink *log, const char *peer, enum error error);

#endif
