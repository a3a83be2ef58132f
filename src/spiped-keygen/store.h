/* store.h: a folder of keys, as spiped -d takes it: making a client's key in it, listing them, taking one away. */
#ifndef SPIPED_KEYGEN_STORE_H
#define SPIPED_KEYGEN_STORE_H

#include <stdbool.h>
#include <stdint.h>

/* Each says what it did and what comes next on standard output; false: it did not, and one line has said why. */
bool store_add(const char *folder, const char *name, const uint8_t *key);
bool store_list(const char *folder);
bool store_revoke(const char *folder, const char *name);

#endif
