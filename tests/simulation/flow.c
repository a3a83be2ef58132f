/* flow.c: one direction of a simulated connection; see flow.h. */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

void
flow_reset(struct flow *flow, size_t capacity)
{
	*flow = (struct flow){.bytes = flow->bytes,
	    .size = flow->size,
	    .capacity = capacity,
	    .window = capacity / 2 + 1,
	    .first_bad = UINT64_MAX};
}

static void
make_room(struct flow *flow, size_t length)
{
	size_t used = flow->end - flow->start;

	if (flow->end + length <= flow->size)
		return;
	if (used > 0 && flow->start > 0)
		memmove(flow->bytes, flow->bytes + flow->start, used);
	flow->arrived -= flow->start;
	flow->end = used;
	flow->start = 0;
	if (used + length <= flow->size)
		return;
	flow->size = 2 * (used + length) + 4096;
	flow->bytes = realloc(flow->bytes, flow->size);
	if (flow->bytes == NULL)
		abort();
}

void
flow_put(struct flow *flow, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return;
	flow->taken += length;
	if (flow->is_cut || flow->reset)
		return;
	if (flow->start == flow->end)
		flow->start = flow->arrived = flow->end = 0;
	make_room(flow, length);
	memcpy(flow->bytes + flow->end, bytes, length);
	flow->end += length;
}

void
flow_take(struct flow *flow, uint8_t *bytes, size_t length)
{
	if (length == 0)
		return;
	if (bytes != NULL)
		memcpy(bytes, flow->bytes + flow->start, length);
	flow->start += length;
	flow->read += length;
}

void
flow_insert(struct flow *flow, size_t at, const uint8_t *bytes, size_t length)
{
	size_t before = at - flow->start;

	make_room(flow, length);
	at = flow->start + before;
	memmove(flow->bytes + at + length, flow->bytes + at, flow->end - at);
	memcpy(flow->bytes + at, bytes, length);
	flow->end += length;
}

void
flow_remove(struct flow *flow, size_t at, size_t length)
{
	memmove(flow->bytes + at, flow->bytes + at + length, flow->end - at - length);
	flow->end -= length;
}

uint64_t
flow_time(const struct flow *flow)
{
	if (flow->end > flow->arrived)
		return flow->deaf || flow_ready(flow) < flow->window ? flow->ready_at : UINT64_MAX;
	if (flow->reset)
		return flow->broken ? UINT64_MAX : flow->ready_at;
	return flow->fin && !flow->fin_arrived ? flow->ready_at : UINT64_MAX;
}

void
flow_send_reset(struct flow *flow)
{
	flow->end = flow->arrived;
	flow->reset = true;
}

void
flow_move(struct flow *flow, struct flow *back, size_t most)
{
	size_t coming = flow->end - flow->arrived;

	if (coming == 0 && !flow->reset) {
		flow->fin_arrived = true;
		if (flow->is_unix && back->deaf) {
			back->dead = true;
			back->end = back->arrived;
		}
		return;
	}
	if (coming == 0) {
		flow->broken = true;
		back->dead = true;
		back->end = back->arrived;
		return;
	}
	if (!flow->deaf && flow->window - flow_ready(flow) < most)
		most = flow->window - flow_ready(flow);
	flow->arrived += coming < most ? coming : most;
	if (!flow->deaf)
		return;
	flow_take(flow, NULL, flow_ready(flow));
	flow_send_reset(back);
}

void
flow_close(struct flow *out, struct flow *in, bool reset)
{
	in->deaf = true;
	if (reset || (flow_ready(in) > 0 && !in->broken))
		flow_send_reset(out);
	else
		out->fin = true;
}
