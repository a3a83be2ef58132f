/* prove_key_folder.c: key_folder_is_name with any bytes: of none, one and two, and about as many as there may be. */
#include "daemon/key_folder.h"

#include "protocol/keyring.h"
#include "unknown_text.h"

enum { MOST = KEY_NAME_MAX + 1 };

int
main(void)
{
	static char name[MOST + 1];
	static const size_t lengths[] = {0, 1, 2, MOST - 2, MOST - 1, MOST};

	unknown_text(name, MOST, '\0');
	//@ loop unroll 6;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		(void)key_folder_is_name(name + MOST - lengths[i], lengths[i]);
		//@ slevel merge;
	}
	return 0;
}
