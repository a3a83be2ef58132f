/*
 * admission.h: who may come in, who has to wait and who has to go. Sans-I/O and without allocation: one at
 * a time tells it of every connection and does what it says (net/gate.h).
 *
 * Strangers, connections that have not proved a key yet, have a cap of their own: over it, of the source that has
 * the most of them the one that has kept us waiting longest goes. Connections that count against -n (on -d those that
 * have proved a key; on -e all) beyond it wait in the order in which they asked.
 */
#ifndef PIPE_ADMISSION_H
#define PIPE_ADMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a connection comes from, as far as fairness goes: an IPv4 /32, an IPv6 /64, or a UNIX socket (all zeros). */
struct admission_source {
	uint8_t bytes[16];
};

#define ADMISSION_NONE UINT32_MAX

/* One per stranger that may be there at a time; its index is the connection's slot. */
struct admission_slot {
	uint32_t bucket;       /* index of its source's bucket */
	uint32_t older, newer; /* in the bucket, or in the queue of those who wait for room; newer: in the free list */
	bool waiting;
};

/* One per source that has strangers who do not wait; found by hash, in a ring with all that have as many. */
struct admission_bucket {
	struct admission_source source;
	uint32_t count;
	uint32_t oldest, newest; /* slots */
	uint32_t before, after;  /* in the ring; the first has been there longest */
	uint32_t chain;          /* the next bucket with the same hash; in the free list */
};

struct admission {
	uint64_t hash_key;
	uint32_t cap, limit;                          /* --max-handshakes; -n, 0: none */
	uint32_t strangers;                           /* slots in use, those who wait for room included */
	uint32_t admitted;                            /* against -n */
	uint32_t free_slot, free_bucket, first, last; /* first and last of those who wait for room */
	uint32_t most;                                /* the highest count that a bucket has */
	struct admission_slot *slots;                 /* cap */
	struct admission_bucket *buckets;             /* cap */
	uint32_t *by_count;                           /* cap + 1: the first bucket of the ring with that many */
	uint32_t *by_hash;                            /* hash_size, a power of two >= cap */
	uint32_t hash_size;
};

/* The bytes of memory that admission_start needs for this cap (1 <= cap <= 1,000,000). */
size_t admission_size(uint32_t cap);

/*
 * memory: admission_size(cap) bytes, aligned for any type, zeroed or not; outlives admission. hash_key: random, so
 * that nobody can choose addresses which collide.
 */
void admission_start(struct admission *admission, void *memory, uint32_t cap, uint32_t limit, uint64_t hash_key);

/*
 * A stranger has connected. Returns its slot. When the cap is reached *evicted is the slot of the one that goes:
 * already freed and the very slot returned, so tell its owner first, and heed nothing more about that slot from it;
 * else ADMISSION_NONE. Returns ADMISSION_NONE when all slots are held by those who wait for room: then refuse the
 * newcomer. The newcomer counts with its source: of two sources with as many, the newcomer's has the most.
 */
uint32_t admission_enter(struct admission *admission, const struct admission_source *source, uint32_t *evicted);

/* The same, but only to make room (descriptors have run out): the slot that goes, freed; ADMISSION_NONE: nobody. */
uint32_t admission_evict(struct admission *admission);

/* The one in this slot has proved its key. true: it is admitted and its slot is free; false: it waits its turn. */
bool admission_authenticated(struct admission *admission, uint32_t slot);

/* The one in this slot has gone before it was admitted, waiting or not. */
void admission_leave(struct admission *admission, uint32_t slot);

/*
 * An admitted connection has ended. Returns the slot of the one who has waited longest: admitted now and its slot
 * freed; ADMISSION_NONE: nobody waits.
 */
uint32_t admission_end(struct admission *admission);

/* -e: all count from the start. Whether there is room under -n (then it is taken): pause accepting otherwise. */
bool admission_take(struct admission *admission);

/* Whether -n is reached. */
bool admission_is_full(const struct admission *admission);

#endif
