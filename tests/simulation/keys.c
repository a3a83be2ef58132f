/*
 * keys.c: rings of keys that are read again while it serves, and who holds them, as daemon/key_ring.h, net/server.c and
 * net/connection.c. What nobody holds any more is spoilt and freed, so that a look at it shows.
 */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { SPOILT = 0xdd };

struct name {
	struct key_name name; /* first */
	struct scene *scene;
};

struct ring {
	struct keyring keyring; /* first */
	struct scene *scene;
	struct key keys[KEYS + 1];
	unsigned numbers[KEYS + 1];
};

static void
free_name(struct counted *counted)
{
	struct name *name = (struct name *)counted;

	name->scene->names--;
	memset(name, SPOILT, sizeof *name);
	free(name);
}

static void
free_ring(struct counted *counted)
{
	struct ring *ring = (struct ring *)counted;
	struct scene *scene = ring->scene;

	for (size_t i = 0; i < ring->keyring.count; i++)
		counted_drop(&ring->keys[i].name->counted);
	if (scene->generation > 0 && &ring->keyring != scene->ring)
		happens(scene, HAPPENS_RING_FREED);
	scene->rings--;
	memset(ring, SPOILT, sizeof *ring);
	free(ring);
}

static struct key_name *
new_name(struct scene *scene, unsigned number)
{
	struct name *name = calloc(1, sizeof *name);

	if (name == NULL)
		abort();
	name->scene = scene;
	name->name.counted = (struct counted){.holders = 1, .free = free_name};
	memcpy(name->name.text, "key 0", 6);
	name->name.text[4] = (char)('0' + number);
	scene->names++;
	return &name->name;
}

static const struct key *
find(const struct keyring *keyring, unsigned number)
{
	const struct ring *ring = (const struct ring *)keyring;

	for (size_t i = 0; ring != NULL && i < ring->keyring.count; i++)
		if (ring->numbers[i] == number)
			return &ring->keys[i];
	return NULL;
}

struct keyring *
keys_new(struct scene *scene, const unsigned *numbers, size_t count, const struct keyring *old)
{
	struct ring *ring = calloc(1, sizeof *ring);

	if (ring == NULL)
		abort();
	ring->scene = scene;
	ring->keyring.counted = (struct counted){.holders = 1, .free = free_ring};
	ring->keyring.keys = ring->keys;
	scene->rings++;
	for (size_t i = 0; i < count; i++) {
		const struct key *kept = find(old, numbers[i]);

		ring->numbers[i] = numbers[i];
		memset(ring->keys[i].k, 7 + (int)numbers[i], WIRE_KEY);
		ring->keys[i].name = kept != NULL ? kept->name : new_name(scene, numbers[i]);
		if (kept != NULL)
			counted_take(&kept->name->counted);
	}
	ring->keyring.count = count;
	return &ring->keyring;
}

/* Which of the first `of` keys, in any order; none is possible. */
static size_t
draw_keys(struct scene *scene, unsigned of, unsigned numbers[KEYS + 1])
{
	size_t count = 0;

	for (unsigned i = 0; i < of; i++) {
		size_t at = (size_t)draw(scene, count + 1);

		if (!chance(scene, scene->keeps))
			continue;
		memmove(numbers + at + 1, numbers + at, (count - at) * sizeof *numbers);
		numbers[at] = i;
		count++;
	}
	return count;
}

void
keys_start(struct scene *scene)
{
	static const unsigned all[KEYS] = {0, 1, 2};

	scene->generation = 0;
	memset(scene->removed_in, 0, sizeof scene->removed_in);
	scene->ring = keys_new(scene, all, scene->key_count, NULL);
}

void
keys_stop(struct scene *scene)
{
	counted_drop(&scene->ring->counted);
	scene->ring = NULL;
	promise(scene, scene->rings == 0 && scene->names == 0);
}

/* A new ring is in force; who is on a key that it has not is told so later. */
void
keys_change(struct scene *scene)
{
	struct keyring *old = scene->ring;
	unsigned numbers[KEYS + 1];
	size_t count = draw_keys(scene, KEYS, numbers);

	scene->generation++;
	scene->ring = keys_new(scene, numbers, count, old);
	for (unsigned i = 0; i < KEYS; i++) {
		const struct key *gone = find(old, i);

		if (gone == NULL || find(scene->ring, i) != NULL)
			continue;
		atomic_store(&gone->name->is_revoked, true);
		scene->removed_in[i] = scene->generation;
	}
	happens(scene, count == 0 ? HAPPENS_NO_KEYS_LEFT : HAPPENS_KEYS_CHANGED);
	trace_link(scene, NULL, "keys are read again", count);
	counted_drop(&old->counted);
}

/* Its pipe is to start: E reads its own, which nobody else holds. */
struct keyring *
keys_hold(struct scene *scene, struct side *side)
{
	const struct key *key;

	if (side->which == E) {
		side->ring = keys_new(scene, &side->link->key, 1, NULL);
	} else {
		side->ring = scene->ring;
		counted_take(&side->ring->counted);
	}
	key = find(side->ring, side->link->key);
	side->generation = scene->generation;
	side->has_key = key != NULL;
	side->is_second_key = key != NULL && key != side->ring->keys;
	side->expected = key != NULL ? key->name : NULL;
	if (side->which == D && key == NULL && side->link->key < KEYS) {
		side->link->is_harmed = true;
		if (side->link->trouble != STRANGER)
			happens(scene, HAPPENS_KEY_WAS_GONE);
	}
	return side->ring;
}

bool
is_removed(const struct scene *scene, const struct side *side)
{
	return side->which == D && side->link->key < KEYS && scene->removed_in[side->link->key] > side->generation;
}

/* As check_key of net/connection.c. */
void
keys_check(struct scene *scene, struct side *side)
{
	if (!side->opened || side->over || !atomic_load(&side->name->is_revoked) || side->told_revoked)
		return;
	side->told_revoked = true;
	side->link->is_harmed |= scene->closes_revoked;
	happens(scene, scene->closes_revoked ? HAPPENS_REVOKED_STOPPED : HAPPENS_REVOKED_LISTED);
	if (scene->closes_revoked)
		side_hear(scene, side, (struct pipe_event){.kind = PIPE_STOP, .error = ERROR_REVOKED});
}

void
keys_opened(struct scene *scene, struct side *side)
{
	side->name = pipe_key(&side->pipe);
	counted_take(&side->name->counted);
	counted_drop(&side->ring->counted);
	side->ring = NULL;
	if (side->which == D && side->generation != scene->generation)
		happens(scene, HAPPENS_CHANGED_HALF_WAY);
	if (is_removed(scene, side))
		happens(scene, HAPPENS_REMOVED_HALF_WAY);
	keys_check(scene, side);
}

void
keys_let_go(struct side *side)
{
	counted_drop(side->ring != NULL ? &side->ring->counted : &side->name->counted);
	side->ring = NULL;
	side->name = NULL;
}
