/* stack.h: where a call comes from, as offsets in modules, so that it is the same in every run. */
#ifndef FAULTS_STACK_H
#define FAULTS_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"

/* Notes the modules that are loaded, in plan->modules too. Called again by itself when there are more. */
void stack_start(struct plan *plan);

struct plan_frame stack_frame(uintptr_t address);

/* The address that a frame of a module of that name stands for, or 0 while it is not loaded. */
uintptr_t stack_address(const char *module, uint32_t offset);

bool stack_is_in_program(uintptr_t address);

/* From the frame that has caller as its return address outwards. name is part of the hash. Any thread; no memory. */
void stack_walk(struct plan_stack *stack, const char *name, uintptr_t caller);

#endif
