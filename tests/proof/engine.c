/* engine.c: what src/crypto/engine.h says of backends, for whoever only asks for their names. */
#include "crypto/engine.h"
#include "unknown.h"

const char *const engine_words[ENGINE_BACKENDS] = {"libcrypto", "ipsec-mb"};

/*@ requires choice: choice <= ENGINE_BEST; */
const char *
engine_problem(enum engine_backend choice)
{
	return unknown_bool() ? "why not" : NULL;
}
