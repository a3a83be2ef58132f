/* admission.c: who may come in, who has to wait and who has to go; every call takes the same time, near enough. */
#include "pipe/admission.h"

#include <string.h>

/* Keyed, so that nobody can choose sources which meet in one chain. */
static uint32_t
hash_of(const struct admission *admission, const struct admission_source *source)
{
	uint64_t hash = admission->hash_key, half;

	for (size_t i = 0; i < sizeof *source; i += sizeof half) {
		memcpy(&half, source->bytes + i, sizeof half);
		hash += half;
		/* the mixing step of splitmix64 */
		hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
		hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
		hash ^= hash >> 31;
	}
	return (uint32_t)hash & (admission->hash_size - 1);
}

static uint32_t
hash_size(uint32_t cap)
{
	uint32_t size = 1;

	while (size < cap)
		size *= 2;
	return size;
}

size_t
admission_size(uint32_t cap)
{
	size_t each = sizeof(struct admission_slot) + sizeof(struct admission_bucket) + sizeof(uint32_t);

	return cap * each + (1 + (size_t)hash_size(cap)) * sizeof(uint32_t);
}

void
admission_start(struct admission *admission, void *memory, uint32_t cap, uint32_t limit, uint64_t hash_key)
{
	memset(admission, 0, sizeof *admission);
	admission->hash_key = hash_key;
	admission->cap = cap;
	admission->limit = limit;
	admission->first = admission->last = ADMISSION_NONE;
	admission->hash_size = hash_size(cap);
	admission->slots = memory;
	admission->buckets = (void *)(admission->slots + cap);
	admission->by_count = (void *)(admission->buckets + cap);
	admission->by_hash = admission->by_count + cap + 1;
	for (uint32_t i = 0; i < cap; i++) {
		admission->slots[i].newer = i + 1 < cap ? i + 1 : ADMISSION_NONE;
		admission->buckets[i].chain = i + 1 < cap ? i + 1 : ADMISSION_NONE;
	}
	for (uint32_t i = 0; i <= cap; i++)
		admission->by_count[i] = ADMISSION_NONE;
	for (uint32_t i = 0; i < admission->hash_size; i++)
		admission->by_hash[i] = ADMISSION_NONE;
}

/* Takes a bucket out of the ring of those that have as many strangers; 0 has no ring. */
static void
ring_leave(struct admission *admission, uint32_t index)
{
	struct admission_bucket *bucket = &admission->buckets[index];
	uint32_t *first = &admission->by_count[bucket->count];

	if (bucket->count == 0)
		return;
	admission->buckets[bucket->before].after = bucket->after;
	admission->buckets[bucket->after].before = bucket->before;
	if (*first == index)
		*first = bucket->after == index ? ADMISSION_NONE : bucket->after;
}

/* Puts a bucket last into the ring of its count. */
static void
ring_join(struct admission *admission, uint32_t index)
{
	struct admission_bucket *bucket = &admission->buckets[index];
	uint32_t *first = &admission->by_count[bucket->count];

	if (bucket->count == 0)
		return;
	if (*first == ADMISSION_NONE)
		*first = bucket->before = bucket->after = index;
	bucket->after = *first;
	bucket->before = admission->buckets[*first].before;
	admission->buckets[bucket->before].after = index;
	admission->buckets[bucket->after].before = index;
}

/* Counts change by one at a time, so that the highest is never far to seek; it is at least 1 where one has changed. */
static void
set_count(struct admission *admission, uint32_t index, uint32_t count)
{
	ring_leave(admission, index);
	admission->buckets[index].count = count;
	ring_join(admission, index);
	if (count > admission->most)
		admission->most = count;
	if (admission->by_count[admission->most] == ADMISSION_NONE)
		admission->most--;
}

static uint32_t
bucket_find(const struct admission *admission, const struct admission_source *source)
{
	uint32_t index = admission->by_hash[hash_of(admission, source)];

	while (index != ADMISSION_NONE && memcmp(&admission->buckets[index].source, source, sizeof *source) != 0)
		index = admission->buckets[index].chain;
	return index;
}

/* There is one for each slot, so there is always one free for a slot that has none. */
static uint32_t
bucket_make(struct admission *admission, const struct admission_source *source)
{
	uint32_t *first = &admission->by_hash[hash_of(admission, source)], index = admission->free_bucket;
	struct admission_bucket *bucket = &admission->buckets[index];

	admission->free_bucket = bucket->chain;
	*bucket = (struct admission_bucket){.source = *source, .oldest = ADMISSION_NONE, .newest = ADMISSION_NONE};
	bucket->chain = *first;
	*first = index;
	return index;
}

static void
bucket_free(struct admission *admission, uint32_t index)
{
	struct admission_bucket *bucket = &admission->buckets[index];
	uint32_t *link = &admission->by_hash[hash_of(admission, &bucket->source)];

	while (*link != index)
		link = &admission->buckets[*link].chain;
	*link = bucket->chain;
	bucket->chain = admission->free_bucket;
	admission->free_bucket = index;
}

/* Puts a slot last into a list by age: a bucket's, or the queue of those who wait for room. */
static void
list_join(struct admission *admission, uint32_t *oldest, uint32_t *newest, uint32_t slot)
{
	admission->slots[slot].older = *newest;
	admission->slots[slot].newer = ADMISSION_NONE;
	if (*newest == ADMISSION_NONE)
		*oldest = slot;
	else
		admission->slots[*newest].newer = slot;
	*newest = slot;
}

static void
list_leave(struct admission *admission, uint32_t *oldest, uint32_t *newest, uint32_t slot)
{
	uint32_t older = admission->slots[slot].older, newer = admission->slots[slot].newer;

	if (older == ADMISSION_NONE)
		*oldest = newer;
	else
		admission->slots[older].newer = newer;
	if (newer == ADMISSION_NONE)
		*newest = older;
	else
		admission->slots[newer].older = older;
}

/* Takes a slot out of its bucket, or out of the queue of those who wait. */
static void
slot_withdraw(struct admission *admission, uint32_t slot)
{
	uint32_t index = admission->slots[slot].bucket;
	struct admission_bucket *bucket = &admission->buckets[index];

	if (admission->slots[slot].waiting) {
		list_leave(admission, &admission->first, &admission->last, slot);
		return;
	}
	list_leave(admission, &bucket->oldest, &bucket->newest, slot);
	set_count(admission, index, bucket->count - 1);
	if (bucket->count == 0)
		bucket_free(admission, index);
}

static void
slot_free(struct admission *admission, uint32_t slot)
{
	slot_withdraw(admission, slot);
	admission->slots[slot] = (struct admission_slot){.newer = admission->free_slot};
	admission->free_slot = slot;
	admission->strangers--;
}

/* Of all buckets with the most, the one that has had so many for longest; its oldest. */
static uint32_t
oldest_of_most(const struct admission *admission)
{
	if (admission->most == 0)
		return ADMISSION_NONE;
	return admission->buckets[admission->by_count[admission->most]].oldest;
}

uint32_t
admission_enter(struct admission *admission, const struct admission_source *source, uint32_t *evicted)
{
	uint32_t index = bucket_find(admission, source), slot;

	*evicted = ADMISSION_NONE;
	if (admission->free_slot == ADMISSION_NONE) {
		slot = oldest_of_most(admission);
		if (slot == ADMISSION_NONE)
			return ADMISSION_NONE;
		if (index != ADMISSION_NONE && admission->buckets[index].count == admission->most)
			slot = admission->buckets[index].oldest;
		slot_free(admission, slot);
		*evicted = slot;
		index = bucket_find(admission, source);
	}
	if (index == ADMISSION_NONE)
		index = bucket_make(admission, source);
	slot = admission->free_slot;
	admission->free_slot = admission->slots[slot].newer;
	admission->slots[slot] = (struct admission_slot){.bucket = index};
	list_join(admission, &admission->buckets[index].oldest, &admission->buckets[index].newest, slot);
	set_count(admission, index, admission->buckets[index].count + 1);
	admission->strangers++;
	return slot;
}

uint32_t
admission_evict(struct admission *admission)
{
	uint32_t slot = oldest_of_most(admission);

	if (slot != ADMISSION_NONE)
		slot_free(admission, slot);
	return slot;
}

bool
admission_authenticated(struct admission *admission, uint32_t slot)
{
	if (admission_take(admission)) {
		slot_free(admission, slot);
		return true;
	}
	slot_withdraw(admission, slot);
	admission->slots[slot].waiting = true;
	list_join(admission, &admission->first, &admission->last, slot);
	return false;
}

void
admission_leave(struct admission *admission, uint32_t slot)
{
	slot_free(admission, slot);
}

uint32_t
admission_end(struct admission *admission)
{
	uint32_t slot = admission->first;

	if (slot == ADMISSION_NONE) {
		admission->admitted--;
		return ADMISSION_NONE;
	}
	/* its place goes to the one who has waited longest */
	slot_free(admission, slot);
	return slot;
}

bool
admission_take(struct admission *admission)
{
	if (admission_is_full(admission))
		return false;
	admission->admitted++;
	return true;
}

bool
admission_is_full(const struct admission *admission)
{
	return admission->limit != 0 && admission->admitted >= admission->limit;
}
