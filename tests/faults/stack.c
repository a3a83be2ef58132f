/* stack.c: see stack.h. */
#define _GNU_SOURCE
#include "stack.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>
#include <unwind.h>

struct module {
	uintptr_t start, end;
	uint64_t name_hash;
};

static struct plan *noted;
static struct module modules[PLAN_MODULES]; /* the first is the program */
static atomic_uint module_count;
static atomic_flag lock = ATOMIC_FLAG_INIT;

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x9e3779b97f4a7c15 ^ (hash >> 29);
}

static uint64_t
hash_text(const char *text)
{
	uint64_t hash = 1;

	for (; *text != '\0'; text++)
		hash = mix(hash, (unsigned char)*text);
	return hash;
}

static uintptr_t
end_of(const struct dl_phdr_info *info)
{
	uintptr_t end = info->dlpi_addr;

	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *header = &info->dlpi_phdr[i];
		uintptr_t this_end = info->dlpi_addr + header->p_vaddr + header->p_memsz;

		if (header->p_type == PT_LOAD && this_end > end)
			end = this_end;
	}
	return end;
}

static int
note_module(struct dl_phdr_info *info, size_t size, void *unused)
{
	const char *slash = strrchr(info->dlpi_name, '/'), *name = slash != NULL ? slash + 1 : info->dlpi_name;
	unsigned at = module_count;

	(void)size;
	(void)unused;
	if (at == PLAN_MODULES)
		return 1;
	for (unsigned i = 0; i < at; i++)
		if (modules[i].start == info->dlpi_addr)
			return 0;
	if (at == 0)
		name = program_invocation_short_name;
	modules[at] = (struct module){info->dlpi_addr, end_of(info), hash_text(name)};
	strncpy(noted->modules[at], name, PLAN_MODULE_NAME - 1);
	noted->module_count = at + 1;
	atomic_store(&module_count, at + 1);
	return 0;
}

void
stack_start(struct plan *plan)
{
	while (atomic_flag_test_and_set(&lock))
		;
	noted = plan;
	dl_iterate_phdr(note_module, NULL);
	atomic_flag_clear(&lock);
}

static const struct module *
find_module(uintptr_t address)
{
	unsigned count = atomic_load(&module_count);

	for (unsigned i = 0; i < count; i++)
		if (address >= modules[i].start && address < modules[i].end)
			return &modules[i];
	return NULL;
}

static struct plan_frame
frame_of(uintptr_t address, uint64_t *hash)
{
	const struct module *module = find_module(address);
	struct plan_frame frame = {0};

	if (module == NULL) {
		stack_start(noted);
		module = find_module(address);
	}
	if (module != NULL) {
		frame.module = (uint32_t)(module - modules) + 1;
		frame.offset = (uint32_t)(address - module->start);
		*hash = mix(*hash, module->name_hash);
	}
	*hash = mix(*hash, frame.offset);
	return frame;
}

struct plan_frame
stack_frame(uintptr_t address)
{
	uint64_t hash = 0;

	return frame_of(address, &hash);
}

uintptr_t
stack_address(const char *module, uint32_t offset)
{
	for (unsigned i = 0; i < module_count; i++)
		if (strcmp(noted->modules[i], module) == 0)
			return modules[i].start + offset;
	return 0;
}

bool
stack_is_in_program(uintptr_t address)
{
	return address >= modules[0].start && address < modules[0].end;
}

struct walk {
	struct plan_stack *stack;
	uintptr_t caller;
};

static _Unwind_Reason_Code
step(struct _Unwind_Context *context, void *argument)
{
	struct walk *walk = argument;
	struct plan_stack *stack = walk->stack;
	uintptr_t address = _Unwind_GetIP(context);

	if (stack->depth == 0 && address != walk->caller)
		return _URC_NO_REASON; /* this library's own */
	if (stack->depth == PLAN_FRAMES)
		return _URC_END_OF_STACK;
	stack->frames[stack->depth++] = frame_of(address, &stack->hash);
	return _URC_NO_REASON;
}

void
stack_walk(struct plan_stack *stack, const char *name, uintptr_t caller)
{
	struct walk walk = {stack, caller};

	stack->depth = 0;
	stack->hash = hash_text(name);
	_Unwind_Backtrace(step, &walk);
}
