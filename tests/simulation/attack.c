/* attack.c: somebody on the wire who changes what passes, and peers with the key who don't keep to the protocol. */
#include <string.h>

#include "base/bytes.h"
#include "quick.h"
#include "sim.h"

enum { INJECTED_MOST = 3 * WIRE_PACKET };

/* Where the message or packet that has this offset begins, and the next one. */
static uint64_t
begin_of(uint64_t offset)
{
	if (offset < WIRE_NONCE)
		return 0;
	if (offset < HANDSHAKE)
		return WIRE_NONCE;
	return offset - (offset - HANDSHAKE) % WIRE_PACKET;
}

static uint64_t
end_of(uint64_t offset)
{
	if (offset < WIRE_NONCE)
		return WIRE_NONCE;
	return offset < HANDSHAKE ? HANDSHAKE : begin_of(offset) + WIRE_PACKET;
}

static void
done(struct scene *scene, struct link *link, enum happening what, uint64_t offset)
{
	struct flow *flow = &link->flows[link->tampered_way];

	link->is_done_to = link->is_harmed = true;
	if (what != HAPPENS_CUT_ON_BOUNDARY && what != HAPPENS_CUT_INSIDE)
		flow->first_bad = offset;
	if (link->goes_on) {
		link->goes_on = link->is_done_to = false;
		link->tampered_way ^= 1;
	}
	happens(scene, what);
	if (offset < HANDSHAKE)
		happens(scene, HAPPENS_IN_HANDSHAKE);
	trace_link(scene, link, "tampered", offset);
}

/* The stream ends here, for the reader; what comes behind finds nobody. */
static void
cut(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way];
	uint64_t offset = flow_offset(flow, at);

	if (link->tampering == CUT_PACKET) {
		uint64_t begin = begin_of(offset);

		if (begin < flow_offset(flow, flow->arrived))
			return;
		at -= (size_t)(offset - begin);
		offset = begin;
	}
	flow->end = at;
	flow->fin = flow->is_shorter = flow->is_cut = true;
	done(scene, link,
	    offset >= HANDSHAKE && begin_of(offset) == offset ? HAPPENS_CUT_ON_BOUNDARY : HAPPENS_CUT_INSIDE, offset);
}

static void
drop(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way];
	size_t length = flow->end - at;

	if (link->tampering == DROP_PACKET) {
		uint64_t offset = flow_offset(flow, at), begin = begin_of(offset);

		if (begin < flow_offset(flow, flow->arrived) || offset < HANDSHAKE || length < WIRE_PACKET)
			return;
		at -= (size_t)(offset - begin);
		length = WIRE_PACKET * (1 + (size_t)draw(scene, (flow->end - at) / WIRE_PACKET));
	} else {
		length = 1 + (size_t)draw(scene, length);
	}
	flow->is_shorter = true;
	done(scene, link, link->tampering == DROP ? HAPPENS_DROP : HAPPENS_DROP_PACKET, flow_offset(flow, at));
	flow_remove(flow, at, length);
}

static void
flip(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way];

	flow->bytes[at] ^= (uint8_t)(1u << draw(scene, 8));
	done(scene, link, HAPPENS_FLIP, flow_offset(flow, at));
}

/* Bytes that passed, or a whole packet, come again at once. */
static void
repeat(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way];
	uint64_t offset = flow_offset(flow, at), begin = begin_of(offset);
	uint8_t again[WIRE_PACKET];
	size_t length = at - flow->arrived < sizeof again ? at - flow->arrived : sizeof again;

	if (link->tampering == REPEAT_PACKET) {
		at -= (size_t)(offset - begin);
		if (offset < HANDSHAKE || begin < flow_offset(flow, flow->arrived) || flow->end - at < WIRE_PACKET)
			return;
		at += WIRE_PACKET;
		length = WIRE_PACKET;
	}
	if (length < 16)
		return;
	memcpy(again, flow->bytes + at - length, length);
	done(scene, link, length == WIRE_PACKET ? HAPPENS_REPEAT_PACKET : HAPPENS_REPEAT, flow_offset(flow, at));
	flow_insert(flow, at, again, length);
}

static void
reorder(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way];
	uint64_t offset = flow_offset(flow, at), begin = begin_of(offset);
	uint8_t first[WIRE_PACKET];

	at -= (size_t)(offset - begin);
	if (offset < HANDSHAKE || begin < flow_offset(flow, flow->arrived) || flow->end < at + (size_t)2 * WIRE_PACKET)
		return;
	memcpy(first, flow->bytes + at, WIRE_PACKET);
	memmove(flow->bytes + at, flow->bytes + at + WIRE_PACKET, WIRE_PACKET);
	memcpy(flow->bytes + at + WIRE_PACKET, first, WIRE_PACKET);
	done(scene, link, HAPPENS_REORDER, begin);
}

/* Bytes of the attacker's own, or those that come the other way. */
static void
inject(struct scene *scene, struct link *link, size_t at)
{
	struct flow *flow = &link->flows[link->tampered_way], *back = &link->flows[link->tampered_way ^ 1];
	const uint8_t *bytes = scene->text + draw(scene, TEXT);
	size_t length = 16 + (size_t)draw(scene, INJECTED_MOST - 16);

	if (link->tampering == REFLECT) {
		uint64_t begin = begin_of(flow_offset(flow, at));

		/* a whole message, where one is awaited */
		if (begin < flow_offset(flow, flow->arrived) || back->end - back->start < WIRE_NONCE)
			return;
		at -= (size_t)(flow_offset(flow, at) - begin);
		bytes = back->bytes + back->start;
		length = back->end - back->start < INJECTED_MOST ? back->end - back->start : INJECTED_MOST;
	}
	done(scene, link, link->tampering == REFLECT ? HAPPENS_REFLECT : HAPPENS_INJECT, flow_offset(flow, at));
	flow_insert(flow, at, bytes, length);
}

void
attack_wire(struct scene *scene, struct link *link, int way)
{
	struct flow *flow = &link->flows[way];
	size_t at;

	if (link->trouble != TAMPERED || link->is_done_to || way != link->tampered_way || flow->end == flow->arrived ||
	    flow->deaf || flow->reset || flow_offset(flow, flow->end) <= link->tamper_at)
		return;
	at = flow->arrived + (size_t)draw(scene, flow->end - flow->arrived);
	/* What is put in or taken out must not be what was there by chance: eight bytes of the packet at least. */
	if (link->tampering != FLIP && end_of(flow_offset(flow, at)) - flow_offset(flow, at) < 8)
		return;
	switch ((int)link->tampering) {
	case FLIP:
		flip(scene, link, at);
		break;
	case DROP:
	case DROP_PACKET:
		drop(scene, link, at);
		break;
	case REPEAT:
	case REPEAT_PACKET:
		repeat(scene, link, at);
		break;
	case REORDER:
		reorder(scene, link, at);
		break;
	case INJECT:
	case REFLECT:
		inject(scene, link, at);
		break;
	default:
		cut(scene, link, at);
	}
}

/* The wire, and not what crosses it: and those who have the key. */
uint64_t
attack_time(const struct link *link)
{
	const struct side *liar = &link->sides[link->liar], *other = peer_of(liar);
	const struct flow *out = &link->flows[WIRE_OUT], *back = &link->flows[WIRE_BACK];
	bool both_open = liar->opened && other->opened && !liar->over && !other->over;

	if (link->is_done_to)
		return NEVER;
	switch ((int)link->trouble) {
	case WIRE_IS_RESET:
	case WIRE_STALLS:
		return link->flows[link->tampered_way].taken > link->tamper_at ? 0 : NEVER;
	case GRIDLOCK:
		return link->sides[D].opened && link->sides[D].legs[PIPE_PLAIN].unwritten > 0 ? 0 : NEVER;
	case LYING_LENGTH:
		return liar->opened && !liar->over && liar->legs[PIPE_CIPHER].unwritten == 0 &&
			       liar->legs[PIPE_CIPHER].wrote >= link->tamper_at && !liar->legs[PIPE_CIPHER].out->fin &&
			       pipe_reason(&liar->pipe) == OK && !liar->legs[PIPE_CIPHER].out->dead
			   ? 0
			   : NEVER;
	case LAST_NUMBERS:
		return both_open && out->end == out->start && back->end == back->start && liar->packets == 0 &&
			       other->packets == 0
			   ? 0
			   : NEVER;
	default:
		return NEVER;
	}
}

static void
lie_about_length(struct scene *scene, struct link *link)
{
	static const uint32_t lengths[] = {0, WIRE_PLAIN_MAX + 1, 0x400 << 8, UINT32_MAX, 0x80000000};
	struct packet_direction *seal = &link->sides[link->liar].pipe.session.data.seal;
	struct flow *flow = cipher_of(&link->sides[link->liar])->out;
	uint8_t packet[WIRE_PACKET];

	memcpy(packet, scene->text, WIRE_PLAIN_MAX);
	bytes_put_be32(packet + WIRE_LENGTH_AT, lengths[draw(scene, sizeof lengths / sizeof lengths[0])]);
	promise(scene, engine_seal(scene->engine, &seal->keys, seal->number, packet, 1) == OK);
	seal->number++;
	flow->first_bad = flow_offset(flow, flow->end);
	flow_put(flow, packet, sizeof packet);
	happens(scene, HAPPENS_LYING_LENGTH);
}

static void
use_up_numbers(struct scene *scene, struct link *link)
{
	struct pipe *liar = &link->sides[link->liar].pipe, *other = &peer_of(&link->sides[link->liar])->pipe;

	liar->session.data.seal.number = other->session.data.open.number = UINT64_MAX - draw(scene, 4);
	link->client.say_at = link->target.say_at = scene->now;
	happens(scene, HAPPENS_LAST_NUMBERS);
}

void
attack_happen(struct scene *scene, struct link *link)
{
	struct flow *flow = &link->flows[link->tampered_way];

	link->is_done_to = link->is_harmed = true;
	trace_link(scene, link, "trouble", link->trouble);
	if (link->trouble == LYING_LENGTH) {
		lie_about_length(scene, link);
	} else if (link->trouble == LAST_NUMBERS) {
		use_up_numbers(scene, link);
	} else if (link->trouble == WIRE_STALLS) {
		flow->ready_at = scene->now + scene->timeout + draw(scene, scene->timeout);
		happens(scene, HAPPENS_WIRE_STALL);
	} else {
		flow_send_reset(&link->flows[WIRE_OUT]);
		flow_send_reset(&link->flows[WIRE_BACK]);
		happens(scene, HAPPENS_WIRE_RESET);
	}
}

/* Runs a job; a liar has a y of his own, and a job may fail. */
void
attack_job(struct scene *scene, struct side *side, struct job *job)
{
	struct link *link = side->link;
	bool is_due; /* of the two jobs that each side has, the one that fails */

	if (scene->real_job)
		job_run(job);
	else
		quick_run(job);
	if (link->liar != side->which)
		return;
	is_due = side->which == E ? (uint64_t)side->jobs_done == link->tamper_at % 2
				  : (job->kind == JOB_MATCH) == (link->tamper_at % 4 != 0);
	if (link->trouble == JOB_FAILS && is_due) {
		job->error = ERROR_CRYPTO;
		link->is_done_to = link->is_harmed = true;
		happens(scene, job->kind == JOB_MATCH ? HAPPENS_MATCH_FAILED : HAPPENS_JOB_FAILED);
	} else if (link->trouble == LYING_Y && job->kind == JOB_POWERS && side->jobs_done == 0) {
		quick_lie(job->y, (unsigned)draw(scene, QUICK_LIES));
		link->is_done_to = link->is_harmed = true;
		happens(scene, HAPPENS_LYING_Y);
	}
}
