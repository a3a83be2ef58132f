/* check.h: spiped --check: would it start? */
#ifndef SPIPED_CHECK_H
#define SPIPED_CHECK_H

#include "spiped/options.h"

/*
 * Names everything that would keep spiped from starting with these options, a line each, and changes nothing: no socket
 * and no pidfile is made, and no key is read from where it could be read once only. Returns the exit status, 0 or 1.
 */
int check_run(const struct options *options);

#endif
