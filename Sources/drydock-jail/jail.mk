# Builds drydock-jail: a static program of its own, with cc, as a link by swiftc would add the Swift runtime to what
# must be trusted. Included by the root Makefile; `make -f Sources/drydock-jail/jail.mk jail` works alone.

JAIL_CC ?= cc
JAIL_BUILD := .build/jail
# The jail itself with musl where there is one: a static program of glibc asks the processor for its features and cache sizes
# before main, which is 0.3 ms of each start inside a virtual machine, and has ten times the pages. JAIL_MUSL= goes without.
JAIL_MUSL ?= $(shell command -v musl-gcc)
JAIL_FLAGS := -std=c17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -Wpedantic -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wconversion -Wsign-conversion -Wformat=2 -Wundef -Wswitch-enum -Wvla \
    -Wimplicit-fallthrough -Wcast-align -Wnull-dereference -fstack-protector-strong -D_FORTIFY_SOURCE=2
JAIL_INCLUDE := -ISources/CSandboxWire/include -ISources/CSandbox/include -ISources/CSandbox -I$(JAIL_BUILD)
# Of the machine's headers musl's compiler sees the kernel's alone.
JAIL_KERNEL := $(JAIL_BUILD)/kernel
JAIL_LINK_CC := $(if $(JAIL_MUSL),$(JAIL_MUSL) -isystem $(JAIL_KERNEL),$(JAIL_CC))
JAIL_FILTERS := $(wildcard Sources/CSandbox/filter*.c)
# What the filters are compiled of, and the jail answers by.
JAIL_TABLE := Sources/CSandbox/refusals.c
JAIL_SOURCES := $(filter-out $(JAIL_FILTERS),$(wildcard Sources/CSandbox/*.c Sources/CSandboxWire/*.c))
JAIL_HEADERS := $(wildcard Sources/drydock-jail/*.h Sources/CSandboxWire/include/*.h Sources/CSandbox/include/*.h Sources/CSandbox/*.h)

PROBE_SOURCES := $(wildcard Sources/drydock-probe/*.c)

.PHONY: jail
jail: .build/drydock-jail .build/drydock-probe

.build/drydock-probe: $(PROBE_SOURCES) Sources/drydock-probe/attacks.h
	@mkdir -p .build
	$(JAIL_CC) $(JAIL_FLAGS) -ISources/drydock-probe -static -o $@.new $(PROBE_SOURCES) && mv $@.new $@

$(JAIL_BUILD)/filter-gen: Sources/drydock-jail/filter-gen.c Sources/drydock-jail/filter-shrink.c $(JAIL_FILTERS) $(JAIL_TABLE) $(JAIL_HEADERS)
	@mkdir -p $(JAIL_BUILD)
	$(JAIL_CC) $(JAIL_FLAGS) $(JAIL_INCLUDE) -ISources/drydock-jail -o $@ $(filter %.c,$^) -lseccomp

$(JAIL_BUILD)/filters.inc: $(JAIL_BUILD)/filter-gen
	$< > $@.new && mv $@.new $@

$(JAIL_KERNEL):
	@mkdir -p $@
	@ln -sfn /usr/include/linux /usr/include/asm-generic $@
	@ln -sfn $(firstword $(wildcard /usr/include/$(shell $(JAIL_CC) -print-multiarch)/asm) /usr/include/asm) $@/asm

.build/drydock-jail: Sources/drydock-jail/main.c $(JAIL_SOURCES) $(JAIL_HEADERS) $(JAIL_BUILD)/filters.inc | $(JAIL_KERNEL)
	$(JAIL_LINK_CC) $(JAIL_FLAGS) $(JAIL_INCLUDE) -static -o $@.new $(filter %.c,$^) && mv $@.new $@
