# lrnde: make help says what each target does.  SAN=address,undefined builds with sanitizers; V=1 shows commands.
B       ?= build
CC      ?= cc
OPT     ?= -O3 -march=native
CFLAGS  ?= -g
WARN    := -Wall -Wextra -Wpedantic
FLOAT   := -fno-math-errno -fno-trapping-math -ffp-contract=off
SAN     ?=
ALL     := -std=c11 -D_GNU_SOURCE $(OPT) $(CFLAGS) $(WARN) $(FLOAT) -MMD -MP $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -O1)
LD      := $(if $(SAN),-fsanitize=$(SAN))
Q       := $(if $(V),,@)

LUA     := $(shell pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)
LUALIB  := $(shell pkg-config --libs lua5.4 2>/dev/null || echo -llua5.4)
BLAS    := $(shell pkg-config --libs openblas 2>/dev/null || echo -lopenblas)
LIBS    := $(BLAS) -lz -ljansson -lm -ldl

# A folder is a registry: whatever C file is there is built.
TOOLS   := train solve bench
GEN     := $(patsubst %.c,$(B)/%.o,$(wildcard generator/ir/*.c generator/passes/*.c generator/host/*.c))
GENLIB  := $(filter-out %/host/main.o,$(GEN))
RUN     := $(patsubst %.c,$(B)/%.o,$(wildcard runtime/solve/*.c runtime/train/*.c runtime/io/*.c templates/*/driver.c))
CLI     := $(patsubst %.c,$(B)/%.o,$(filter-out $(TOOLS:%=runtime/cli/%.c),$(wildcard runtime/cli/*.c)))
DRIVERS := -D'LRNDE_DRIVERS(X)=$(patsubst templates/%/driver.c,X(%),$(wildcard templates/*/driver.c))'
TESTS   := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
PROGS   := $(B)/lrnde-gen $(patsubst runtime/cli/%.c,$(B)/lrnde-%,$(wildcard $(TOOLS:%=runtime/cli/%.c)))

all: $(PROGS) $(B)/liblrnde.a ## build the tools and the library

$(B)/lrnde-gen: $(GEN)
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -o $@ $^ $(LUALIB) -lm

# The tools load generated code, which calls back into the library: export its symbols.
$(B)/lrnde-%: $(B)/runtime/cli/%.o $(CLI) $(B)/liblrnde.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -fopenmp -rdynamic -o $@ $< $(CLI) -Wl,--whole-archive $(B)/liblrnde.a -Wl,--no-whole-archive $(LIBS)

$(B)/liblrnde.a: $(RUN)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

# The include paths are the architecture: the compiler sees only itself, the runtime and every driver only the runtime.
$(B)/generator/%.o: INC := -Igenerator $(LUA)
$(B)/runtime/%.o:   INC := -Iruntime -fopenmp $(DRIVERS)
$(B)/templates/%.o: INC := -Iruntime -fopenmp
$(B)/tests/%.o:     INC := -Igenerator -Iruntime -Itests $(LUA) -fopenmp
$(B)/%.o: %.c
	@mkdir -p $(@D) && echo "  CC    $<"
	$(Q)$(CC) $(ALL) $(INC) -c -o $@ $<

$(B)/tests/%: $(B)/tests/%.o $(GENLIB) $(CLI) $(B)/liblrnde.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -fopenmp -rdynamic -o $@ $< $(GENLIB) $(CLI) $(B)/liblrnde.a -lcmocka $(LUALIB) $(LIBS)

# Runs a Lua test with the generator's modules at hand.
$(B)/tests/lua: $(B)/tests/lua_host.o $(GENLIB)
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -o $@ $^ $(LUALIB) -lm

clean: ## remove what was built
	rm -rf $(B)
format: ## format every C file
	clang-format -i $$(git ls-files '*.c' '*.h')
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t16

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all clean format help
.SECONDARY:
