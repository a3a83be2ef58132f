/* prove_privileges.c: src/daemon/privileges.c with any text, whatever accounts there are and whatever fails. */
#include "daemon/privileges.h"

#include "unknown_text.h"

enum { MOST = 258 };

static char text[MOST + 1];

static void
parse(size_t length)
{
	struct identity identity;

	if (identity_parse(&identity, text + MOST - length)) {
		//@ assert groups: identity.group_count <= IDENTITY_GROUPS;
	}
	//@ slevel merge;
}

/* The first colon stands behind any user and in front of any group. */
static void
with_colon(size_t user, size_t group)
{
	size_t length = user + 1 + group;

	unknown_text(text + MOST - group, group, '\0');
	text[MOST - group - 1] = ':';
	unknown_text(text + MOST - length, user, ':');
	parse(length);
}

static void
without_colon(size_t length)
{
	unknown_text(text + MOST - length, length, ':');
	parse(length);
}

/* Anybody who may have been parsed, with so many groups. */
static void
become(size_t groups)
{
	struct identity identity;

	unknown_bytes(&identity, sizeof identity);
	identity.has_user = unknown_bool();
	identity.has_group = unknown_bool();
	identity.group_count = groups;
	(void)privileges_check(&identity);
	(void)privileges_may_give_to(&identity);
	(void)privileges_drop(&identity);
	//@ slevel merge;
}

int
main(void)
{
	static const size_t lengths[] = {0, 1, 2, 255, 256};

	//@ loop unroll 5;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		without_colon(lengths[i]);
		with_colon(lengths[i], 0);
	}
	with_colon(0, 1);
	with_colon(2, 2);
	with_colon(255, 2);
	with_colon(0, 257);
	become(0);
	become(1);
	become(IDENTITY_GROUPS);
	return 0;
}
