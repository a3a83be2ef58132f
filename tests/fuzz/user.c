/*
 * user.c: USER, :GROUP and USER:GROUP as a user types them. What is taken names somebody in particular, never the
 * user or group -1 by accident, and can be written out as numbers again. Input: a text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/privileges.h"
#include "fuzz.h"
#include "text.h"

static void
check_same(const struct identity *identity)
{
	struct identity again;
	char text[64];

	if (identity->has_user && identity->has_group)
		(void)snprintf(text, sizeof text, "%u:%u", identity->uid, identity->gid);
	else if (identity->has_user)
		(void)snprintf(text, sizeof text, "%u", identity->uid);
	else
		(void)snprintf(text, sizeof text, ":%u", identity->gid);
	check(identity_parse(&again, text));
	check(again.uid == identity->uid && again.gid == identity->gid);
	check(again.has_user == identity->has_user && again.has_group == identity->has_group);
	check(again.group_count == identity->group_count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity identity;
	struct texts texts;
	bool is_good;
	char *said;

	if (size == 0)
		return 0;
	texts_cut(&texts, 0, data, size);
	messages_catch("fuzz");
	is_good = identity_parse(&identity, texts.each[0]);
	said = messages_taken();
	if (is_good) {
		check(identity.has_user || identity.has_group);
		check(!identity.has_user || identity.uid != (uid_t)-1);
		check(
		    identity.gid != (gid_t)-1 && identity.group_count >= 1 && identity.group_count <= IDENTITY_GROUPS);
		check(said[0] == '\0');
		check_same(&identity);
	} else {
		check(said[0] != '\0' && strchr(said, '\n') == said + strlen(said) - 1);
	}
	free(said);
	texts_free(&texts);
	return 0;
}
