/*
 * replay.c: runs a target over the files of folders and over nothing at all, without any fuzzer: replay FOLDER ...
 * A keyed target also gets each of them changed by its own mutator a few times, the same in each run.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { INPUT_MAX = 1 << 16, PATH_ROOM = 4096, CHANGES = 4 };

/* Memory of just its size, so that a read behind its end is seen by a sanitizer or valgrind. */
static void
run(const uint8_t *bytes, size_t size)
{
	uint8_t *exact = malloc(size > 0 ? size : 1);

	if (exact == NULL)
		exit(1);
	memcpy(exact, bytes, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static void
run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *room = malloc(INPUT_MAX);
	size_t size;

	if (file == NULL || room == NULL) {
		(void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	size = fread(room, 1, INPUT_MAX, file);
	(void)fclose(file);
	run(room, size);
#ifdef FUZZ_KEYED
	for (unsigned change = 1; change <= CHANGES; change++) {
		size = LLVMFuzzerCustomMutator(room, size, INPUT_MAX, (unsigned)size + change);
		run(room, size);
	}
#endif
	free(room);
}

static size_t
run_folder(const char *folder)
{
	DIR *directory = opendir(folder);
	const struct dirent *entry;
	char path[PATH_ROOM];
	size_t count = 0;

	if (directory == NULL) {
		(void)fprintf(stderr, "%s: %s\n", folder, strerror(errno));
		exit(1);
	}
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		(void)setenv("FUZZ_INPUT", path, 1); /* fuzz_failed names it */
		run_file(path);
		count++;
	}
	(void)closedir(directory);
	return count;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	run((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		count += run_folder(argv[i]);
	printf("%zu inputs\n", count);
	return count > 0 ? 0 : 1;
}
