/* pipe_state.h: the few steps that pipe.c (events) and pipe_next.c (actions) share. Nobody else includes it. */
#ifndef PIPE_PIPE_STATE_H
#define PIPE_PIPE_STATE_H

#include "pipe/pipe.h"

static inline enum pipe_leg
pipe_other(enum pipe_leg leg)
{
	return leg == PIPE_PLAIN ? PIPE_CIPHER : PIPE_PLAIN;
}

/* The driver gets it back by PIPE_RELEASE. There is always a free place: two legs' and one event's can be out. */
static inline void
pipe_release(struct pipe *p, struct pipe_buffer *buffer)
{
	for (size_t i = 0; buffer != NULL && i < PIPE_RELEASES; i++) {
		if (p->released[i] == NULL) {
			p->released[i] = buffer;
			return;
		}
	}
}

static inline void
pipe_drop_pending(struct pipe *p, enum pipe_leg leg)
{
	pipe_release(p, p->legs[leg].pending);
	p->legs[leg].pending = NULL;
}

#endif
