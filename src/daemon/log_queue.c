/* log_queue.c: a ring of lines, and the limit on those that strangers can cause. */
#include "daemon/log_queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* In front of each text in the ring. */
struct record {
	uint64_t time;
	uint16_t length;
	uint8_t level;
};

static void
ring_append(struct log_queue *queue, const void *bytes, size_t length)
{
	size_t end = (queue->first + queue->used) % LOG_QUEUE_BYTES;
	size_t before_wrap = LOG_QUEUE_BYTES - end < length ? LOG_QUEUE_BYTES - end : length;

	memcpy(queue->ring + end, bytes, before_wrap);
	memcpy(queue->ring, (const uint8_t *)bytes + before_wrap, length - before_wrap);
	queue->used += length;
}

static void
ring_take(struct log_queue *queue, void *bytes, size_t length)
{
	size_t before_wrap = LOG_QUEUE_BYTES - queue->first < length ? LOG_QUEUE_BYTES - queue->first : length;

	memcpy(bytes, queue->ring + queue->first, before_wrap);
	memcpy((uint8_t *)bytes + before_wrap, queue->ring, length - before_wrap);
	queue->first = (queue->first + length) % LOG_QUEUE_BYTES;
	queue->used -= length;
}

static bool
second_is_over(const struct log_queue *queue, uint64_t now)
{
	/* A clock that was set back wraps around here, and starts a second too: better than no line for an hour. */
	return now - queue->second >= LOG_QUEUE_SECOND;
}

static bool
stranger_has_turn(struct log_queue *queue, uint64_t now, enum log_level level)
{
	if (second_is_over(queue, now)) {
		queue->second = now;
		queue->this_second = 0;
	}
	if (queue->this_second < LOG_QUEUE_STRANGERS) {
		queue->this_second++;
		return true;
	}
	if (queue->left_out == 0 || level < queue->left_out_level)
		queue->left_out_level = level;
	queue->left_out++;
	return false;
}

static size_t
append_count(char *text, size_t size, size_t length, const char *name, uint64_t count)
{
	if (count == 0)
		return length;
	return length + (size_t)snprintf(text + length, size - length, " %s=%" PRIu64, name, count);
}

void
log_queue_put(struct log_queue *queue, uint64_t now, enum log_level level, bool stranger, const char *line)
{
	char text[sizeof((struct log_entry *)0)->text];
	struct record record = {.time = now, .level = (uint8_t)level};
	size_t length;

	if (stranger && !stranger_has_turn(queue, now, level))
		return;
	length = (size_t)snprintf(text, LINE_MAX_LENGTH + 1, "%s", line);
	if (length > LINE_MAX_LENGTH)
		length = LINE_MAX_LENGTH;
	if (stranger)
		length = append_count(text, sizeof text, length, "left_out", queue->left_out);
	length = append_count(text, sizeof text, length, "dropped", queue->dropped);
	if (LOG_QUEUE_BYTES - queue->used < sizeof record + length) {
		queue->dropped++;
		return;
	}
	record.length = (uint16_t)length;
	ring_append(queue, &record, sizeof record);
	ring_append(queue, text, length);
	queue->dropped = 0;
	if (stranger)
		queue->left_out = 0;
}

void
log_queue_lost(struct log_queue *queue)
{
	queue->dropped++;
}

/* A line of its own for what no other line has told. */
static bool
take_counts(struct log_queue *queue, uint64_t now, bool last, struct log_entry *entry)
{
	size_t length;

	if (!(last && queue->dropped > 0) && !(queue->left_out > 0 && (last || second_is_over(queue, now))))
		return false;
	entry->time = now;
	entry->level = queue->left_out > 0 ? queue->left_out_level : LOG_LEVEL_WARNING;
	length = (size_t)snprintf(entry->text, sizeof entry->text, "log");
	length = append_count(entry->text, sizeof entry->text, length, "left_out", queue->left_out);
	(void)append_count(entry->text, sizeof entry->text, length, "dropped", queue->dropped);
	queue->left_out = 0;
	queue->dropped = 0;
	return true;
}

bool
log_queue_take(struct log_queue *queue, uint64_t now, bool last, struct log_entry *entry)
{
	struct record record;

	if (queue->used == 0)
		return take_counts(queue, now, last, entry);
	ring_take(queue, &record, sizeof record);
	ring_take(queue, entry->text, record.length);
	entry->text[record.length] = '\0';
	entry->time = record.time;
	entry->level = (enum log_level)record.level;
	return true;
}

uint64_t
log_queue_wait(const struct log_queue *queue, uint64_t now)
{
	if (queue->used > 0)
		return 0;
	if (queue->left_out == 0)
		return UINT64_MAX;
	return second_is_over(queue, now) ? 0 : LOG_QUEUE_SECOND - (now - queue->second);
}
