/* arguments.c: reads a command line by a table of options. */
#include "daemon/arguments.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/engine.h"
#include "daemon/log.h"
#include "daemon/message.h"

enum { NOT_FOUND = -3, HELP_COLUMN = 32 };
static const double most_milliseconds = 1e12; /* 31 years */

void
arguments_start(
    struct arguments *arguments, const struct arguments_program *program, int argc, char *const argv[], FILE *out)
{
	*arguments = (struct arguments){
	    .program = program, .argc = argc, .argv = argv, .out = out, .at = 1, .status = 1, .packed = ""};
}

int
arguments_usage(const struct arguments *arguments)
{
	message_text(arguments->program->usage);
	return 1;
}

static int
over(struct arguments *arguments, int status)
{
	arguments->status = status;
	return ARGUMENTS_OVER;
}

static int
wrong(struct arguments *arguments, const char *complaint)
{
	message_error("%s %s", complaint, arguments->given);
	return over(arguments, arguments_usage(arguments));
}

static int
find_letter(const struct arguments_program *program, char letter)
{
	for (size_t i = 0; i < program->count; i++)
		if (program->table[i].letter == letter)
			return (int)i;
	return NOT_FOUND;
}

static int
find_name(const struct arguments_program *program, const char *name, size_t length)
{
	for (size_t i = 0; i < program->count; i++)
		if (strncmp(program->table[i].name, name, length) == 0 && program->table[i].name[length] == '\0')
			return (int)i;
	return NOT_FOUND;
}

bool
arguments_has(const struct arguments *arguments, char letter)
{
	int index = find_letter(arguments->program, letter);

	return index >= 0 && (arguments->seen >> index & 1) != 0;
}

static bool
is_excluded(const struct arguments *arguments, int index)
{
	const char *excludes = arguments->program->table[index].excludes;

	for (const char *letter = excludes; letter != NULL && *letter != '\0'; letter++)
		if (arguments_has(arguments, *letter))
			return true;
	return (arguments->seen >> index & 1) != 0 && (excludes == NULL || strchr(excludes, '+') == NULL);
}

/* An option has been recognised; attached is what was written together with it, NULL when nothing was. */
static int
accept_option(struct arguments *arguments, int index, const char *attached)
{
	const struct argument *option = &arguments->program->table[index];

	if (is_excluded(arguments, index))
		return over(arguments, arguments_usage(arguments));
	arguments->seen |= UINT64_C(1) << index;
	if (option->value == NULL)
		return index;
	if (attached == NULL && arguments->at == arguments->argc)
		return wrong(arguments, "Missing argument to");
	arguments->value = attached != NULL ? attached : arguments->argv[arguments->at++];
	if (arguments->value[0] != ' ')
		return index;
	/* Half of a quoted command line in a unit file: no address, number or user starts with one. */
	message_error("Error parsing argument: %s %s: it starts with a space", arguments->given, arguments->value);
	return over(arguments, 1);
}

static int
print_help(struct arguments *arguments)
{
	const struct arguments_program *program = arguments->program;

	(void)fprintf(arguments->out, "%s%s%s\n", program->usage, program->about != NULL ? "\n" : "",
	    program->about != NULL ? program->about : "");
	for (size_t i = 0; i < program->count; i++) {
		const struct argument *option = &program->table[i];
		char left[80], letter[] = {'-', option->letter, ',', '\0'};

		(void)snprintf(left, sizeof left, "%3s --%s %s", option->letter != '\0' ? letter : "", option->name,
		    option->value != NULL ? option->value : "");
		(void)fprintf(arguments->out, "  %-*s %s\n", HELP_COLUMN, left, option->help);
	}
	(void)fprintf(arguments->out, "  %-*s %s\n", HELP_COLUMN, "-v, --version", "print the version");
	(void)fprintf(arguments->out, "  %-*s %s\n", HELP_COLUMN, "    --help", "print this");
	return over(arguments, fflush(arguments->out) == 0 ? 0 : 1);
}

/* What would seal packets, and why it is not the faster one. */
static void
print_crypto(FILE *out)
{
	const char *problem = engine_problem(ENGINE_IPSEC_MB);

	(void)fprintf(out, "crypto: %s", engine_words[problem == NULL ? ENGINE_IPSEC_MB : ENGINE_LIBCRYPTO]);
	if (problem != NULL)
		(void)fprintf(out, " (%s: %s)", engine_words[ENGINE_IPSEC_MB], problem);
	(void)fputc('\n', out);
}

static int
print_version(struct arguments *arguments)
{
	(void)fprintf(arguments->out, "%s " SPIPED_VERSION "\n", arguments->program->name);
	if (arguments->program->has_crypto)
		print_crypto(arguments->out);
	return over(arguments, fflush(arguments->out) == 0 ? 0 : 1);
}

static int
next_letter(struct arguments *arguments)
{
	char letter = *arguments->packed++;
	int index = find_letter(arguments->program, letter);
	const char *attached = NULL;

	(void)snprintf(arguments->given, sizeof arguments->given, "-%c", letter);
	if (letter == 'v') {
		/* Where it always was: on standard error. --version, which is new, is on standard output. */
		message_text(arguments->program->name);
		message_text(" " SPIPED_VERSION "\n");
		return over(arguments, 0);
	}
	if (index == NOT_FOUND)
		return wrong(arguments, "illegal option --");
	if (arguments->program->table[index].value != NULL && *arguments->packed != '\0') {
		attached = arguments->packed;
		arguments->packed = "";
	}
	return accept_option(arguments, index, attached);
}

static int
next_name(struct arguments *arguments, const char *text)
{
	const char *name = text + strlen("--"), *equals = strchr(name, '=');
	size_t length = equals != NULL ? (size_t)(equals - name) : strlen(name);
	int index = find_name(arguments->program, name, length);

	(void)snprintf(arguments->given, sizeof arguments->given, "--%.*s", (int)length, name);
	if (strcmp(text, "--help") == 0)
		return print_help(arguments);
	if (strcmp(text, "--version") == 0)
		return print_version(arguments);
	if (index == NOT_FOUND)
		return wrong(arguments, "illegal option --");
	if (equals != NULL && arguments->program->table[index].value == NULL)
		return wrong(arguments, "No argument is taken by");
	return accept_option(arguments, index, equals != NULL ? equals + 1 : NULL);
}

int
arguments_next(struct arguments *arguments)
{
	const char *text;

	arguments->value = NULL;
	if (*arguments->packed != '\0')
		return next_letter(arguments);
	if (arguments->at >= arguments->argc)
		return ARGUMENTS_END;
	text = arguments->argv[arguments->at];
	if (text[0] != '-' || text[1] == '\0')
		return ARGUMENTS_END; /* an operand; "-" is one too */
	arguments->at++;
	if (strcmp(text, "--") == 0)
		return ARGUMENTS_END;
	if (text[1] == '-')
		return next_name(arguments, text);
	arguments->packed = text + 1;
	return next_letter(arguments);
}

static bool
refuse_because(const struct arguments *arguments, const char *reason)
{
	return message_error("Error parsing argument: %s %s: %s", arguments->given, arguments->value, reason);
}

static bool
refuse(const struct arguments *arguments, int error)
{
	return refuse_because(arguments, strerror(error));
}

static bool
read_number(const struct arguments *arguments, int base, const struct argument *option, uint64_t *number)
{
	const char *text = arguments->value;
	bool negative = text[0] == '-';
	char *end;

	if (negative)
		text++;
	if (text[0] < '0' || text[0] > '9')
		return refuse(arguments, EINVAL); /* strtoull would take a sign or spaces here */
	errno = 0;
	*number = strtoull(text, &end, base);
	if (*end != '\0')
		return refuse(arguments, EINVAL);
	if (errno != 0 || negative || *number < option->least || *number > option->most)
		return refuse(arguments, ERANGE);
	return true;
}

static bool
read_seconds(const struct arguments *arguments, uint64_t least, uint64_t *milliseconds)
{
	char *end;
	double seconds = strtod(arguments->value, &end);

	if (end == arguments->value || *end != '\0' || isnan(seconds))
		return refuse(arguments, EINVAL);
	if (seconds < 0 || seconds * 1000 > most_milliseconds)
		return refuse(arguments, ERANGE);
	*milliseconds = (uint64_t)(seconds * 1000 + 0.5);
	if (seconds > 0 && *milliseconds == 0)
		*milliseconds = 1;
	if (*milliseconds < least)
		return refuse(arguments, ERANGE);
	return true;
}

static bool
read_word(const struct arguments *arguments, const char *const words[], uint64_t count, uint64_t *index)
{
	for (*index = 0; *index < count; ++*index)
		if (strcmp(arguments->value, words[*index]) == 0)
			return true;
	return refuse(arguments, EINVAL);
}

static bool
read_crypto(const struct arguments *arguments, uint64_t *backend)
{
	const char *problem;

	if (!read_word(arguments, engine_words, ENGINE_BACKENDS, backend))
		return false;
	problem = engine_problem((enum engine_backend)(*backend));
	return problem == NULL || refuse_because(arguments, problem);
}

static bool
add_to_list(const struct arguments *arguments, struct argument_list *list)
{
	if (list->count == KEY_SOURCES_MAX)
		return message_error("Error parsing argument: %s %s: at most %d times", arguments->given,
		    arguments->value, KEY_SOURCES_MAX);
	list->texts[list->count++] = arguments->value;
	return true;
}

static void
store_number(void *place, size_t size, uint64_t number)
{
	uint8_t byte = (uint8_t)number;
	uint32_t word = (uint32_t)number;

	memcpy(place, size == sizeof byte ? (void *)&byte : size == sizeof word ? (void *)&word : &number, size);
}

bool
arguments_set(const struct arguments *arguments, int index, void *options)
{
	const struct argument *option = &arguments->program->table[index];
	void *place = (uint8_t *)options + option->at;
	uint64_t number = option->least;
	bool is_good = true;

	switch (option->kind) {
	case ARGUMENT_SET:
		break;
	case ARGUMENT_TEXT:
		*(const char **)place = arguments->value;
		return true;
	case ARGUMENT_LIST:
		return add_to_list(arguments, place);
	case ARGUMENT_NUMBER:
	case ARGUMENT_OCTAL:
		is_good = read_number(arguments, option->kind == ARGUMENT_OCTAL ? 8 : 10, option, &number);
		break;
	case ARGUMENT_SECONDS:
		is_good = read_seconds(arguments, option->least, &number);
		break;
	case ARGUMENT_LOG_LEVEL:
		is_good = read_word(arguments, log_level_words, LOG_LEVELS, &number);
		break;
	case ARGUMENT_CRYPTO:
		is_good = read_crypto(arguments, &number);
		break;
	}
	if (is_good)
		store_number(place, option->size, number);
	return is_good;
}
