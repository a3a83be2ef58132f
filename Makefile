# The verbs; Meson does the building. Each first installs what it lacks, or says how (tools/install-packages).
#
#   make help    lists them

BUILD  ?= build
PREFIX ?= /usr/local
BUILDS ?=
SHORT  ?=
SEEDS  ?= 100000
FROM   ?= 1
SEED   ?=
SECONDS ?= 10
MINUTES ?= 30
OUT ?= $(BUILD)
JOBS   ?= $(shell nproc)
ORDERS ?= --large

# Other build folders stand beside $(BUILD): one for each way of looking at the code.
ASAN = $(BUILD)-asan
TSAN = $(BUILD)-tsan
LINT = $(BUILD)-lint
FUZZ = $(BUILD)-fuzz
AFL = $(BUILD)-afl
COVERAGE = $(BUILD)-coverage
MUTANTS = $(BUILD)-mutants
CROSS = $(BUILD)-cross
VALGRIND = $(BUILD)-valgrind
PROVE = $(BUILD)-prove

INSTALL_PACKAGES = @tools/install-packages
PACKAGES = tools/packages
TEST_PACKAGES = $(PACKAGES)/build.txt $(PACKAGES)/test.txt $(wildcard tests/packages.txt)
CONFIGURE = tools/configure
TEST = tools/test $(if $(SHORT),--short)
DESTINATION = $(if $(DESTDIR),DESTDIR=$(abspath $(DESTDIR)))

.PHONY: all check lint format orders demo bench bench-crypto asan tsan fuzz fuzz-afl coverage faults install simulate mutants mutants-all cross soak timing valgrind prove bench-scale clean help
.NOTPARALLEL:

all: ## build what ships, optimised, into build/
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt
	$(CONFIGURE) $(BUILD)
	ninja -C $(BUILD) -j $(JOBS)

check: ## lint, then all unit and system tests; ends with the counts
	$(INSTALL_PACKAGES) $(TEST_PACKAGES) $(PACKAGES)/lint.txt $(PACKAGES)/demo.txt
	$(CONFIGURE) $(BUILD) -Dtests=enabled -Dbench=true -Dwerror=true
	$(TEST) --lint $(LINT) $(BUILD)

lint: ## format, clang-tidy, cppcheck, a build by clang, the tree's own rules, man pages, completions, scripts
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(PACKAGES)/test.txt $(PACKAGES)/lint.txt
	tools/lint $(LINT)

format: ## rewrite src/, tests/ and bench/ as .clang-format has it
	$(INSTALL_PACKAGES) $(PACKAGES)/format.txt
	find src tests bench -name '*.[ch]' -exec clang-format -i {} +

orders: ## every order of events through src/pipe, to the end, and bugs that it must find; ORDERS='--depth 12'
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(BUILD) -Dtests=enabled
	ninja -C $(BUILD) -j $(JOBS) tests/orders/orders
	$(BUILD)/tests/orders/orders $(ORDERS)
	tests/mutants/run --only orders- --jobs $(JOBS) $(MUTANTS)

demo: all ## an HTTP download through two daemons, and what crossed the wire
	$(INSTALL_PACKAGES) $(PACKAGES)/demo.txt
	tools/demo $(BUILD)

bench: ## all contenders side by side, and system calls; figures and chart go to OUT=build
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(wildcard $(PACKAGES)/bench.txt)
	$(CONFIGURE) $(BUILD) -Dbench=true
	ninja -C $(BUILD) -j $(JOBS)
	bench/run --out $(OUT) $(BUILD)
	bench/syscalls --out $(OUT) $(BUILD)

bench-scale: ## how the cost grows with connections, workers and the size of a message: a plot each, in OUT=build
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(wildcard $(PACKAGES)/bench.txt)
	$(CONFIGURE) $(BUILD) -Dbench=true
	ninja -C $(BUILD) -j $(JOBS)
	bench/scale --out $(OUT) $(BUILD)

bench-crypto: ## nanoseconds a packet, each backend and batch size
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt
	$(CONFIGURE) $(BUILD) -Dbench=true
	ninja -C $(BUILD) -j $(JOBS) bench/crypto_bench
	$(BUILD)/bench/crypto_bench

simulate: ## SEEDS=N seeds of the simulation from FROM=S on, or SEED=S alone with all that happens in it
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(PACKAGES)/test.txt
	$(CONFIGURE) $(BUILD) -Dtests=enabled
	ninja -C $(BUILD) -j $(JOBS) tests/simulation/simulation
	$(BUILD)/tests/simulation/simulation $(if $(SEED),--seed $(SEED),$(SEEDS) $(FROM) $(JOBS))

asan: ## the tests under AddressSanitizer and UndefinedBehaviorSanitizer; SHORT=1 for a few of the system tests
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(ASAN) -Dtests=enabled -Dbench=true -Db_sanitize=address,undefined -Db_lundef=false
	$(TEST) $(ASAN)

tsan: ## the tests under ThreadSanitizer; SHORT=1 for a few of the system tests
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(TSAN) -Dtests=enabled -Dbench=true -Db_sanitize=thread -Db_lundef=false
	$(TEST) $(TSAN)

fuzz: ## each fuzz target under libFuzzer for SECONDS=10, and how much of src/protocol the keyed ones reach
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(PACKAGES)/fuzz.txt
	CC=clang $(CONFIGURE) $(FUZZ) -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	ninja -C $(FUZZ) -j $(JOBS)
	tools/fuzz --seconds $(SECONDS) $(FUZZ)

fuzz-afl: ## the same targets under AFL++
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(PACKAGES)/fuzz.txt $(PACKAGES)/fuzz-afl.txt
	CC=afl-clang-fast $(CONFIGURE) $(AFL) -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
	ninja -C $(AFL) -j $(JOBS)
	tools/fuzz --afl --seconds $(SECONDS) $(AFL)

coverage: ## what of src/ all tests reach; fails when that is too little
	$(INSTALL_PACKAGES) $(TEST_PACKAGES) $(PACKAGES)/coverage.txt
	CC=gcc $(CONFIGURE) $(COVERAGE) -Dtests=enabled -Dbench=true -Db_coverage=true -Dbuildtype=debug -Dc_args=-fprofile-update=atomic
	tools/coverage $(COVERAGE)

mutants: ## bugs put in one at a time, each of which a test has to see; exits 1 when one lives
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	tests/mutants/run --jobs $(JOBS) $(MUTANTS)

mutants-all: mutants ## the same, and those that a program makes of crypto/, protocol/ and pipe/
	tests/mutants/run --jobs $(JOBS) --generated $(MUTANTS)

cross: ## unit and interop tests as on arm64, s390x and 32-bit x86, by gcc and clang; BUILDS='s390x-gcc ...' for some
	$(INSTALL_PACKAGES) $(TEST_PACKAGES) $(PACKAGES)/cross.txt
	tools/cross $(CROSS) $(BUILDS)

soak: ## load and hostility, 9,000 connections, and MINUTES=N of mixed traffic over a bad network
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(BUILD) -Dtests=enabled -Dbench=true
	ninja -C $(BUILD) -j $(JOBS)
	SPIPED_SOAK_MINUTES=$(MINUTES) SPIPED_BUILD=$(abspath $(BUILD)) /usr/bin/python3 -m pytest -q tests/system/test_soak.py

faults: ## every call that can fail, failed, at each call stack, in the real programs; FAULTS=--sample=500 for some of them
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(BUILD) -Dtests=enabled
	ninja -C $(BUILD) -j $(JOBS)
	tools/faults --jobs $(JOBS) $(FAULTS) $(BUILD)

timing: ## whether the time or the way of checking MACs tells anything, over a million of each pair of kinds; COUNT=N for others
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt $(PACKAGES)/test.txt
	$(CONFIGURE) $(BUILD) -Dtests=enabled
	ninja -C $(BUILD) -j $(JOBS) tests/secrets/timing tests/secrets/steps tests/secrets/powers
	tools/timing $(BUILD) $(COUNT)

valgrind: ## the unit tests and a few system tests under memcheck: no error, no leak
	$(INSTALL_PACKAGES) $(TEST_PACKAGES)
	$(CONFIGURE) $(VALGRIND) -Dtests=enabled
	tools/memcheck $(VALGRIND)

prove: ## Frama-C's Eva over tests/proof: no undefined behaviour for any input, and bugs that it must see; PROOFS=... for some
	$(INSTALL_PACKAGES) $(PACKAGES)/prove.txt
	tools/prove $(PROVE) $(PROOFS)

install: ## into $(DESTDIR)$(PREFIX): programs, man pages, completions, a systemd unit
	$(INSTALL_PACKAGES) $(PACKAGES)/build.txt
	$(CONFIGURE) $(BUILD) -Dprefix=$(PREFIX)
	ninja -C $(BUILD) -j $(JOBS)
	$(DESTINATION) meson install -C $(BUILD) --no-rebuild

clean: ## remove every build folder of these verbs
	rm -rf $(BUILD) $(ASAN) $(TSAN) $(LINT) $(FUZZ) $(AFL) $(COVERAGE) $(MUTANTS) $(CROSS) $(VALGRIND) $(PROVE)

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 14
