# Inflight: `make help` lists the commands. Output goes to build/ and nowhere else.
#
# Everything for a board is in build/<board>/: obj/ (the kernel's objects), kernel.o (all of them,
# for target tests), inflight.o (the same with only the public functions left visible, for
# programs), then demos/, tests/ and apps/. Boards are data: board/<board>.mk says how to compile,
# where RAM is and how QEMU runs it.

BOARD ?= zynq
BOARDS := $(patsubst board/%.mk,%,$(wildcard board/*.mk))
ifneq ($(words $(BOARD))/$(filter $(BOARD),$(BOARDS)),1/$(strip $(BOARD)))
$(error there is no board "$(BOARD)"; boards: $(BOARDS))
endif
include board/$(BOARD).mk

# Requests of <aio.h> that may be under way at a time; programs find it in <limits.h>.
AIO_MAX ?= 256
AIO_MAX_ALLOWED := $(shell seq 128 1022)
ifneq ($(words $(AIO_MAX))/$(filter $(AIO_MAX),$(AIO_MAX_ALLOWED)),1/$(strip $(AIO_MAX)))
$(error AIO_MAX=$(AIO_MAX): it must be a number between 128 and 1022)
endif

VERSION := $(file < VERSION)
OUT := build/$(BOARD)
DEMO ?= overlap
export LC_ALL := C
MAKEFLAGS += --silent --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.SECONDARY:

# ---- What is compiled ----------------------------------------------------------------------------

# Chips of other boards stay out; a file that no board's CHIPS names is common to all.
CHIPS_OF_BOARDS := $(wildcard $(shell sed -n 's/^CHIPS := //p' board/*.mk))
ROOMS := arch arch/$(ARCH) boot boot/$(ARCH) irq dma drivers drivers/* aio fs faces/*
KERNEL_SOURCES := $(filter-out $(filter-out $(wildcard $(CHIPS)),$(CHIPS_OF_BOARDS)), \
    $(wildcard $(addsuffix /*.c,$(ROOMS)) $(addsuffix /*.S,$(ROOMS)) board/$(BOARD).c))
# The reset code is linked with every program, the rest of the kernel is called from there.
START_OBJECTS := $(patsubst %,$(OUT)/obj/%.o,$(filter boot/$(ARCH)/%.S,$(KERNEL_SOURCES)))
KERNEL_OBJECTS := $(filter-out $(START_OBJECTS),$(KERNEL_SOURCES:%=$(OUT)/obj/%.o))
FACE_OBJECTS := $(filter $(OUT)/obj/faces/%,$(KERNEL_OBJECTS))

# A demo is a file with a main(); the others are linked with every demo.
DEMO_PROGRAMS := $(patsubst demos/%.c,%,$(shell grep -lsE '^int main\b' demos/*.c))
DEMO_SHARED := $(filter-out $(DEMO_PROGRAMS:%=demos/%.c),$(wildcard demos/*.c))
TARGET_SUITES := $(patsubst tests/target/%.c,%,$(wildcard tests/target/*.c))
HOST_SUITES := $(patsubst tests/host/%.c,%,$(wildcard tests/host/*.c))
TOOL_SUITES := $(patsubst tests/tools/%.t,%,$(wildcard tests/tools/*.t))
# What `make bench` runs; what reads from a disk wants one that is always the same, virtio's.
BENCHES := null $(if $(filter drivers/virtio/%,$(CHIPS)),floor core posix overlap)
BENCH_ELVES := $(BENCHES:%=$(OUT)/bench/%.elf)

# The user's program: a file or a folder of .c files.
ifdef APP
ifneq ($(words $(APP)),1)
$(error APP=$(APP): make cannot handle a path with blanks)
endif
APP_SOURCES := $(if $(wildcard $(APP)/.),$(wildcard $(APP)/*.c),$(filter %.c,$(wildcard $(APP))))
ifeq ($(APP_SOURCES),)
$(error APP=$(APP): no such .c file, or a folder without .c files)
endif
APP_FOLDER := $(abspath $(if $(wildcard $(APP)/.),$(APP),$(dir $(APP))))
APP_NAME := $(notdir $(abspath $(APP:%.c=%)))
APP_OUT := $(OUT)/apps/$(APP_NAME)
APP_OBJECTS := $(addprefix $(APP_OUT)/,$(addsuffix .o,$(notdir $(APP_SOURCES))))
# Another program of the same name starts afresh.
$(shell [ "$$(cat $(APP_OUT)/folder 2>&1)" = '$(APP_FOLDER)' ] || \
    { rm -rf $(APP_OUT) && mkdir -p $(APP_OUT) && echo '$(APP_FOLDER)' > $(APP_OUT)/folder; })
endif
DEMO_ELF := $(OUT)/demos/$(DEMO).elf
RUN_ELF := $(or $(ELF),$(if $(APP),$(APP_OUT)/$(APP_NAME).elf,$(DEMO_ELF)))

# ---- How it is compiled --------------------------------------------------------------------------

HOST_CC ?= gcc
WARNINGS := -Wall -Wextra -Werror
# The C library: one built here, whose headers come behind the compiler's, as where the two were
# installed together; or the compiler's own with another printf().
ifeq ($(LIBC),newlib-source)
NEWLIB_MADE_OF := $(CROSS) $(CPU_FLAGS)
NEWLIB_NANO := $(shell tools/make-newlib --folder --nano $(CROSS) $(CPU_FLAGS))
NANO := -isystem $(NEWLIB_NANO)/include
LIBC_INCLUDE = -idirafter $(NEWLIB)/include
LIBC_LINK = -nostdlib -L$(NEWLIB)/lib -Wl,--start-group -lm -lc -lgcc -Wl,--end-group
else
NEWLIB_MADE_OF := --stdio $(CROSS) $(CPU_FLAGS) $(PROGRAM_CPU_FLAGS)
NANO := --specs=nano.specs
LIBC_INCLUDE := -D_WANT_IO_C99_FORMATS=1
LIBC_LINK = -L$(NEWLIB)/lib -lm
endif
NEWLIB := $(shell tools/make-newlib --folder $(NEWLIB_MADE_OF))
COMMON := -O2 -g -ffile-prefix-map=$(CURDIR)/= -ffunction-sections -fdata-sections $(CPU_FLAGS) \
    $(LIBC_INCLUDE)
PUBLIC := -I$(OUT)/include $(addprefix -I,$(wildcard faces/*/include))
INTERNAL := -std=gnu11 $(WARNINGS) -I. -Iarch/$(ARCH)
# The kernel is optimised as one piece: a call from room to room costs nothing where it is inlined.
# Conditions joined by && are branches, not sums of flags: that is shorter where the first decides.
KERNEL_FLAGS := $(COMMON) $(KERNEL_CPU_FLAGS) -fno-tree-loop-distribute-patterns \
    --param=logical-op-non-short-circuit=0 -flto=auto -ffat-lto-objects $(INTERNAL)
FACE_FLAGS := $(KERNEL_FLAGS) $(PUBLIC)
PROGRAM_FLAGS := $(COMMON) $(PROGRAM_CPU_FLAGS) $(PUBLIC)
DEMO_FLAGS := $(PROGRAM_FLAGS) -std=gnu11 $(WARNINGS)
TEST_FLAGS := $(PROGRAM_FLAGS) $(INTERNAL) -Itests/target/$(ARCH)
HOST_FLAGS := -std=gnu11 -O1 -g -ffile-prefix-map=$(CURDIR)/= -fno-omit-frame-pointer \
    -fsanitize=address,undefined -fno-sanitize-recover=all $(WARNINGS) -I. -Itests/host/fake
# A function __wrap_f in a face takes the place of newlib's f.
WRAPS := $(sort $(shell grep -ohsE '\b__wrap_[A-Za-z0-9_]+' $(wildcard faces/*/*.c)))
LINK_FLAGS := $(CPU_FLAGS) $(PROGRAM_CPU_FLAGS) -nostartfiles -T linker.ld -Wl,--gc-sections \
    -Wl,--defsym=__ram_start=$(RAM_START) -Wl,--defsym=__ram_size=$(RAM_SIZE) \
    $(RESET_START:%=-Wl,--defsym=__reset_start=%) \
    -Wl,-z,max-page-size=4096 $(WRAPS:__wrap_%=-Wl,--wrap=%)

# V=1 shows the commands, on standard error: standard output belongs to the program that runs.
ifeq ($(V),1)
.SHELLFLAGS := -xc
endif
say = $(if $(filter 1,$(V)),:,printf '  %-8s %s\n' $(1) '$(2)' >&2)
compile = @$(call say,CC,$<); mkdir -p $(@D) && $(CROSS)gcc $(FLAGS) -MMD -MP -c $< -o $@
link = @$(call say,LINK,$@); $(CROSS)gcc $(LINK_FLAGS) $(filter %.o,$^) $(LIBC_LINK) -o $@
link_kernel = @$(call say,LD,$@); $(CROSS)gcc $(KERNEL_FLAGS) -r -nostdlib \
    -flinker-output=nolto-rel $(filter %.o,$^) -o $@
sub = --no-print-directory $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

# ---- Commands ------------------------------------------------------------------------------------

## Builds the kernel, the demonstrations and the tests of one board; runs nothing.
all: $(DEMO_PROGRAMS:%=$(OUT)/demos/%.elf) $(TARGET_SUITES:%=$(OUT)/tests/%.elf) \
    build/compile_commands.json

# A program's `exit N` must be the last line on standard error, after make's own complaint about a
# status that is not 0. So run and demo have two recipes: the first may fail, the second prints the
# line; --keep-going lets it run, .NOTPARALLEL makes it wait for its turn.
ifneq ($(filter run demo,$(MAKECMDGOALS)),)
.NOTPARALLEL:
MAKEFLAGS += --keep-going
endif
run_elf = exec env EXIT_LINE=$(OUT)/exit.$$PPID tools/run
say_exit = @line=$(OUT)/exit.$$PPID; if [ -f $$line ]; then cat $$line >&2; rm -f $$line; fi
default_disk = $(if $(APP)$(ELF)$(DISK),,$(OUT)/demo.img)

## Boots the main demonstration, which checks its own result. DISK=file: with that file as its disk.
demo:: export DISK := $(or $(DISK),$(OUT)/demo.img)
demo::
	@tools/install-deps run
	@$(MAKE) -S $(sub) $(DEMO_ELF) $(OUT)/demo.img >&2
	@$(run_elf) --digest $(DEMO_ELF) </dev/null
demo::
	$(say_exit)

## Boots APP=prog.c (or folder) or ELF=file; ARGS="a b" ENV="K=V" DISK=file SHARE=dir TIMEOUT=s.
run::
	@tools/install-deps run
	@$(if $(ELF),,$(MAKE) -S $(sub) $(RUN_ELF) $(default_disk) >&2)
	@$(if $(default_disk),export DISK=$(default_disk);) \
	    $(run_elf) $(if $(APP)$(ELF),,--digest) '$(RUN_ELF)'
run::
	$(say_exit)

# BOARD given: only that board. T: a regular expression for names like zynq/dma, host/clock.
TEST_BOARDS := $(if $(filter file default,$(origin BOARD)),$(BOARDS),$(BOARD))
SUITES := $(foreach b,$(TEST_BOARDS),$(TARGET_SUITES:%=$b/%)) $(HOST_SUITES:%=host/%) \
    $(TOOL_SUITES:%=tools/%)
ifneq ($(T),)
SUITES := $(shell printf '%s\n' $(SUITES) | grep -E -- '$(T)')
endif
suite_file = $(or $(patsubst tools/%,tests/tools/%.t,$(filter tools/%,$1)), \
    $(patsubst host/%,build/host/tests/%,$(filter host/%,$1)), \
    build/$(subst /,/tests/,$1).elf)
suite_files = $(foreach s,$1,$(call suite_file,$s))

## Runs the tests here and on every board (BOARD=b: one). T=pattern: suites like zynq/dma, host/sd.
test:
	@[ -n '$(strip $(SUITES))' ] || { echo 'no test matches T=$(T)' >&2; exit 2; }
	@tools/install-deps test
	@$(MAKE) $(sub) host-tests >&2
	@for b in $(TEST_BOARDS); do $(MAKE) $(sub) BOARD=$$b board-tests >&2 || exit 1; done
	@prove --jobs 2 --timer --failures $(if $(filter 1,$(V)),--verbose) --exec tools/run-test \
	    $(call suite_files,$(SUITES))

# Suites of tools call make for each board: what two of them want at once is there before.
host-tests: $(call suite_files,$(filter host/%,$(SUITES)))
board-tests: $(call suite_files,$(filter $(BOARD)/%,$(SUITES))) \
    $(if $(filter tools/%,$(SUITES)),$(DEMO_ELF) $(OUT)/demo.img $(OUT)/tests/in_flight.elf \
    $(BENCH_ELVES))

## Counts what a request costs, beside ceilings. RECORD=1: writes what make test holds it to.
bench:
	@tools/install-deps test
	@for b in $(TEST_BOARDS); do $(MAKE) $(sub) BOARD=$$b bench-programs >&2 || exit 1; done
	@tools/bench $(if $(RECORD),--record) $(TEST_BOARDS)
bench-programs: $(BENCH_ELVES) $(OUT)/demo.img $(OUT)/tests/cost.elf

## Starts APP, ELF or the demo in gdb, stopped at its first instruction.
debug: $(if $(ELF),,$(RUN_ELF)) $(default_disk)
	@tools/install-deps --check debug
	@$(if $(default_disk),export DISK=$(default_disk);) exec tools/debug $(RUN_ELF)

## Checks what includes what, text, formatting, scripts; runs cppcheck and gcc -fanalyzer.
lint:
	@tools/install-deps --check lint
	@$(MAKE) --keep-going $(sub) $(LINTS) $(TEST_BOARDS:%=lint-%) >&2
$(TEST_BOARDS:%=lint-%): lint-%:
	@$(MAKE) --keep-going $(sub) BOARD=$* $(BOARD_LINTS)

## Lists the boards.
boards:
	@for b in $(BOARDS); do printf '%-10s %s\n' $$b "$$(sed -n 's/^TITLE := //p' board/$$b.mk)"; done

## Installs the tools and libraries that are missing, when it may; else says how.
deps:
	@tools/install-deps all

## Installs into PREFIX=dir what programs need to be linked elsewhere, for all boards or BOARD=b.
install:
	@for b in $(TEST_BOARDS); do BOARD=$$b tools/install-sdk --check '$(PREFIX)' && \
	    BOARD=$$b tools/install-deps build || exit 1; done
	@for b in $(TEST_BOARDS); do $(MAKE) $(sub) BOARD=$$b install-board || exit 1; done
install-board: $(OUT)/crt0.o $(OUT)/inflight.o $(OUT)/nano/inflight.o
	@$(call say,INSTALL,$(PREFIX)/$(BOARD)); BOARD=$(BOARD) OUT=$(OUT) CROSS=$(CROSS) \
	    MACHINE='$(CPU_FLAGS) $(PROGRAM_CPU_FLAGS)' RAM_START=$(RAM_START) RAM_SIZE=$(RAM_SIZE) \
	    RESET_START=$(RESET_START) WRAPS='$(WRAPS:__wrap_%=%)' VERSION=$(VERSION) \
	    NEWLIB=$(NEWLIB) NEWLIB_NANO=$(NEWLIB_NANO) tools/install-sdk '$(PREFIX)'

## Removes everything that was built.
clean:
	@rm -rf build

## Prints this.
help:
	@echo 'make <command> [BOARD=board] [V=1]'
	@awk '/^## / { text = substr($$0, 4) } \
	    /^[a-z-]+:/ && text { sub(/:.*/, "", $$1); printf "  %-8s %s\n", $$1, text; text = "" }' \
	    Makefile

LINTS := lint-includes lint-text lint-format lint-scripts
BOARD_LINTS := lint-symbols lint-cppcheck lint-headers lint-analyzer
.PHONY: all demo run test host-tests board-tests bench bench-programs debug lint boards deps \
    install install-board clean help FORCE .tools $(LINTS) $(BOARD_LINTS) $(TEST_BOARDS:%=lint-%)

# ---- Rules ---------------------------------------------------------------------------------------

# Says what is missing before a compiler is called in vain.
.tools:
	@tools/install-deps --check build

# What compiled files depend on besides sources: a file that changes only when its content does.
write_if_changed = @mkdir -p $(@D); echo '$(1)' | cmp -s - $@ || echo '$(1)' > $@
$(OUT)/flags: FORCE
	$(call write_if_changed,$(CROSS) $(FACE_FLAGS) $(TEST_FLAGS) $(LINK_FLAGS) $(LIBC_LINK))
$(OUT)/sources: FORCE
	$(call write_if_changed,$(KERNEL_SOURCES))
$(OUT)/demos/sources: FORCE
	$(call write_if_changed,$(DEMO_SHARED))
build/host/flags: FORCE
	$(call write_if_changed,$(HOST_CC) $(HOST_FLAGS))

# What every object for a board needs; behind the | what must be there, whatever its age.
PREPARED_NANO := $(NEWLIB_NANO:%=%/lib/libc.a)
PREPARED := $(OUT)/flags $(OUT)/include/inflight/version.h | .tools $(NEWLIB)/lib/libc.a \
    $(OUT)/include/inflight/aio_max.h
$(NEWLIB)/lib/libc.a: | .tools
	@$(call say,NEWLIB,$(NEWLIB)); tools/make-newlib $(NEWLIB_MADE_OF)

ifdef NEWLIB_NANO
$(NEWLIB_NANO)/lib/libc.a: | .tools
	@$(call say,NEWLIB,$(NEWLIB_NANO)); tools/make-newlib --nano $(CROSS) $(CPU_FLAGS)
endif

$(OUT)/include/inflight/version.h: VERSION
	@mkdir -p $(@D)
	@printf '#pragma once\n\n#define INFLIGHT_VERSION "%s"\n' '$(VERSION)' > $@

$(OUT)/include/inflight/aio_max.h: FORCE
	@mkdir -p $(@D); text='#pragma once\n\n#define AIO_MAX $(AIO_MAX)\n'; \
	    printf "$$text" | cmp -s - $@ || printf "$$text" > $@

$(OUT)/obj/%: FLAGS = $(KERNEL_FLAGS)
$(OUT)/obj/boot/%: FLAGS = $(FACE_FLAGS)
$(OUT)/obj/faces/%: FLAGS = $(FACE_FLAGS)
$(OUT)/obj/%.o: % $(PREPARED)
	$(compile)

$(OUT)/kernel.o: $(KERNEL_OBJECTS) $(OUT)/sources
	$(link_kernel)

$(OUT)/crt0.o: $(START_OBJECTS) $(OUT)/sources
	@$(CROSS)gcc $(CPU_FLAGS) -r -nostdlib $(filter %.o,$^) -o $@
LINKED_WITH := $(OUT)/crt0.o linker.ld

# For programs with the small C library, whose per-level state has another layout.
$(OUT)/nano/obj/faces/%.o: FLAGS = $(NANO) $(FACE_FLAGS)
$(OUT)/nano/obj/%.o: % $(PREPARED) $(PREPARED_NANO)
	$(compile)
$(OUT)/nano/kernel.o: $(KERNEL_OBJECTS:$(OUT)/obj/faces/%=$(OUT)/nano/obj/faces/%) $(OUT)/sources
	$(link_kernel)

# A program may have functions of its own called report() or timer_arm(): only what the faces define
# stays visible, and of that not what they mark as hidden. It may also have a send() of its own:
# what the C library does not have under that name gives way to the program's.
defined = $(CROSS)nm -g --defined-only --format=just-symbols
$(OUT)/inflight.o $(OUT)/nano/inflight.o: %/inflight.o: %/kernel.o
	@$(defined) $(FACE_OBJECTS) | sort -u > $*/public
	@$(defined) $(NEWLIB)/lib/libc.a | sort -u | comm -23 $*/public - > $*/weak
	@{ echo __boot; echo __vectors; } >> $*/public
	@$(CROSS)objcopy --localize-hidden --keep-global-symbols=$*/public \
	    --weaken-symbols=$*/weak $< $@

$(OUT)/demos/%.o: FLAGS = $(DEMO_FLAGS)
$(OUT)/demos/%.o: demos/% $(PREPARED)
	$(compile)
$(OUT)/demos/%.elf: $(OUT)/demos/%.c.o $(DEMO_SHARED:%=$(OUT)/%.o) $(OUT)/inflight.o \
    $(LINKED_WITH) $(OUT)/demos/sources
	$(link)
$(OUT)/demo.img: tools/make-test-image
	@mkdir -p $(@D); $(call say,IMAGE,$@); tools/make-test-image $@ 16M

$(OUT)/tests/%.o: FLAGS = $(TEST_FLAGS)
$(OUT)/tests/%.o: tests/target/% $(PREPARED)
	$(compile)
$(OUT)/tests/%.elf: $(OUT)/tests/%.c.o $(OUT)/kernel.o $(LINKED_WITH)
	$(link)

# Some look into the kernel, others are a user's programs, and the floor has no kernel: of the rooms
# it links what a message and the end of the machine need, compiled for it alone.
$(OUT)/bench/%.o: FLAGS = $(TEST_FLAGS)
$(OUT)/bench/%.o: tests/bench/% $(PREPARED)
	$(compile)
$(OUT)/bench/core.elf $(OUT)/bench/null.elf: $(OUT)/bench/%.elf: $(OUT)/bench/%.c.o \
    $(OUT)/kernel.o $(LINKED_WITH)
	$(link)
$(OUT)/bench/posix.elf $(OUT)/bench/overlap.elf: $(OUT)/bench/%.elf: $(OUT)/bench/%.c.o \
    $(OUT)/inflight.o $(LINKED_WITH)
	$(link)
FLOOR_SOURCES := tests/bench/floor.c tests/bench/$(ARCH)/floor_vectors.S boot/$(ARCH)/start.S \
    $(addprefix arch/,$(ARCH)/semihosting_call.S semihosting.c report.c format.c)
FLOOR_FLAGS = $(filter-out -flto% -ffat-lto%,$(KERNEL_FLAGS)) -Itests/bench/$(ARCH)
$(OUT)/bench/floor/%.o: FLAGS = $(FLOOR_FLAGS)
$(OUT)/bench/floor/%.o: % $(PREPARED)
	$(compile)
$(OUT)/bench/floor.elf: $(FLOOR_SOURCES:%=$(OUT)/bench/floor/%.o) linker.ld
	$(link)

# A program of the user's is compiled without our warnings.
ifdef APP
$(APP_OUT)/flags: FORCE
	$(call write_if_changed,$(APP_SOURCES) $(subst ','"'"',$(APP_CFLAGS)))
$(APP_OUT)/%.o: FLAGS = $(PROGRAM_FLAGS) -I$(APP_FOLDER) $(APP_CFLAGS)
$(APP_OUT)/%.o: $(APP_FOLDER)/% $(APP_OUT)/flags $(PREPARED)
	$(compile)
$(APP_OUT)/$(APP_NAME).elf: $(APP_OBJECTS) $(OUT)/inflight.o $(LINKED_WITH)
	$(link)
endif

# Host suites: the kernel's own sources over a fake CPU, each object built once for all suites.
build/host/obj/%.o: % build/host/flags
	@$(call say,HOSTCC,$<); mkdir -p $(@D) && $(HOST_CC) $(HOST_FLAGS) -MMD -MP -c $< -o $@
host_sources = tests/host/$(1).c tests/host/fake/fake_cpu.c \
    $(wildcard $(shell sed -n 's,^// sources: *,,p' tests/host/$(1).c))
define host_suite
build/host/tests/$(1): $$(patsubst %,build/host/obj/%.o,$(call host_sources,$(1)))
	@$$(call say,HOSTLINK,$$@); mkdir -p $$(@D) && $(HOST_CC) $(HOST_FLAGS) $$^ -o $$@
endef
$(foreach s,$(HOST_SUITES),$(eval $(call host_suite,$s)))

# ---- Lint ----------------------------------------------------------------------------------------

LINT_ROOMS := $(wildcard arch boot irq dma drivers aio board fs faces demos tests)
LINT_C := $(shell find $(LINT_ROOMS) -name '*.[ch]')
LINT_TEXT := $(LINT_C) $(shell find $(LINT_ROOMS) -name '*.S') Makefile \
    $(wildcard tools/* tests/tools/*.t .ci/* *.ld board/*.mk *.md docs/*.md)

lint-includes:
	@$(call say,LINT,includes); tools/check-includes
lint-symbols: $(KERNEL_OBJECTS) $(START_OBJECTS)
	@$(call say,LINT,symbols of $(BOARD)); tools/check-symbols $(CROSS)nm $(OUT)/obj
lint-text:
	@$(call say,LINT,text); tools/check-text $(LINT_TEXT)
lint-format:
	@$(call say,LINT,formatting); bad=; \
	for f in $(LINT_C); do \
	    clang-format $$f | cmp -s - $$f || { echo "$$f: run clang-format -i"; bad=1; }; \
	done; \
	[ -z "$$bad" ]
lint-scripts:
	@$(call say,LINT,scripts); tools/check-scripts
# cppcheck takes the compiler's macros and the width of its pointers from the compiler.
lint-cppcheck: $(PREPARED)
	@$(call say,LINT,cppcheck of $(BOARD)); mkdir -p $(OUT)/cppcheck; \
	    $(CROSS)gcc $(CPU_FLAGS) -dM -E -x c /dev/null > $(OUT)/predefined.h; \
	    width=$$(awk '$$2 == "__INTPTR_WIDTH__" { print $$3 }' $(OUT)/predefined.h); \
	    cppcheck --quiet --error-exitcode=1 --cppcheck-build-dir=$(OUT)/cppcheck \
	    --enable=warning,performance,portability --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=comparePointers --std=c11 \
	    --platform=unix$$width --include=$(OUT)/predefined.h -I. -Iarch/$(ARCH) $(PUBLIC) \
	    $(filter %.c,$(KERNEL_SOURCES) $(wildcard demos/*.c))

# Every header compiles alone, those of the board's own architecture with the others; one of a face
# is found as programs find it, or its include_next would find itself.
OTHER_ARCHES := $(filter-out arch/$(ARCH)/,$(wildcard arch/*/))
LINT_HEADERS := $(filter %.h,$(filter-out tests/% demos/% $(OTHER_ARCHES:%=%%),$(LINT_C)))
lint-headers: $(LINT_HEADERS:%=$(OUT)/lint/%.o)
$(OUT)/lint/%.h.o: %.h $(PREPARED)
	@mkdir -p $(@D); \
	    $(CROSS)gcc $(filter-out -flto% -ffat-lto%,$(FACE_FLAGS)) -MMD -MP -x c -c \
	    -include $(or $(word 2,$(subst /include/, ,$<)),$<) /dev/null -o $@

lint-analyzer: $(patsubst %,$(OUT)/lint/%.o,$(filter %.c,$(KERNEL_SOURCES)))
$(OUT)/lint/%.c.o: %.c $(PREPARED)
	@$(call say,ANALYZE,$<); mkdir -p $(@D) && \
	    $(CROSS)gcc $(filter-out -flto% -ffat-lto%,$(FACE_FLAGS)) -fanalyzer -MMD -MP -c $< -o $@

# For editors: clangd looks in build/.
command = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(2) -c $(1)"}
commands = $(foreach s,$(1),$(call command,$s,$(2)))
comma := ,
build/compile_commands.json: $(OUT)/flags $(OUT)/sources build/host/flags
	$(file > $@,[$(subst } {,}$(comma) {, \
	    $(call commands,$(filter %.c,$(KERNEL_SOURCES)),$(CROSS)gcc $(FACE_FLAGS)) \
	    $(call commands,$(wildcard demos/*.c),$(CROSS)gcc $(DEMO_FLAGS)) \
	    $(call commands,$(wildcard tests/target/*.c),$(CROSS)gcc $(TEST_FLAGS)) \
	    $(call commands,$(wildcard tests/host/*.c),$(HOST_CC) $(HOST_FLAGS)))])
	@:

-include $(shell find $(wildcard $(OUT) build/host) -name '*.d')
