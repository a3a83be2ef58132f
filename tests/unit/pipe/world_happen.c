/* world_happen.c: the things that can happen to a pipe, as its driver in net/ would come to know and tell them. */
#include "world.h"

#include <stdlib.h>

static void
stream_take(struct stream *stream, uint8_t *bytes, size_t length)
{
	if (length > 0) /* a stream that nobody has written to has no memory */
		memcpy(bytes, stream->bytes + stream->start, length);
	stream->start += length;
	stream->length -= length;
	stream->read += length;
}

static size_t
stream_ready(const struct stream *stream)
{
	uint64_t cut = stream->cut_at - stream->read;

	return stream->read < stream->cut_at && stream->length > cut ? (size_t)cut : stream->length;
}

size_t
leg_room(const struct leg *leg)
{
	size_t most = leg->out->capacity > leg->out->length ? leg->out->capacity - leg->out->length : 0;

	if (leg->write_most < most)
		most = leg->write_most;
	return leg->write_until - leg->wrote < most ? (size_t)(leg->write_until - leg->wrote) : most;
}

struct pipe_buffer *
world_hand_in(struct end *end, size_t packets)
{
	struct pipe_buffer *buffer = malloc(sizeof(*buffer));
	size_t place = 0;

	while (end->held[place] != NULL)
		place++;
	assert_in_range(place, 0, PIPE_RELEASES - 1);
	assert_non_null(buffer);
	buffer->size = packets * PIPE_OUT_PER_PACKET;
	buffer->bytes = malloc(buffer->size);
	assert_non_null(buffer->bytes);
	end->held[place] = buffer;
	return buffer;
}

static bool
read_leg(struct world *world, struct end *end, enum pipe_leg which)
{
	struct leg *leg = &end->legs[which];
	struct pipe_event event = {.kind = PIPE_READ, .leg = which, .in = world->in};
	size_t offset, packets, most, length = stream_ready(leg->in);
	bool is_last = length == 0 && (leg->in->ended || leg->in->broken || leg->read_fails);

	if ((pipe_wants(&end->pipe, which) & PIPE_WANT_READ) == 0)
		return false;
	if (length > 0 ? leg->read_most == 0 : !(is_last || leg->hung_up || leg->unwritable || leg->wakes_for_nothing))
		return false;
	leg->wakes_for_nothing = false;
	memset(world->in, 0xa5, WIRE_PACKET);
	most = pipe_read_into(&end->pipe, which, world->is_pressing, world->in, &offset, &packets);
	assert_true(most > 0 && offset < WIRE_PACKET && offset + most <= PIPE_IN_SIZE);
	assert_true((packets > 0) == end->opened && (offset == 0 || (end->opened && which == PIPE_CIPHER)));
	if (end->opened) /* as much as makes a whole batch */
		assert_int_equal(offset + most, packets * (which == PIPE_PLAIN ? WIRE_PLAIN_MAX : WIRE_PACKET));
	leg->packets = packets;
	most = most < leg->read_most ? most : leg->read_most;
	length = length < most ? length : most;
	if (is_last) {
		event.kind = leg->in->broken || leg->read_fails ? PIPE_READ_FAILED : PIPE_END;
		leg->fin_read = event.kind == PIPE_END;
		leg->unreadable = !leg->fin_read;
	} else {
		event.out = packets > 0 ? world_hand_in(end, packets) : NULL;
		event.length = length;
		stream_take(leg->in, world->in + offset, length);
		leg->read += length;
	}
	world_hear(world, end, event);
	return true;
}

static bool
hang_up(struct world *world, struct end *end, enum pipe_leg which)
{
	struct leg *leg = &end->legs[which];

	if (!leg->connected || leg->closed || leg->hung_up || !leg->in->broken)
		return false;
	leg->hung_up = true;
	world_hear(world, end, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
	if ((pipe_wants(&end->pipe, which) & PIPE_WANT_READ) == 0)
		world_hear(world, end, (struct pipe_event){.kind = PIPE_HANGUP, .leg = which});
	return true;
}

static bool
make_writable(struct world *world, struct end *end, enum pipe_leg which)
{
	struct leg *leg = &end->legs[which];

	if ((pipe_wants(&end->pipe, which) & PIPE_WANT_WRITE) == 0 || (leg_room(leg) == 0 && !leg->out->is_deaf))
		return false;
	world_hear(world, end, (struct pipe_event){.kind = PIPE_WRITABLE, .leg = which});
	return true;
}

static bool
deliver(struct world *world, struct end *end, enum pipe_leg which)
{
	struct leg *leg = &end->legs[which];

	if (!leg->awaiting || leg->out->length > 0 || end->hold_delivery)
		return false;
	leg->awaiting = false;
	world_hear(world, end, (struct pipe_event){.kind = PIPE_DELIVERED, .leg = which});
	return true;
}

static bool
connect_leg(struct world *world, struct end *end)
{
	enum pipe_leg which = encrypts(end) ? PIPE_CIPHER : PIPE_PLAIN;

	if (!end->dial_asked || end->hold_dial)
		return false;
	end->dial_asked = false;
	end->legs[which].connected = true;
	if (encrypts(end))
		world_accept(world);
	world_hear(world, end, (struct pipe_event){.kind = PIPE_DIALLED, .leg = which});
	return true;
}

static bool
admit(struct world *world, struct end *end)
{
	if (!end->admit_asked || end->hold_admission)
		return false;
	end->admit_asked = false;
	end->admitted = true;
	world_hear(world, end, (struct pipe_event){.kind = PIPE_ADMITTED});
	return true;
}

static bool
run_job(struct world *world, struct end *end)
{
	bool is_stranger = !encrypts(end) && pipe_key(&end->pipe) == NULL;
	struct job job;

	if (!end->job_asked || (is_stranger ? end->hold_match : end->hold_job))
		return false;
	end->job_asked = false;
	pipe_job(&end->pipe, &job);
	if (job.kind == JOB_MATCH)
		assert_true(is_stranger && end->match_asked);
	else
		assert_true(!is_stranger || (!job.wants_y && !job.wants_shared)); /* the empty one after the end */
	job_run(&job);
	world_hear(world, end, (struct pipe_event){.kind = PIPE_JOB_DONE, .job = &job});
	job_wipe(&job);
	return true;
}

static bool
pass_deadline(struct world *world, struct end *end)
{
	if (world->now < pipe_deadline(&end->pipe))
		return false;
	world_hear(world, end, (struct pipe_event){.kind = PIPE_TIME});
	return true;
}

static bool
app_reads(struct world *world, struct end *end)
{
	int which = encrypts(end) ? ENCRYPTER : DECRYPTER;
	struct stream *stream = &world->to_app[which];

	if (world->is_stalled[which] || stream->length == 0)
		return false;
	stream->start = stream->length = 0;
	return true;
}

bool
world_happen(struct world *world, struct end *end, size_t thing)
{
	static bool (*const of_leg[])(struct world *, struct end *, enum pipe_leg) = {
	    hang_up, read_leg, make_writable, deliver};
	static bool (*const of_end[])(struct world *, struct end *) = {pass_deadline, connect_leg, admit, run_job};

	if (thing == 0)
		return app_reads(world, end);
	if (!end->started || end->over)
		return false;
	if (thing <= 4)
		return of_end[thing - 1](world, end);
	return of_leg[(thing - 5) / PIPE_LEGS](world, end, (enum pipe_leg)(thing % PIPE_LEGS));
}
