/* handshake_input.c: what an honest implementation makes of an input of the handshake's targets; repairing one. */
#include "handshake_input.h"

#include <string.h>

#include "fuzz.h"
#include "wire.h"

static const enum session_role role = FUZZ_ROLE;

static void
gather_nonces(const struct handshake_head *head, const uint8_t *peer, uint8_t nonces[2 * WIRE_NONCE])
{
	memcpy(nonces + (role == SESSION_CLIENT ? 0 : WIRE_NONCE), head->random, WIRE_NONCE);
	memcpy(nonces + (role == SESSION_CLIENT ? WIRE_NONCE : 0), peer, WIRE_NONCE);
}

static enum error
judge(const struct handshake_story *story, const uint8_t *peer)
{
	const uint8_t *dhmac = story->dk_1 + (role == SESSION_CLIENT ? WIRE_DHMAC_S : WIRE_DHMAC_C);
	const uint8_t *y = peer + WIRE_NONCE;
	uint8_t mac[WIRE_MAC];

	peer_hmac(dhmac, y, WIRE_Y, mac);
	if (story->key_at == KEYS || memcmp(mac, y + WIRE_Y, WIRE_MAC) != 0)
		return ERROR_WRONG_KEY;
	if (!peer_valid(y))
		return ERROR_BAD_Y;
	if (story->mode == FORWARD_SECRECY_REQUIRED && peer_is_one(y))
		return ERROR_NO_FORWARD_SECRECY;
	return OK;
}

void
handshake_tell(const struct handshake_head *head, const uint8_t *bytes, size_t size, struct handshake_story *story)
{
	static const uint8_t none[WIRE_X];
	uint8_t peer[HANDSHAKE] = {0};
	struct peer_keys client, server;
	const uint8_t *x;

	memcpy(peer, bytes, size < sizeof peer ? size : sizeof peer);
	memset(story, 0, sizeof *story);
	story->mode = (enum forward_secrecy)(head->mode % 3);
	story->key_at = role == SESSION_CLIENT ? 0 : head->mode >> 2 & 3;
	gather_nonces(head, peer, story->nonces);
	peer_dk_1(head->k, story->nonces, story->dk_1);
	x = story->mode == FORWARD_SECRECY_OFF ? none : head->random + WIRE_NONCE;
	peer_power(NULL, x, story->y);
	story->verdict = judge(story, peer);
	if (story->verdict != OK)
		return;
	peer_power(peer + WIRE_NONCE, x, story->shared);
	peer_dk_2(head->k, story->nonces, story->shared, &client, &server);
	story->ours = role == SESSION_CLIENT ? client : server;
	story->theirs = role == SESSION_CLIENT ? server : client;
}

struct key_name handshake_name = {.text = "key"};

void
handshake_ring(const struct handshake_story *story, const uint8_t k[WIRE_KEY], struct key keys[KEYS])
{
	memset(keys, 0, KEYS * sizeof *keys);
	for (size_t i = 0; i < KEYS; i++) {
		size_t distance = i < story->key_at ? story->key_at - i : i - story->key_at;

		keys[i].name = &handshake_name;
		for (size_t j = 0; j < WIRE_KEY; j++)
			keys[i].k[j] = (uint8_t)(k[j] ^ 85 * distance);
	}
}

struct engine *
handshake_engine(const struct handshake_head *head)
{
	static struct engine *best, *plain;

	if (best == NULL) {
		check(group14_start() == OK);
		best = engine_new(ENGINE_BEST);
		plain = engine_new(ENGINE_LIBCRYPTO);
		check(best != NULL && plain != NULL);
	}
	return (head->manner & MANNER_PLAIN) != 0 ? plain : best;
}

/* Every y that matters: the input's own, those around the borders, and an honest one. */
static void
choose_y(uint8_t choice, uint8_t y[WIRE_Y])
{
	uint8_t x[WIRE_X] = {0};

	switch (choice % 16) {
	case 1:
		memset(y, 0, WIRE_Y);
		return;
	case 2:
	case 3:
		memset(y, 0, WIRE_Y);
		y[WIRE_Y - 1] = (uint8_t)(choice % 16 - 1);
		return;
	case 4:
	case 5:
	case 6:
	case 7:
		peer_near_prime(choice % 16 - 6, y);
		return;
	case 8:
		memset(y, 0xff, WIRE_Y);
		return;
	case 9:
	case 10:
		x[0] = choice;
		peer_power(NULL, x, y);
		return;
	default:
		return;
	}
}

void
fuzz_repair(uint8_t *data, size_t size)
{
	struct handshake_head head;
	struct handshake_story story;
	uint8_t *peer = data + sizeof head + SCRIPT, *y = peer + WIRE_NONCE, *mac = y + WIRE_Y;

	if (size < sizeof head + SCRIPT + HANDSHAKE)
		return;
	memcpy(&head, data, sizeof head);
	choose_y(head.y, y);
	handshake_tell(&head, peer, HANDSHAKE, &story);
	peer_hmac(story.dk_1 + (role == SESSION_CLIENT ? WIRE_DHMAC_S : WIRE_DHMAC_C), y, WIRE_Y, mac);
	if ((head.manner & MANNER_SPOILT) != 0)
		mac[head.piece % WIRE_MAC] ^= 1;
	handshake_tell(&head, peer, HANDSHAKE, &story);
	if (story.verdict == OK)
		wire_repair(&story.theirs, 0, head.spoilt, peer + HANDSHAKE, size - sizeof head - SCRIPT - HANDSHAKE);
}

size_t
fuzz_change(uint8_t *data, size_t size, size_t max_size, uint32_t random)
{
	struct handshake_head head;
	struct handshake_story story;
	size_t packets_at = sizeof head + SCRIPT + HANDSHAKE;

	/* Grown to a whole handshake first: no way is shorter for a fuzzer. */
	if (size < packets_at && max_size >= packets_at) {
		memset(data + size, 0, packets_at - size);
		data[3] = 9;
		return packets_at;
	}
	if (size < packets_at)
		return size;
	memcpy(&head, data, sizeof head);
	if (SCRIPT > 0 && fuzz_random(&random) % 2 == 0) {
		data[sizeof head + random / 256 % (SCRIPT + 1)] = (uint8_t)random;
		return size;
	}
	if (fuzz_random(&random) % 4 == 0) {
		data[random % CONTROL] = (uint8_t)(random >> 8);
		return size;
	}
	handshake_tell(&head, data + packets_at - HANDSHAKE, HANDSHAKE, &story);
	if (story.verdict != OK)
		return LLVMFuzzerMutate(data, size, max_size);
	return packets_at +
	       wire_change(&story.theirs, 0, data + packets_at, size - packets_at, max_size - packets_at, random);
}
