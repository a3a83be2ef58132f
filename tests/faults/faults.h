/* faults.h: what the wrappers around calls share: whether this one has to fail, and how. */
#ifndef FAULTS_FAULTS_H
#define FAULTS_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

/* calls.h says what they mean. */
enum how { ERRNO, ABSENT, CODE, NEGATIVE, ZERO, MINUS, CLOSED, ANSWER, BYTES };

enum call {
#define CALL(name, how, errors) CALL_##name,
#define OWN CALL
#include "calls.h"
#undef CALL
#undef OWN
	CALLS
};

/* On the machines that we know, a function of up to six words can be called as this one. */
typedef long faults_function(long, long, long, long, long, long);

#define EXPORTED __attribute__((visibility("default")))
#define CALLER __builtin_return_address(0)

extern struct plan *plan; /* NULL: nobody has given one */

/* What this library does itself is not looked at. */
extern _Thread_local bool faults_busy __attribute__((tls_model("initial-exec")));

/* Notes the call, and whether it has to fail. errno stays as it is. Any thread. */
bool faults_visit(unsigned call, uintptr_t caller);

/* What a call that fails returns; sets errno where it does. */
long faults_fail(enum how how);

/* The function of that name that would be called without us. */
faults_function *faults_real(unsigned call);

/* Notes the stack of memory that is asked for. Its hash. */
uint64_t faults_trace(uintptr_t caller);

#endif
