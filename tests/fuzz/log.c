/*
 * log.c: lines on their way through the queue and the writer: as many come out as went in, each once, whole and in
 * order, or they are counted as left out or dropped. Input: for each line a byte (bits 0 and 1: its level; bit 2: about
 * a stranger; bit 3: the writer takes one first; bits 4 to 7: so many hundred ms go by) and a byte for its length.
 */
#define _GNU_SOURCE /* memfd_create */
#include "daemon/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/log_queue.h"
#include "fuzz.h"

enum { LINES_MAX = 4096 };

/* How many lines went in, and how many are accounted for by what came out. */
struct tally {
	uint64_t put, taken, told, next;
};

/* Line n is "nN=" and as many letters; n shows that none is taken twice or out of order. */
static void
make_line(char text[LINE_MAX_LENGTH + 1], uint64_t n, size_t length)
{
	int used = snprintf(text, LINE_MAX_LENGTH + 1, "n=%" PRIu64 " ", n);

	memset(text + used, 'a' + (int)(n % 26), length);
	text[(size_t)used + length] = '\0';
}

static uint64_t
count_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name), NULL, 10);
}

static bool
take(struct log_queue *queue, uint64_t now, bool is_last, struct tally *tally)
{
	struct log_entry entry;

	if (!log_queue_take(queue, now, is_last, &entry))
		return false;
	check(memchr(entry.text, '\0', sizeof entry.text) != NULL && fuzz_is_one_line(entry.text));
	check(entry.level <= LOG_LEVEL_DEBUG && entry.time <= now);
	tally->told += count_after(entry.text, " left_out=") + count_after(entry.text, " dropped=");
	if (strncmp(entry.text, "n=", 2) == 0) {
		uint64_t n = strtoull(entry.text + 2, NULL, 10);

		check(n >= tally->next);
		tally->next = n + 1;
		tally->taken++;
	}
	return true;
}

static void
through_the_queue(const uint8_t *data, size_t size)
{
	static struct log_queue queue;
	struct tally tally = {0};
	char text[LINE_MAX_LENGTH + 1];
	uint64_t now = 1000000;

	memset(&queue, 0, sizeof queue);
	for (size_t at = 0; at + 1 < size && tally.put < LINES_MAX; at += 2) {
		now += 100 * (uint64_t)(data[at] >> 4);
		if ((data[at] & 8) != 0)
			(void)take(&queue, now, false, &tally);
		make_line(text, tally.put++, 3 * (size_t)data[at + 1]);
		log_queue_put(&queue, now, (enum log_level)(data[at] & 3), (data[at] & 4) != 0, text);
		check(queue.used <= LOG_QUEUE_BYTES && queue.first < LOG_QUEUE_BYTES);
	}
	while (take(&queue, now, true, &tally))
		continue;
	check(tally.taken + tally.told == tally.put);
	check(queue.used == 0 && log_queue_wait(&queue, now) == UINT64_MAX);
}

/* The writer's lines are as many as went in: none of these is about a stranger, and the queue is never full. */
static void
through_the_writer(const uint8_t *data, size_t size)
{
	char line[LINE_MAX_LENGTH + 1], read[2 * LINE_MAX_LENGTH];
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct log *log = log_new("fuzz", fd, LOG_LEVEL_DEBUG);
	uint64_t put = 0;
	FILE *file;

	check(fd >= 0 && log != NULL);
	for (size_t at = 0; at + 1 < size && put < 16; at += 2) {
		make_line(line, put++, 3 * (size_t)data[at + 1]);
		log_sink(log)->write(log_sink(log)->context, (enum log_level)(data[at] & 3), false, line);
	}
	log_stop(log);
	check(lseek(fd, 0, SEEK_SET) == 0);
	file = fdopen(fd, "r");
	check(file != NULL);
	for (uint64_t i = 0; i < put; i++) {
		check(fgets(read, sizeof read, file) != NULL);
		make_line(line, i, 3 * (size_t)data[2 * i + 1]);
		/* 2026-11-24T10:15:02.113Z, a space, the line, and nothing else. */
		check(strlen(read) == 25 + strlen(line) + 1 && read[10] == 'T' && strncmp(read + 23, "Z ", 2) == 0);
		check(strncmp(read + 25, line, strlen(line)) == 0 && read[25 + strlen(line)] == '\n');
	}
	check(fgets(read, sizeof read, file) == NULL);
	(void)fclose(file);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	through_the_queue(data, size);
	through_the_writer(data, size);
	return 0;
}
