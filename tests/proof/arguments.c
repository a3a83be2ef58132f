/*
 * arguments.c: stands in for src/daemon/arguments.c, as src/daemon/arguments.h promises it: any options of the table in
 * any order, as often as one likes, with any argument. prove_arguments.c is for the real one.
 */
#include "arguments.h"

#include "crypto/engine.h"
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

static uint64_t
unknown_number(const struct argument *option)
{
	switch (option->kind) {
	case ARGUMENT_NUMBER:
	case ARGUMENT_OCTAL:
		return Frama_C_unsigned_long_interval(option->least, option->most);
	case ARGUMENT_SECONDS:
		return Frama_C_unsigned_long_interval(option->least, 1000000000000);
	case ARGUMENT_LOG_LEVEL:
		return Frama_C_unsigned_long_interval(0, LOG_LEVEL_DEBUG);
	case ARGUMENT_CRYPTO:
		return Frama_C_unsigned_long_interval(0, ENGINE_BACKENDS - 1);
	default:
		return option->least;
	}
}

/* What a row says is written there. A value is there to be read, where it takes one. */
/*@ requires index: 0 <= index < arguments->program->count;
    requires value: arguments->program->table[index].kind == ARGUMENT_SET || valid_read_string(arguments->value);
    requires order: arguments->program->table[index].kind == ARGUMENT_NUMBER ||
		    arguments->program->table[index].kind == ARGUMENT_OCTAL ==>
		    arguments->program->table[index].least <= arguments->program->table[index].most; */
bool
arguments_set(const struct arguments *arguments, int index, void *options)
{
	const struct argument *option = &arguments->program->table[index];
	void *place = (uint8_t *)options + option->at;
	struct argument_list *list = place;
	uint64_t number = unknown_number(option);

	if (option->kind == ARGUMENT_TEXT) {
		//@ assert text: option->size == sizeof(const char *);
		*(const char **)place = arguments->value;
		return true;
	}
	if (option->kind == ARGUMENT_LIST) {
		//@ assert size: option->size == sizeof(struct argument_list);
		//@ assert count: list->count <= KEY_SOURCES_MAX;
		if (list->count == KEY_SOURCES_MAX)
			return false;
		list->texts[list->count++] = arguments->value;
		return true;
	}
	//@ assert seconds: option->kind == ARGUMENT_SECONDS ==> option->size == sizeof(uint64_t);
	//@ assert number: option->size == 1 || option->size == 4 || option->size == 8;
	if (option->size == 1)
		*(bool *)place = number != 0;
	else if (option->size == 4)
		*(uint32_t *)place = (uint32_t)number;
	else
		*(uint64_t *)place = number;
	return option->kind == ARGUMENT_SET || unknown_bool();
}
