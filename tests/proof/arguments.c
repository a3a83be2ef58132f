/*
 * arguments.c: stands in for src/daemon/arguments.c, as src/daemon/arguments.h promises it: any options of the table in
 * any order, as often as one likes, with any argument. prove_arguments.c is for the real one.
 */
#include "arguments.h"

#include "daemon/arguments.h"
#include "unknown.h"

void
arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out)
{
	*arguments =
	    (struct arguments){.program = program, .argc = argc, .argv = argv, .out = out, .at = 1, .status = 1};
}

/* Each index is looked at by itself. */
/*@ requires rules: 1 <= arguments->at; */
int
arguments_next(struct arguments *arguments)
{
	int index = Frama_C_int_interval(ARGUMENTS_OVER, (int)arguments->program->count - 1);

	//@ split index;
	arguments->value = NULL;
	if (index == ARGUMENTS_OVER)
		arguments->status = unknown_bool() ? 0 : 1;
	if (index == ARGUMENTS_END)
		arguments->at = Frama_C_int_interval(1, arguments->argc > 1 ? arguments->argc : 1);
	if (index >= 0 && arguments->program->table[index].value != NULL)
		arguments->value = argument_text;
	return index;
}

bool
arguments_has(const struct arguments *arguments, char letter)
{
	return unknown_bool();
}

int
arguments_usage(const struct arguments *arguments)
{
	return 1;
}

/* A value is there to be read, and so is a place for what it stands for. */
/*@ requires value: valid_read_string(arguments->value);
    requires order: least <= most;
    requires place: \valid(number); */
bool
arguments_number(const struct arguments *arguments, uint64_t least, uint64_t most, uint64_t *number)
{
	*number = Frama_C_unsigned_long_interval(least, most);
	return unknown_bool();
}

/*@ requires value: valid_read_string(arguments->value);
    requires place: \valid(number); */
bool
arguments_octal(const struct arguments *arguments, uint64_t most, uint64_t *number)
{
	*number = Frama_C_unsigned_long_interval(0, most);
	return unknown_bool();
}

/*@ requires value: valid_read_string(arguments->value);
    requires place: \valid(milliseconds); */
bool
arguments_seconds(const struct arguments *arguments, uint64_t least, uint64_t *milliseconds)
{
	*milliseconds = Frama_C_unsigned_long_interval(least, 1000000000000);
	return unknown_bool();
}

/*@ requires value: valid_read_string(arguments->value);
    requires words: \valid_read(words + (0 .. count - 1)) && count > 0;
    requires place: \valid(index); */
bool
arguments_word(const struct arguments *arguments, const char *const words[], size_t count, size_t *index)
{
	*index = unknown_size(0, count - 1);
	return unknown_bool();
}

/*@ requires value: valid_read_string(arguments->value);
    requires place: \valid(backend); */
bool
arguments_crypto(const struct arguments *arguments, enum engine_backend *backend)
{
	*backend = (enum engine_backend)unknown_size(0, ENGINE_BACKENDS - 1);
	return unknown_bool();
}

/*@ requires value: valid_read_string(arguments->value);
    requires place: \valid(values + (0 .. most - 1)) && \valid(count) && *count <= most; */
bool
arguments_add(const struct arguments *arguments, const char *values[], size_t most, size_t *count)
{
	if (*count == most)
		return false;
	values[(*count)++] = arguments->value;
	return true;
}
