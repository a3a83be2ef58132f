/* quick.c: Diffie-Hellman jobs without an exponentiation; see quick.h. */
#include "quick.h"

#include <openssl/bn.h>
#include <string.h>

#include "base/bytes.h"

static void
set_bit(uint8_t y[WIRE_Y], unsigned bit)
{
	memset(y, 0, WIRE_Y);
	y[WIRE_Y - 1 - bit / 8] = (uint8_t)(1u << bit % 8);
}

/* The only bit that is set; WIRE_Y * 8 if there is not exactly one. */
static unsigned
bit_of(const uint8_t y[WIRE_Y])
{
	unsigned found = WIRE_Y * 8, count = 0;

	for (unsigned i = 0; i < WIRE_Y; i++) {
		for (unsigned bit = 0; y[i] != 0 && bit < 8; bit++) {
			if ((y[i] >> bit & 1) == 0)
				continue;
			found = (WIRE_Y - 1 - i) * 8 + bit;
			count++;
		}
	}
	return count == 1 ? found : WIRE_Y * 8;
}

void
quick_run(struct job *job)
{
	static const uint8_t zeros[WIRE_X - 1];
	unsigned x, peer;

	if (job->kind == JOB_MATCH) {
		job_run(job);
		return;
	}
	x = job->x[WIRE_X - 1];
	peer = job->wants_shared ? bit_of(job->peer_y) : 0;
	if (!bytes_equal(job->x, zeros, WIRE_X - 1) || x > QUICK_X_MOST || x * peer >= (WIRE_Y - 8) * 8) {
		job_run(job);
		return;
	}
	job->error = OK;
	if (job->wants_y)
		set_bit(job->y, x);
	if (job->wants_shared)
		set_bit(job->shared, x * peer);
}

bool
quick_check(void)
{
	for (uint8_t x = 1; x <= QUICK_X_MOST; x++) {
		struct job quick = {.wants_y = true, .wants_shared = true}, real;

		quick.x[WIRE_X - 1] = x;
		set_bit(quick.peer_y, QUICK_X_MOST + 1u - x);
		real = quick;
		quick_run(&quick);
		job_run(&real);
		if (quick.error != OK || real.error != OK || memcmp(quick.y, real.y, WIRE_Y) != 0 ||
		    memcmp(quick.shared, real.shared, WIRE_Y) != 0)
			return false;
	}
	return true;
}

void
quick_lie(uint8_t y[WIRE_Y], unsigned which)
{
	BIGNUM *prime = BN_get_rfc3526_prime_2048(NULL);

	memset(y, which == 0 ? 0 : 0xff, WIRE_Y);
	if (which >= 1 && which <= 3 && BN_sub_word(prime, 1) == 1 && BN_add_word(prime, which - 1) == 1)
		(void)BN_bn2binpad(prime, y, WIRE_Y);
	BN_free(prime);
}
