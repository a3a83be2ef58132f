/*
 * fuzz.h: what each fuzz target defines and may use. A target takes any bytes for its input, drives one piece of src/
 * with them and checks what must hold whatever they are: a check that fails ends the process, as a sanitizer does.
 *
 * The same target runs under libFuzzer, under AFL++ and, in `make check`, over its corpus alone (replay.c).
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The target: always returns 0. Keeps nothing from one input to the next but caches that change no outcome. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Keyed targets only. repair makes an input one that somebody with the key would send: every MAC in it is right
 * afterwards, but for those that the input itself wants to be wrong. What is too short for a MAC stays as it is.
 */
void fuzz_repair(uint8_t *data, size_t size);

/* Keyed targets only: changes an input in a way that fits its kind, without repairing it; returns the new size. */
size_t fuzz_change(uint8_t *data, size_t size, size_t max_size, uint32_t random);

/* libFuzzer's name for the two together, defined in mutator.c. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

/* Changes bytes blindly: libFuzzer's own; elsewhere that of simple_mutate.c. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Says which check failed, and aborts. */
_Noreturn void fuzz_failed(const char *check, const char *file, int line);

/* An assert that no build leaves out. */
#define check(condition) ((condition) ? (void)0 : fuzz_failed(#condition, __FILE__, __LINE__))

/* Whether all of memory is zero: what was secret has been wiped. */
bool fuzz_is_wiped(const void *memory, size_t size);

/* Whether text is one line of printable characters: no byte below 0x20, no 0x7f. */
bool fuzz_is_one_line(const char *text);

/* The next of a row of numbers that look random and depend on *state only. */
uint32_t fuzz_random(uint32_t *state);

#endif
