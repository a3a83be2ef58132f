/* group14.c: powers in the 2048-bit MODP group 14, on libcrypto's constant-time Montgomery arithmetic. */
#include "crypto/group14.h"

#include <openssl/bn.h>
#include <string.h>

#include "base/bytes.h"

/* p = 2^2048 - 2^1984 - 1 + 2^64 * (floor(2^1918 pi) + 124476), RFC 3526 section 3. */
static const uint8_t prime[GROUP14_SIZE] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc9, 0x0f, 0xda, 0xa2,
    0x21, 0x68, 0xc2, 0x34, 0xc4, 0xc6, 0x62, 0x8b, 0x80, 0xdc, 0x1c, 0xd1, 0x29, 0x02, 0x4e, 0x08, 0x8a, 0x67, 0xcc,
    0x74, 0x02, 0x0b, 0xbe, 0xa6, 0x3b, 0x13, 0x9b, 0x22, 0x51, 0x4a, 0x08, 0x79, 0x8e, 0x34, 0x04, 0xdd, 0xef, 0x95,
    0x19, 0xb3, 0xcd, 0x3a, 0x43, 0x1b, 0x30, 0x2b, 0x0a, 0x6d, 0xf2, 0x5f, 0x14, 0x37, 0x4f, 0xe1, 0x35, 0x6d, 0x6d,
    0x51, 0xc2, 0x45, 0xe4, 0x85, 0xb5, 0x76, 0x62, 0x5e, 0x7e, 0xc6, 0xf4, 0x4c, 0x42, 0xe9, 0xa6, 0x37, 0xed, 0x6b,
    0x0b, 0xff, 0x5c, 0xb6, 0xf4, 0x06, 0xb7, 0xed, 0xee, 0x38, 0x6b, 0xfb, 0x5a, 0x89, 0x9f, 0xa5, 0xae, 0x9f, 0x24,
    0x11, 0x7c, 0x4b, 0x1f, 0xe6, 0x49, 0x28, 0x66, 0x51, 0xec, 0xe4, 0x5b, 0x3d, 0xc2, 0x00, 0x7c, 0xb8, 0xa1, 0x63,
    0xbf, 0x05, 0x98, 0xda, 0x48, 0x36, 0x1c, 0x55, 0xd3, 0x9a, 0x69, 0x16, 0x3f, 0xa8, 0xfd, 0x24, 0xcf, 0x5f, 0x83,
    0x65, 0x5d, 0x23, 0xdc, 0xa3, 0xad, 0x96, 0x1c, 0x62, 0xf3, 0x56, 0x20, 0x85, 0x52, 0xbb, 0x9e, 0xd5, 0x29, 0x07,
    0x70, 0x96, 0x96, 0x6d, 0x67, 0x0c, 0x35, 0x4e, 0x4a, 0xbc, 0x98, 0x04, 0xf1, 0x74, 0x6c, 0x08, 0xca, 0x18, 0x21,
    0x7c, 0x32, 0x90, 0x5e, 0x46, 0x2e, 0x36, 0xce, 0x3b, 0xe3, 0x9e, 0x77, 0x2c, 0x18, 0x0e, 0x86, 0x03, 0x9b, 0x27,
    0x83, 0xa2, 0xec, 0x07, 0xa2, 0x8f, 0xb5, 0xc5, 0x5d, 0xf0, 0x6f, 0x4c, 0x52, 0xc9, 0xde, 0x2b, 0xcb, 0xf6, 0x95,
    0x58, 0x17, 0x18, 0x39, 0x95, 0x49, 0x7c, 0xea, 0x95, 0x6a, 0xe5, 0x15, 0xd2, 0x26, 0x18, 0x98, 0xfa, 0x05, 0x10,
    0x15, 0x72, 0x8e, 0x5a, 0x8a, 0xac, 0xaa, 0x68, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/*
 * Why nothing here is blinded: blinding hides what the time of an exponentiation tells of its exponent, and here it
 * tells nothing. BN_mod_exp_mont_consttime(3) "uses fixed windows and the special precomputation memory layout to limit
 * data-dependency to a minimum to protect secret exponents"; the comb below has no branch and no index that depends on
 * x. libcrypto's numbers drop their leading zero words, which shows in the time of one value in 2^64; but each x is one
 * connection's and serves twice at most, so nobody can collect such cases.
 *
 * The comb (Lim and Lee, "More flexible exponentiation with precomputation"): the bits of x stand in TEETH rows of SPAN
 * bits, and a digit is what stands in one column. Table t has, for each digit, the power that it gives in column
 * t * COLUMNS, so that all tables share their squarings: 11, instead of 255, and one product a column.
 *
 * Each entry is multiplied by FACTOR, 3^64, too, and one last product takes all of these away again. As they are, the
 * entries 1, 2 and the like are short numbers in Montgomery's form, and libcrypto's time depends on that; group14_start
 * checks that none is left.
 */
enum { TEETH = 6, TABLES = 4, COLUMNS = 11, SPAN = TABLES * COLUMNS, ENTRIES = 1 << TEETH, WORDS = GROUP14_SIZE / 8 };
enum {
	FACTOR_SQUARINGS = 6,
	FACTOR_TOTAL = (1 << FACTOR_SQUARINGS) * ((1 << COLUMNS) + TABLES * ((1 << COLUMNS) - 1))
};
_Static_assert(TEETH *SPAN >= 8 * (int)GROUP14_EXPONENT, "each bit of x has its place");

/* Made by group14_start and only read afterwards, so threads share them. */
static BIGNUM *modulus;
static BN_MONT_CTX *montgomery;
static BIGNUM *correction; /* 3 ^ -FACTOR_TOTAL, not in Montgomery's form: so the last product also leaves that */
static _Alignas(64) uint64_t comb[TABLES][ENTRIES][WORDS];

static bool
multiply(BIGNUM *product, const BIGNUM *a, const BIGNUM *b, BN_CTX *scratch)
{
	return BN_mod_mul_montgomery(product, a, b, montgomery, scratch) == 1;
}

static bool
square(BIGNUM *power, unsigned times, BN_CTX *scratch)
{
	bool ok = true;

	while (ok && times-- > 0)
		ok = multiply(power, power, power, scratch);
	return ok;
}

static bool
set(BIGNUM *power, BN_ULONG number, BN_CTX *scratch)
{
	return BN_set_word(power, number) == 1 && BN_to_montgomery(power, power, montgomery, scratch) == 1;
}

static bool
store(uint64_t words[WORDS], const BIGNUM *entry)
{
	return BN_num_bits(entry) > 8 * (GROUP14_SIZE - (int)sizeof(BN_ULONG)) &&
	       BN_bn2lebinpad(entry, (uint8_t *)words, GROUP14_SIZE) == GROUP14_SIZE;
}

static bool
load(BIGNUM *entry, const uint64_t words[WORDS])
{
	return BN_lebin2bn((const uint8_t *)words, GROUP14_SIZE, entry) != NULL;
}

/* Doubles how much of a table is filled: the digits that have one more tooth, which is worth power. */
static bool
add_tooth(uint64_t table[ENTRIES][WORDS], size_t tooth, const BIGNUM *power, BIGNUM *entry, BN_CTX *scratch)
{
	size_t filled = (size_t)1 << tooth;

	for (size_t digit = 0; digit < filled; digit++) {
		if (!load(entry, table[digit]) || !multiply(entry, entry, power, scratch) ||
		    !store(table[digit + filled], entry))
			return false;
	}
	return true;
}

static bool
build_comb(BIGNUM *power, BIGNUM *entry, BN_CTX *scratch)
{
	bool ok = set(power, 3, scratch) && square(power, FACTOR_SQUARINGS, scratch);

	for (size_t table = 0; ok && table < TABLES; table++)
		ok = store(comb[table][0], power);
	ok = ok && set(power, 2, scratch);
	for (size_t tooth = 0; tooth < TEETH; tooth++) {
		for (size_t table = 0; ok && table < TABLES; table++)
			ok = add_tooth(comb[table], tooth, power, entry, scratch) && square(power, COLUMNS, scratch);
	}
	return ok && BN_set_word(power, 3) == 1 && BN_set_word(entry, FACTOR_TOTAL) == 1 &&
	       BN_mod_exp_mont(power, power, entry, modulus, scratch, montgomery) == 1 &&
	       BN_mod_inverse(correction, power, modulus, scratch) != NULL;
}

enum error
group14_start(void)
{
	BN_CTX *scratch = BN_CTX_new();
	BIGNUM *power = BN_new(), *entry = BN_new();
	enum error error = ERROR_MEMORY;

	modulus = BN_bin2bn(prime, sizeof prime, NULL);
	montgomery = BN_MONT_CTX_new();
	correction = BN_new();
	if (scratch != NULL && power != NULL && entry != NULL && modulus != NULL && montgomery != NULL &&
	    correction != NULL) {
		error = ERROR_CRYPTO;
		if (BN_MONT_CTX_set(montgomery, modulus, scratch) == 1 && build_comb(power, entry, scratch))
			error = OK;
	}
	BN_free(entry);
	BN_free(power);
	BN_CTX_free(scratch);
	if (error != OK)
		group14_stop();
	return error;
}

void
group14_stop(void)
{
	BN_free(correction);
	BN_MONT_CTX_free(montgomery);
	BN_free(modulus);
	correction = NULL;
	montgomery = NULL;
	modulus = NULL;
}

bool
group14_valid(const uint8_t y[GROUP14_SIZE])
{
	static const uint8_t zero[GROUP14_SIZE];
	int order = memcmp(y, prime, GROUP14_SIZE - 1);

	/* p ends in ff, and p - 1 in fe. */
	return memcmp(y, zero, sizeof zero) != 0 && (order < 0 || (order == 0 && y[GROUP14_SIZE - 1] < 0xfe));
}

bool
group14_is_one(const uint8_t y[GROUP14_SIZE])
{
	static const uint8_t one[GROUP14_SIZE] = {[GROUP14_SIZE - 1] = 1};

	return memcmp(y, one, GROUP14_SIZE) == 0;
}

/* The bits of x in one column, the lowest row first. */
static unsigned
digit_of(const uint8_t x[GROUP14_EXPONENT], unsigned column)
{
	unsigned digit = 0;

	for (unsigned tooth = 0; tooth < TEETH; tooth++) {
		unsigned bit = tooth * SPAN + column;

		if (bit < 8 * GROUP14_EXPONENT)
			digit |= ((unsigned)x[GROUP14_EXPONENT - 1 - bit / 8] >> bit % 8 & 1) << tooth;
	}
	return digit;
}

/* Reads all of the table, whichever the digit; a cache line of each entry at a time, so that the sum is in registers.
 */
static void
look_up(uint64_t words[WORDS], uint64_t table[ENTRIES][WORDS], unsigned digit)
{
	typedef uint64_t pair __attribute__((vector_size(16), may_alias));
	enum { LINE = 8 };
	uint64_t masks[ENTRIES];

	for (unsigned i = 0; i < ENTRIES; i++) {
		uint64_t equal = ((uint64_t)(i ^ digit) - 1) >> 63;

		__asm__("" : "+r"(equal)); /* else the compiler might see a condition, and branch */
		masks[i] = 0 - equal;
	}
	for (size_t at = 0; at != WORDS; at += LINE) {
		pair sum[4] = {{0}};

		for (size_t i = 0; i < ENTRIES; i++) {
			const pair *entry = (const pair *)&table[i][at];

			sum[0] |= entry[0] & masks[i];
			sum[1] |= entry[1] & masks[i];
			sum[2] |= entry[2] & masks[i];
			sum[3] |= entry[3] & masks[i];
		}
		memcpy(words + at, sum, sizeof sum);
	}
	bytes_wipe(masks, sizeof masks);
}

enum error
group14_public(const uint8_t x[GROUP14_EXPONENT], uint8_t y[GROUP14_SIZE])
{
	BN_CTX *scratch = BN_CTX_new();
	BIGNUM *power = BN_new(), *entry = BN_new();
	uint64_t words[WORDS];
	bool ok = scratch != NULL && power != NULL && entry != NULL && correction != NULL && load(power, comb[0][0]);

	for (unsigned column = COLUMNS; ok && column-- > 0;) {
		ok = multiply(power, power, power, scratch);
		for (unsigned table = 0; ok && table < TABLES; table++) {
			look_up(words, comb[table], digit_of(x, table * COLUMNS + column));
			ok = load(entry, words) && multiply(power, power, entry, scratch);
		}
	}
	ok = ok && multiply(power, power, correction, scratch) && BN_bn2binpad(power, y, GROUP14_SIZE) == GROUP14_SIZE;
	bytes_wipe(words, sizeof words);
	BN_clear_free(entry);
	BN_clear_free(power);
	BN_CTX_free(scratch);
	if (!ok)
		bytes_wipe(y, GROUP14_SIZE);
	return ok ? OK : ERROR_CRYPTO;
}

/* With a byte before it, taken away again: the time to read a number in depends on its leading zero bytes. */
static BIGNUM *
exponent_new(const uint8_t x[GROUP14_EXPONENT])
{
	uint8_t bytes[1 + GROUP14_EXPONENT] = {1};
	BIGNUM *exponent;

	memcpy(bytes + 1, x, GROUP14_EXPONENT);
	exponent = BN_bin2bn(bytes, sizeof bytes, NULL);
	bytes_wipe(bytes, sizeof bytes);
	if (exponent == NULL)
		return NULL;
	BN_clear_bit(exponent, 8 * GROUP14_EXPONENT);
	BN_set_flags(exponent, BN_FLG_CONSTTIME);
	return exponent;
}

enum error
group14_shared(const uint8_t y[GROUP14_SIZE], const uint8_t x[GROUP14_EXPONENT], uint8_t shared[GROUP14_SIZE])
{
	BN_CTX *scratch = BN_CTX_new(); /* libcrypto wipes its numbers when it is freed */
	BIGNUM *base = BN_bin2bn(y, GROUP14_SIZE, NULL);
	BIGNUM *exponent = exponent_new(x);
	BIGNUM *power = BN_new();
	enum error error = ERROR_CRYPTO;

	if (scratch != NULL && base != NULL && exponent != NULL && power != NULL && montgomery != NULL &&
	    BN_mod_exp_mont_consttime(power, base, exponent, modulus, scratch, montgomery) == 1 &&
	    BN_bn2binpad(power, shared, GROUP14_SIZE) == GROUP14_SIZE)
		error = OK;
	BN_clear_free(power);
	BN_clear_free(exponent);
	BN_free(base);
	BN_CTX_free(scratch);
	if (error != OK)
		bytes_wipe(shared, GROUP14_SIZE);
	return error;
}
