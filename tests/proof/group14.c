/* group14.c: stands in for src/crypto/group14.c, as src/crypto/group14.h promises it. */
#include "crypto/group14.h"

#include "unknown.h"

/*@ requires set: \valid_read(y + (0 .. 255)) && \initialized(y + (0 .. 255)); */
bool
group14_valid(const uint8_t y[GROUP14_SIZE])
{
	return unknown_bool();
}

/*@ requires set: \valid_read(y + (0 .. 255)) && \initialized(y + (0 .. 255)); */
bool
group14_is_one(const uint8_t y[GROUP14_SIZE])
{
	return unknown_bool();
}

static enum error
power(uint8_t *out)
{
	unknown_bytes(out, GROUP14_SIZE);
	return unknown_bool() ? OK : ERROR_CRYPTO;
}

/*@ requires set: \valid_read(x + (0 .. 31)) && \initialized(x + (0 .. 31));
    requires room: \valid(y + (0 .. 255)); */
enum error
group14_public(const uint8_t x[GROUP14_EXPONENT], uint8_t y[GROUP14_SIZE])
{
	return power(y);
}

/*@ requires set: \valid_read(x + (0 .. 31)) && \initialized(x + (0 .. 31));
    requires set_y: \valid_read(y + (0 .. 255)) && \initialized(y + (0 .. 255));
    requires room: \valid(shared + (0 .. 255)); */
enum error
group14_shared(const uint8_t y[GROUP14_SIZE], const uint8_t x[GROUP14_EXPONENT], uint8_t shared[GROUP14_SIZE])
{
	return power(shared);
}
