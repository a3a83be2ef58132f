/* setup.h: what a start and --check have in common: addresses, look-ups, and what the system must allow for. */
#ifndef SPIPED_SETUP_H
#define SPIPED_SETUP_H

#include "net/server.h"
#include "spiped/options.h"

/*
 * Parses an address and, where its port is a service by name, makes sure that there is one like that: -D must not wait
 * for a slip of the pen. false: one line has said what is wrong.
 */
bool setup_parse(struct endpoint *endpoint, const char *text, bool is_bind);

/*
 * Fills in list. false: one line has said why not. wait: try again every second for as long as that can help, with one
 * warning.
 */
bool setup_look_up(const struct endpoint *endpoint, struct address_list *list, bool wait);

/* -d binds every address of SOURCE, and so does -e where nobody but this machine can reach them. */
bool setup_listens_on_every(const struct options *options, const struct address_list *source);

/* For whom the keys are. */
enum key_user setup_key_user(const struct options *options);

/* The server's settings, as far as the command line decides them. */
struct server_config setup_server(const struct options *options);

/*
 * Raises the limit on descriptors and fits the server into it, with a warning when -n does not fit. false: it cannot
 * serve at all; one line has said so.
 */
bool setup_fit(struct server_config *server);

#endif
