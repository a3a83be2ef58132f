/* search.c: see search.h. A state is kept as the move that led to it, and made again from the start when its turn
 * comes.
 */
#include "search.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 255, NONE = 0 };

struct node {
	uint32_t parent;
	uint8_t move, depth;
};

struct search {
	const struct search_model *model;
	struct node *nodes;
	size_t count, room;
	uint64_t *seen; /* digests; 0: free */
	size_t seen_size;
	uint8_t *saved;
};

static char broken[400];

void
search_broken(const char *format, ...)
{
	va_list arguments;

	if (broken[0] != '\0')
		return;
	va_start(arguments, format);
	vsnprintf(broken, sizeof broken, format, arguments);
	va_end(arguments);
}

bool
search_is_broken(void)
{
	return broken[0] != '\0';
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15;
	return a ^ (a >> 29);
}

uint64_t
search_hash(uint64_t seed, const void *bytes, size_t length)
{
	const uint8_t *from = bytes;
	uint64_t lanes[4] = {seed, ~seed, seed + length, 0x5eed}, word;

	for (; length >= sizeof lanes; length -= sizeof lanes) {
		for (size_t i = 0; i < 4; i++) {
			memcpy(&word, from, sizeof word);
			lanes[i] = mix(lanes[i], word);
			from += sizeof word;
		}
	}
	for (; length > 0; length--)
		lanes[length % 4] = mix(lanes[length % 4], *from++);
	return mix(mix(lanes[0], lanes[1]), mix(lanes[2], lanes[3]));
}

static void *
allocate(void *old, size_t count, size_t size)
{
	void *memory = realloc(old, count * size);

	if (memory == NULL) {
		fputs("orders: out of memory\n", stderr);
		exit(1);
	}
	return memory;
}

static bool
put(uint64_t *seen, size_t size, uint64_t digest)
{
	size_t at = (size_t)digest & (size - 1);

	while (seen[at] != NONE) {
		if (seen[at] == digest)
			return false;
		at = (at + 1) & (size - 1);
	}
	seen[at] = digest;
	return true;
}

static void
grow_seen(struct search *search)
{
	size_t size = search->seen_size == 0 ? 1 << 16 : 2 * search->seen_size;
	uint64_t *seen = allocate(NULL, size, sizeof *seen);

	memset(seen, 0, size * sizeof *seen);
	for (size_t i = 0; i < search->seen_size; i++)
		if (search->seen[i] != NONE)
			put(seen, size, search->seen[i]);
	free(search->seen);
	search->seen = seen;
	search->seen_size = size;
}

/* False if the state that the world is in was there before. */
static bool
add_node(struct search *search, uint32_t parent, uint8_t move, unsigned depth)
{
	uint64_t digest = search->model->digest();

	if (2 * search->count >= search->seen_size)
		grow_seen(search);
	if (!put(search->seen, search->seen_size, digest == NONE ? 1 : digest))
		return false;
	if (search->count == search->room) {
		search->room = search->room == 0 ? 1 << 16 : 2 * search->room;
		search->nodes = allocate(search->nodes, search->room, sizeof *search->nodes);
	}
	search->nodes[search->count++] = (struct node){.parent = parent, .move = move, .depth = (uint8_t)depth};
	return true;
}

/* The moves that lead to a node, the first one first. */
static unsigned
trail(const struct search *search, size_t index, uint8_t moves[DEPTH_MAX])
{
	unsigned depth = search->nodes[index].depth;

	for (unsigned i = depth; i-- > 0; index = search->nodes[index].parent)
		moves[i] = search->nodes[index].move;
	return depth;
}

static void
go_to(const struct search *search, size_t index)
{
	uint8_t moves[DEPTH_MAX];
	unsigned depth = trail(search, index, moves);

	search->model->start();
	for (unsigned i = 0; i < depth; i++)
		search->model->make(moves[i]);
}

static void
report(const struct search *search, const char *title, size_t index, const uint8_t *last)
{
	uint8_t moves[DEPTH_MAX + 1];
	unsigned depth = trail(search, index, moves);
	char text[80];

	if (last != NULL)
		moves[depth++] = *last;
	printf("%s: BROKEN: %s\n  the shortest way there, %u moves:\n", title, broken, depth);
	for (unsigned i = 0; i < depth; i++) {
		search->model->name(moves[i], text, sizeof text);
		printf("  %3u %s\n", i + 1, text);
	}
}

/* All that can happen in one state. */
static bool
expand(struct search *search, const char *title, size_t index, struct search_result *result)
{
	const struct search_model *model = search->model;
	unsigned depth = search->nodes[index].depth + 1u;
	uint8_t moves[SEARCH_MOVES];
	size_t count;

	go_to(search, index);
	memcpy(search->saved, model->world, model->size);
	count = model->moves(moves);
	for (size_t i = 0; i < count; i++) {
		memcpy(model->world, search->saved, model->size);
		model->make(moves[i]);
		result->transitions++;
		result->made[moves[i]]++;
		if (!search_is_broken() && add_node(search, (uint32_t)index, moves[i], depth)) {
			result->depth = depth;
			model->check();
		}
		if (search_is_broken()) {
			report(search, title, index, &moves[i]);
			return false;
		}
	}
	return true;
}

bool
search_run(const struct search_model *model, const char *title, unsigned depth, struct search_result *result)
{
	struct search search = {.model = model};
	bool is_good = true;

	memset(result, 0, sizeof *result);
	broken[0] = '\0';
	search.saved = allocate(NULL, 1, model->size);
	model->start();
	add_node(&search, 0, 0, 0);
	model->check();
	if (search_is_broken()) {
		report(&search, title, 0, NULL);
		is_good = false;
	}
	result->is_complete = true;
	for (size_t index = 0; is_good && index < search.count; index++) {
		if (search.nodes[index].depth >= (depth == 0 ? DEPTH_MAX - 1 : depth)) {
			result->is_complete = false;
			break;
		}
		is_good = expand(&search, title, index, result);
	}
	result->states = search.count;
	free(search.nodes);
	free(search.seen);
	free(search.saved);
	return is_good;
}
