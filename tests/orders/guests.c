/* guests.c: see guests.h. Who is there stands in lists by age, and is looked through from end to end each time. */
#include "guests.h"

#include <stdio.h>
#include <string.h>

#include "pipe/admission.h"

enum {
	MOVE_ENTER,
	MOVE_PROVES = GUESTS_SOURCES,
	MOVE_LEAVES = MOVE_PROVES + GUESTS_CAP,
	MOVE_END = MOVE_LEAVES + GUESTS_CAP,
	MOVE_EVICT,
	MOVES
};

/* With no limit there would be no last state. */
enum { ADMITTED_MAX = 3 };

struct list {
	uint32_t slots[GUESTS_CAP], count; /* the oldest first */
};

static struct {
	struct admission admission;
	_Alignas(16) uint8_t memory[1024];
	struct list strangers, waiting;
	uint32_t source_of[GUESTS_CAP];
	uint32_t admitted;
} house;

static struct {
	uint32_t cap, limit, sources;
} rules;

void
guests_prepare(uint32_t cap, uint32_t limit, uint32_t sources)
{
	rules.cap = cap;
	rules.limit = limit;
	rules.sources = sources;
}

static uint32_t
list_find(const struct list *list, uint32_t slot)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->slots[i] == slot)
			return i;
	return list->count;
}

static bool
list_has(const struct list *list, uint32_t slot)
{
	return list_find(list, slot) < list->count;
}

static void
list_add(struct list *list, uint32_t slot)
{
	list->slots[list->count++] = slot;
}

static void
list_remove(struct list *list, uint32_t slot)
{
	uint32_t at = list_find(list, slot);

	if (at == list->count)
		return;
	list->count--;
	memmove(list->slots + at, list->slots + at + 1, (list->count - at) * sizeof list->slots[0]);
	list->slots[list->count] = 0;
}

static struct admission_source
address_of(uint32_t source)
{
	struct admission_source address = {{0}};

	memcpy(address.bytes + 12, &source, sizeof source);
	return address;
}

/* How many strangers a source has who do not wait. */
static uint32_t
count_of(uint32_t source)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < house.strangers.count; i++)
		count += house.source_of[house.strangers.slots[i]] == source;
	return count;
}

/* The one that goes is the oldest of a source that has the most; of the newcomer's, if that has as many as any. */
static void
promise_fair(uint32_t slot, uint32_t newcomer)
{
	uint32_t source, most = 0;

	PROMISE(list_has(&house.strangers, slot), "slot %u goes, where no stranger is", slot);
	if (search_is_broken())
		return;
	source = house.source_of[slot];
	for (uint32_t other = 0; other < rules.sources; other++)
		most = count_of(other) > most ? count_of(other) : most;
	PROMISE(count_of(source) == most, "one goes whose source has fewer than another");
	PROMISE(source == newcomer || count_of(newcomer) < most, "one goes for a newcomer whose source has as many");
	for (uint32_t i = 0; house.strangers.slots[i] != slot; i++)
		PROMISE(
		    house.source_of[house.strangers.slots[i]] != source, "one goes that is not its source's oldest");
}

static void
make_enter(uint32_t source)
{
	struct admission_source address = address_of(source);
	bool is_full = house.strangers.count + house.waiting.count == rules.cap;
	uint32_t evicted, slot = admission_enter(&house.admission, &address, &evicted);

	if (is_full && house.strangers.count == 0) {
		PROMISE(slot == ADMISSION_NONE && evicted == ADMISSION_NONE, "one comes in where all wait");
		return;
	}
	PROMISE(slot < rules.cap && is_full == (evicted != ADMISSION_NONE), "one goes without need, or none goes");
	if (is_full && !search_is_broken()) {
		PROMISE(slot == evicted, "the newcomer does not get the place of the one that went");
		promise_fair(evicted, source);
		list_remove(&house.strangers, evicted);
	}
	PROMISE(!list_has(&house.strangers, slot) && !list_has(&house.waiting, slot), "slot %u is given twice", slot);
	if (search_is_broken())
		return;
	house.source_of[slot] = source;
	list_add(&house.strangers, slot);
}

static void
make_proves(uint32_t slot)
{
	bool is_room = rules.limit == 0 || house.admitted < rules.limit;

	PROMISE(admission_authenticated(&house.admission, slot) == is_room,
	    "one is admitted beyond -n, or waits without need");
	list_remove(&house.strangers, slot);
	if (is_room)
		house.admitted++;
	else
		list_add(&house.waiting, slot);
}

static void
make_end(void)
{
	uint32_t due = house.waiting.count > 0 ? house.waiting.slots[0] : ADMISSION_NONE;

	PROMISE(admission_end(&house.admission) == due, "the one who has waited longest is not the next");
	if (due == ADMISSION_NONE)
		house.admitted--;
	else
		list_remove(&house.waiting, due);
}

static void
make_evict(void)
{
	uint32_t slot = admission_evict(&house.admission);

	if (house.strangers.count == 0) {
		PROMISE(slot == ADMISSION_NONE, "one goes where none is");
		return;
	}
	promise_fair(slot, UINT32_MAX);
	list_remove(&house.strangers, slot);
}

static size_t
moves(uint8_t moves[SEARCH_MOVES])
{
	size_t count = 0;

	for (uint32_t i = 0; i < rules.sources; i++)
		moves[count++] = (uint8_t)(MOVE_ENTER + i);
	for (uint32_t slot = 0; slot < rules.cap; slot++) {
		if (list_has(&house.strangers, slot) && (rules.limit > 0 || house.admitted < ADMITTED_MAX))
			moves[count++] = (uint8_t)(MOVE_PROVES + slot);
		if (list_has(&house.strangers, slot) || list_has(&house.waiting, slot))
			moves[count++] = (uint8_t)(MOVE_LEAVES + slot);
	}
	if (house.admitted > 0)
		moves[count++] = MOVE_END;
	moves[count++] = MOVE_EVICT;
	return count;
}

static void
make(uint8_t move)
{
	if (move < MOVE_PROVES) {
		make_enter(move - (uint32_t)MOVE_ENTER);
	} else if (move < MOVE_LEAVES) {
		make_proves(move - (uint32_t)MOVE_PROVES);
	} else if (move < MOVE_END) {
		admission_leave(&house.admission, move - (uint32_t)MOVE_LEAVES);
		list_remove(&house.strangers, move - (uint32_t)MOVE_LEAVES);
		list_remove(&house.waiting, move - (uint32_t)MOVE_LEAVES);
	} else if (move == MOVE_END) {
		make_end();
	} else {
		make_evict();
	}
	PROMISE(house.admission.admitted == house.admitted, "it counts %u admitted", house.admission.admitted);
	PROMISE(house.admission.strangers == house.strangers.count + house.waiting.count, "it counts %u strangers",
	    house.admission.strangers);
	PROMISE(admission_is_full(&house.admission) == (rules.limit > 0 && house.admitted == rules.limit),
	    "it is full, or not, against its counts");
}

/* From anywhere: those who wait come in, in turn, as others end; all go; and then there is room for as many as ever. */
static void
check(void)
{
	uint32_t count = 0;

	while (house.admitted > 0 && !search_is_broken())
		make(MOVE_END);
	PROMISE(house.waiting.count == 0, "one waits, and nobody is there to end");
	while (house.strangers.count > 0 && !search_is_broken())
		make((uint8_t)(MOVE_LEAVES + house.strangers.slots[0]));
	for (; count < rules.cap && !search_is_broken(); count++)
		make((uint8_t)(MOVE_ENTER + count % rules.sources));
	for (; count > 0 && !search_is_broken(); count--)
		make(MOVE_EVICT);
}

static void
start(void)
{
	memset(&house, 0, sizeof house);
	admission_start(&house.admission, house.memory, rules.cap, rules.limit, 0x5eed);
}

/* What a bucket that is free had in it matters to nobody. */
static uint64_t
digest(void)
{
	static uint8_t copy[sizeof house];
	size_t offset = (size_t)((uint8_t *)house.admission.buckets - (uint8_t *)&house);

	memcpy(copy, &house, sizeof house);
	for (uint32_t i = house.admission.free_bucket; i != ADMISSION_NONE; i = house.admission.buckets[i].chain) {
		struct admission_bucket bucket = {.chain = house.admission.buckets[i].chain};

		memcpy(copy + offset + i * sizeof bucket, &bucket, sizeof bucket);
	}
	return search_hash(0, copy, sizeof copy);
}

static void
name(uint8_t move, char *text, size_t size)
{
	if (move < MOVE_PROVES)
		snprintf(text, size, "one comes from source %d", move - MOVE_ENTER);
	else if (move < MOVE_LEAVES)
		snprintf(text, size, "the one in slot %d proves its key", move - MOVE_PROVES);
	else if (move < MOVE_END)
		snprintf(text, size, "the one in slot %d leaves", move - MOVE_LEAVES);
	else
		snprintf(text, size, "%s", move == MOVE_END ? "an admitted one ends" : "one has to go");
}

const struct search_model guests_model = {
    .world = &house,
    .size = sizeof house,
    .start = start,
    .moves = moves,
    .make = make,
    .digest = digest,
    .check = check,
    .name = name,
};
