/* peers.c: the application beside the plain leg, and the other end of the encrypted one; see scene.h. */
#include <string.h>

#include "base/bytes.h"
#include "scene.h"

enum { PLAIN_UNIT = WIRE_PLAIN_MAX + 1, IN_SIZE = 3 * WIRE_PACKET };

/* What both write, at each offset: never the same for long. */
static uint8_t
byte_at(enum pipe_leg leg, uint64_t offset)
{
	return (uint8_t)(((offset + 1) * 2654435761u >> 11) ^ (leg == PIPE_PLAIN ? 0 : 0x5a));
}

static void
bytes_at(enum pipe_leg leg, uint64_t offset, uint8_t *out, size_t length)
{
	for (size_t i = 0; i < length; i++)
		out[i] = byte_at(leg, offset + i);
}

/* Where no packet or message ends, and how many bytes stand in the number-th packet that comes. */
static size_t
packet_length(unsigned number)
{
	return number % 2 == 0 ? 1 : WIRE_PLAIN_MAX;
}

/* P1 to P3, as any peer does them. */
static void
make_packet(uint8_t *packet, enum pipe_leg from, uint64_t offset, size_t length, uint64_t number)
{
	bool is_clients = (from == PIPE_PLAIN) == encrypts();

	memset(packet, 0, WIRE_PACKET);
	bytes_at(from, offset, packet, length);
	bytes_put_be32(packet + WIRE_LENGTH_AT, (uint32_t)length);
	crypto_packet_mac(is_clients ? CRYPTO_H_C : CRYPTO_H_S, number, packet + WIRE_PADDED);
}

/* The handshake of either end, all of it. */
static void
make_handshake(uint8_t out[HANDSHAKE], bool is_ours)
{
	memset(out, is_ours ? 0x11 : 0x22, WIRE_NONCE);
	memset(out + WIRE_NONCE, is_ours ? 0x33 : 0x44, WIRE_Y);
	crypto_mac(is_ours == encrypts() ? CRYPTO_DHMAC_C : CRYPTO_DHMAC_S, out + WIRE_NONCE + WIRE_Y);
}

/* How many bytes of the cipher leg a move reads; 0: it cannot be now. */
static size_t
handshake_bytes(enum move move)
{
	bool is_nonce = scene.is.heard < WIRE_NONCE;
	size_t end = is_nonce ? WIRE_NONCE : HANDSHAKE;

	if (move == MOVE_READ_SOME)
		return end - 1 - scene.is.heard;
	if (move == MOVE_READ_BAD)
		return scene.is.heard == WIRE_NONCE ? WIRE_Y_AND_MAC : 0;
	return move == MOVE_READ_UNIT || (move == MOVE_READ_FORGED && !is_nonce) ? end - scene.is.heard : 0;
}

static size_t
packet_bytes(enum move move)
{
	size_t rest = WIRE_PACKET - scene.is.part;
	unsigned left = plot.packets - scene.is.packets;

	if (move == MOVE_READ_SOME)
		return left == 0 ? 0 : scene.is.part == 0 ? 1 : rest - 1;
	if (move == MOVE_READ_BAD && scene.is.part > WIRE_LENGTH_AT)
		return 0;
	if (move == MOVE_READ_UNIT || move == MOVE_READ_FORGED || move == MOVE_READ_BAD)
		return left > 0 ? rest : 0;
	if (move == MOVE_READ_MORE)
		return left > 1 ? rest + 1 : 0;
	return left > 1 ? rest + WIRE_PACKET : 0;
}

static size_t
plain_bytes(enum move move)
{
	if (!scene.is.opened || scene.is.reads == plot.reads)
		return 0;
	if (move == MOVE_READ_SOME || move == MOVE_READ_FORGED)
		return 1;
	return move == MOVE_READ_UNIT ? PLAIN_UNIT : 0;
}

static size_t
bytes_of(enum pipe_leg leg, enum move move)
{
	if (leg == PIPE_PLAIN)
		return plain_bytes(move);
	return scene.is.opened ? packet_bytes(move) : handshake_bytes(move);
}

bool
peer_can_say(enum pipe_leg leg, enum move move)
{
	return bytes_of(leg, move) > 0;
}

/* The peer's, as it has to be for this to come of it. */
static void
spoil_handshake(uint8_t all[HANDSHAKE], enum error error)
{
	make_handshake(all, false);
	if (error == ERROR_WRONG_KEY)
		all[HANDSHAKE - 1] ^= 1;
	if (error == ERROR_BAD_Y)
		all[WIRE_NONCE + WIRE_Y - 1] = CRYPTO_BAD_Y;
}

static void
say_handshake(uint8_t *in, enum move move, size_t length)
{
	uint8_t all[HANDSHAKE];

	spoil_handshake(all, move == MOVE_READ_FORGED ? ERROR_WRONG_KEY : move == MOVE_READ_BAD ? ERROR_BAD_Y : OK);
	memcpy(in, all + scene.is.heard, length);
	scene.is.heard += length;
	if (scene.is.heard < HANDSHAKE)
		return;
	scene.is.claim = move == MOVE_READ_UNIT ? OK : move == MOVE_READ_FORGED ? ERROR_WRONG_KEY : ERROR_BAD_Y;
	if (!encrypts())
		return; /* it is looked at later */
	if (scene.is.claim == OK)
		scene.is.proved = true;
	else
		scene_blame(scene.is.claim, PIPE_LEGS);
}

void
peer_match(struct job *job)
{
	uint8_t all[HANDSHAKE];

	memset(job, 0, sizeof *job);
	job->kind = JOB_MATCH;
	job->error = ERROR_CRYPTO;
	job->match.keyring = &scene_keyring;
	spoil_handshake(all, scene.is.claim);
	memcpy(job->match.nonces, all, WIRE_NONCE);
	memcpy(job->match.y_and_mac, all + WIRE_NONCE, WIRE_Y_AND_MAC);
	make_handshake(all, true);
	memcpy(job->match.nonces + WIRE_NONCE, all, WIRE_NONCE);
}

/* The bytes of the packet that is on its way, and of the next. in: where the first byte that is new goes. */
static void
say_packets(uint8_t *in, enum move move, size_t length)
{
	uint8_t packets[2 * WIRE_PACKET];
	size_t end = scene.is.part + length, whole = end / WIRE_PACKET;
	bool last_is_good = move != MOVE_READ_FORGED && move != MOVE_READ_TWO_FORGED && move != MOVE_READ_BAD;
	uint64_t offset = scene.is.authentic;

	for (unsigned i = 0; i < 2; i++) {
		size_t bytes = packet_length(scene.is.packets + i);

		make_packet(packets + i * WIRE_PACKET, PIPE_CIPHER, offset, bytes, scene.is.packets + i);
		offset += bytes;
		if (i < whole && (last_is_good || i + 1 < whole))
			scene.is.authentic = offset;
	}
	if (move == MOVE_READ_BAD)
		memset(packets + WIRE_LENGTH_AT, 0, WIRE_LENGTH);
	else if (!last_is_good)
		packets[end - 1] ^= 1;
	memcpy(in, packets + scene.is.part, length);
	scene.is.packets += (unsigned)whole;
	scene.is.part = end % WIRE_PACKET;
	if (!last_is_good)
		scene_blame(move == MOVE_READ_BAD ? ERROR_BAD_LENGTH : ERROR_BAD_MAC, PIPE_CIPHER);
}

static void
say_plain(uint8_t *in, enum move move, size_t length)
{
	bytes_at(PIPE_PLAIN, scene.is.plain_in, in, length);
	scene.is.reads++;
	scene.is.plain_in += length;
	if (move == MOVE_READ_FORGED) {
		scene.is.engine.fails = true;
		scene_blame(ERROR_CRYPTO, PIPE_CIPHER);
		return;
	}
	scene.is.batch_plain = length;
	scene.is.batch = packet_count(length) * WIRE_PACKET;
	scene.is.batch_out = 0;
}

/* What stands before the bytes that are to be read: of the cipher leg, the packet that is not whole yet. */
static void
check_offset(enum pipe_leg leg, const uint8_t *in, size_t offset)
{
	uint8_t packet[WIRE_PACKET];
	bool has_part = leg == PIPE_CIPHER && scene.is.opened;

	PROMISE(offset == (has_part ? scene.is.part : 0), "a read leaves %zu bytes' room before it", offset);
	if (!has_part || search_is_broken())
		return;
	make_packet(packet, PIPE_CIPHER, scene.is.authentic, packet_length(scene.is.packets), scene.is.packets);
	PROMISE(memcmp(in, packet, offset) == 0, "the first part of a packet is not what came");
}

/* How much may be read: of the handshake never beyond it; small where the other side was full, or memory is short. */
static void
check_most(enum pipe_leg leg, size_t most, size_t packets, bool is_pressed)
{
	size_t size = leg == PIPE_PLAIN ? WIRE_PLAIN_MAX : WIRE_PACKET;

	if (!scene.is.opened) {
		PROMISE(packets == 0, "a buffer is asked for in the handshake");
		PROMISE(most == handshake_bytes(MOVE_READ_UNIT), "%zu bytes of the handshake may be read", most);
		return;
	}
	PROMISE(packets == (is_pressed ? PIPE_READ_SMALL : scene.is.sides[other_leg(leg)].packets),
	    "a read of %zu packets", packets);
	PROMISE(most == packets * size - (leg == PIPE_CIPHER ? scene.is.part : 0), "%zu bytes may be read", most);
}

void
peer_read(enum pipe_leg leg, enum move move)
{
	static uint8_t in[IN_SIZE];
	struct pipe_event event = {.kind = PIPE_READ, .leg = leg, .in = in};
	size_t offset, packets, most = pipe_read_into(&scene.pipe, leg, true, in, &offset, &packets);

	check_most(leg, most, packets, true);
	memset(in, 0xa5, sizeof in);
	most = pipe_read_into(&scene.pipe, leg, false, in, &offset, &packets);
	check_most(leg, most, packets, false);
	check_offset(leg, in, offset);
	if (search_is_broken())
		return;
	event.out = packets > 0 ? scene_buffer(packets) : NULL;
	event.length = move == MOVE_READ_NOTHING ? 0 : bytes_of(leg, move);
	if (event.length == 0) {
		const struct side *side = &scene.is.sides[leg];

		if (side->unwritable || side->hung == HUNG_TOLD)
			scene_blame(leg == PIPE_CIPHER ? ERROR_CIPHER_RESET : ERROR_PLAIN_RESET, leg);
	} else if (leg == PIPE_PLAIN) {
		say_plain(in + offset, move, event.length);
	} else if (scene.is.opened) {
		say_packets(in + offset, move, event.length);
	} else {
		say_handshake(in + offset, move, event.length);
	}
	scene_tell(event);
}

/* The bytes that are next on the cipher leg: of the last batch, or of the handshake. */
static size_t
due_on_cipher(uint8_t *out)
{
	size_t left = scene.is.batch_plain;

	if (!scene.is.opened) {
		make_handshake(out, true);
		memmove(out, out + scene.is.said, scene_owes() - scene.is.said);
		return scene_owes() - scene.is.said;
	}
	for (size_t i = 0; left > 0; i++) {
		size_t length = left < WIRE_PLAIN_MAX ? left : WIRE_PLAIN_MAX;

		make_packet(out + i * WIRE_PACKET, PIPE_PLAIN, scene.is.plain_in - left, length, scene.is.sealed + i);
		left -= length;
	}
	memmove(out, out + scene.is.batch_out, scene.is.batch - scene.is.batch_out);
	return scene.is.batch - scene.is.batch_out;
}

bool
peer_hears(const struct pipe_action *action)
{
	uint8_t due[BATCH_PACKETS * WIRE_PACKET];
	size_t length;

	if (action->leg == PIPE_CIPHER) {
		length = due_on_cipher(due);
	} else {
		length = (size_t)(scene.is.authentic - scene.is.plain_out);
		if (length <= sizeof due)
			bytes_at(PIPE_CIPHER, scene.is.plain_out, due, length);
	}
	return action->length == length && length <= sizeof due && memcmp(action->bytes, due, length) == 0;
}
