/*
 * stdio_leg.h: standard input and output as the plain leg of spipe. A thread reads and another writes, since files,
 * terminals and pipes that others share can neither be watched nor be made non-blocking.
 */
#ifndef NET_STDIO_LEG_H
#define NET_STDIO_LEG_H

#include "net/leg.h"

/* input -1: its end is there at once. 0, or a libuv error, after which the program has to end. */
struct stdio_leg;
int stdio_leg_open(struct stdio_leg **result, uv_loop_t *loop, int input, int output, const struct leg_owner *owner,
    void *context, struct leg *leg);

/* After the leg has closed; a thread that is stuck in a read or a write is left behind, with all that it needs. */
void stdio_leg_free(struct stdio_leg *stdio);

#endif
