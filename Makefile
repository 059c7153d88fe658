# lrnde: make help says what each target does.  SAN=address,undefined builds with sanitizers; V=1 shows commands.
B       ?= build
CC      ?= cc
OPT     ?= -O3 -march=native
CFLAGS  ?= -g
PREFIX  ?= /usr/local
FLOAT   := -fno-math-errno -fno-trapping-math -ffp-contract=off
SAN     ?=
ALL     := -std=c11 -D_GNU_SOURCE $(OPT) $(CFLAGS) -Wall -Wextra -Wpedantic $(FLOAT) -MMD -MP $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
LD      := $(if $(SAN),-fsanitize=$(SAN))
Q       := $(if $(V),,@)

LUA     := $(shell pkg-config --cflags lua5.4 2>/dev/null || echo -I/usr/include/lua5.4)
LUALIB  := $(shell pkg-config --libs lua5.4 2>/dev/null || echo -llua5.4)
BLAS    := $(shell pkg-config --libs openblas 2>/dev/null || echo -lopenblas)
LIBS    := $(BLAS) -lz -ljansson -lm -ldl
PACKAGES := gcc g++ make pkg-config lua5.4 liblua5.4-dev libopenblas-dev libcmocka-dev zlib1g-dev libjansson-dev librandom123-dev \
            gnuplot-nox valgrind clang-format curl dataset-fashion-mnist

# A folder is a registry: whatever C file is there is built.
objects  = $(patsubst %.c,$(B)/%.o,$(wildcard $(1)))
GEN     := $(call objects,generator/ir/*.c generator/passes/*.c generator/host/*.c)
GENLIB  := $(filter-out %/host/main.o,$(GEN))
RUN     := $(call objects,runtime/solve/*.c runtime/train/*.c runtime/io/*.c templates/*/*.c)
MAINS   := $(B)/runtime/cli/train.o $(B)/runtime/cli/solve.o $(B)/runtime/cli/bench.o
CLI     := $(filter-out $(MAINS),$(call objects,runtime/cli/*.c))
CASES   := $(call objects,bench/*.c)
DRIVERS := -D'LRNDE_DRIVERS(X)=$(patsubst templates/%/driver.c,X(%),$(wildcard templates/*/driver.c))'
PROGS   := $(B)/lrnde-gen $(MAINS:$(B)/runtime/cli/%.o=$(B)/lrnde-%)
UNIT    := $(patsubst tests/%.c,$(B)/tests/%,$(wildcard tests/test_*.c))
SCRIPTS := $(filter-out tests/check.lua tests/host.lua,$(wildcard tests/*.lua tests/numeric/*.lua))

all: $(PROGS) $(B)/liblrnde.a ## build the tools and the library

$(B)/lrnde-gen: $(GEN)
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -o $@ $^ $(LUALIB) -lm

# The tools load generated code, which calls back into the library: export its symbols.
$(B)/lrnde-bench: $(CASES)
$(B)/lrnde-%: $(B)/runtime/cli/%.o $(CLI) $(B)/liblrnde.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -fopenmp -rdynamic -o $@ $(filter %.o,$^) -Wl,--whole-archive $(B)/liblrnde.a -Wl,--no-whole-archive $(LIBS)

$(B)/liblrnde.a: $(RUN)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $^

# The include paths are the architecture: the compiler sees only itself, the runtime and every driver only the runtime.
$(B)/generator/%.o: INC := -Igenerator $(LUA)
$(B)/runtime/%.o:   INC := -Iruntime -fopenmp $(DRIVERS)
$(B)/templates/%.o: INC := -Iruntime -fopenmp
$(B)/bench/%.o:     INC := -Iruntime -fopenmp
$(B)/bench/fast_math.o: INC += -ffast-math
$(B)/tests/%.o:     INC := -Igenerator -Iruntime -Itests -iquote templates/c -iquote templates/cuda $(LUA) -fopenmp
$(B)/%.o: %.c
	@mkdir -p $(@D) && echo "  CC    $<"
	$(Q)$(CC) $(ALL) $(INC) -c -o $@ $<

$(B)/tests/%: $(B)/tests/%.o $(GENLIB) $(CLI) $(B)/liblrnde.a
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -fopenmp -rdynamic -o $@ $< $(GENLIB) $(CLI) $(B)/liblrnde.a -lcmocka $(LUALIB) $(LIBS)

# What stands in for NVIDIA's libraries where the tests of the CUDA driver run.
$(B)/tests/cuda_fakes/%.so: tests/cuda_fakes/%.c
	@mkdir -p $(@D) && echo "  CC    $<"
	$(Q)$(CC) $(ALL) $(LD) -Iruntime -iquote templates/cuda -fPIC -shared -o $@ $<
$(filter $(B)/tests/test_cuda_%,$(UNIT)): | $(patsubst %.c,$(B)/%.so,$(wildcard tests/cuda_fakes/*.c))

# Runs a Lua test with the generator's modules at hand.
$(B)/tests/lua: $(B)/tests/lua_host.o $(GENLIB)
	@echo "  LD    $@"
	$(Q)$(CC) $(LD) -o $@ $^ $(LUALIB) -lm

deps: ## install what is needed (Debian, Ubuntu; as root or through sudo)
	$(if $(filter 0,$(shell id -u)),,sudo) sh -c 'apt-get update && apt-get install -y --no-install-recommends $(PACKAGES)'
	@# What compiles for NVIDIA GPUs, where apt has non-free and nothing newer is there; what needs it says so and skips.
	-@$(if $(filter 0,$(shell id -u)),,sudo) apt-get install -y --no-install-recommends libnvrtc11.2 2>/dev/null || echo "no libnvrtc11.2"

data: ## fetch MNIST into data/, checked by its sha256
	sh bench/fetch_mnist.sh data/mnist

demo: all ## train the small classifier without and with local regularization; a table and a plot
	$(Q)lua5.4 bench/demo.lua $(B)

test: ## every test; no GPU needed
	$(Q)$(SUBMAKE) all $(UNIT) $(B)/tests/lua
	$(Q)sh tests/run.sh $(B) "$(UNIT)" "$(SCRIPTS)"
	$(Q)$(MAKE) --no-print-directory sanitize memcheck

# What the tests build, on all cores whatever this make was told.
SUBMAKE = $(MAKE) --no-print-directory -j$(shell nproc)

# test_kernels compiles and runs as many kernels as all the rest together; what it launches is covered by memcheck.  The other
# ones run emitted text on stacks of their own, under guard pages, whole models, whose driver others run too, and a compiler.
SANITIZED := $(filter-out $(addprefix %/test_,kernels cuda cuda_choices cuda_solves cuda_sweeps cuda_mistakes cuda_models \
    nvrtc nvrtc_parts),$(UNIT))
sanitize: export LRNDE_CACHE ?= $(CURDIR)/$(B)/cache
sanitize: ## unit tests under the address and undefined-behaviour sanitizers
	$(Q)$(SUBMAKE) B=$(B)-asan SAN=address,undefined unit
unit: all $(SANITIZED)
	$(Q)sh tests/run.sh $(B) "$(SANITIZED)" ""

memcheck: ## the tools under valgrind
	$(Q)$(SUBMAKE) B=$(B)-memcheck OPT="-O1 -march=x86-64-v3" all $(B)-memcheck/tests/lua
	$(Q)sh tests/memcheck.sh $(B)-memcheck

bench: all ## ratios to peers, measured in one run; seconds to compile every model with every method
	$(Q)$(B)/lrnde-bench
	$(Q)lua5.4 bench/compile.lua $(B)

reproduce: all ## the tables and the paper's MNIST run of README; hours; resumable
	$(Q)lua5.4 bench/reproduce.lua $(B)

figures: all ## the paper's figure 2, into build/figures
	$(Q)lua5.4 bench/figures.lua $(B) $(B)/figures

check-gpu: all $(B)/tests/lua $(patsubst %.c,$(B)/%,$(wildcard tests/gpu/*.c)) ## what needs a GPU; says so and passes where there is none
	$(Q)failed=; for part in $(filter $(B)/tests/gpu/%,$^) $(patsubst %,$(B)/tests/lua=%,$(wildcard tests/gpu/*.lua)); do \
	    echo $${part#*=}; LRNDE_BUILD=$(B) $$(echo $$part | tr = ' ') || failed=yes; done; test -z "$$failed"

golden: $(B)/lrnde-gen ## renew the emitted text kept in tests/golden
	$(Q)sh tests/golden/renew.sh $(B)

install: all ## into PREFIX
	install -d $(PREFIX)/bin $(PREFIX)/lib $(PREFIX)/include/lrnde $(PREFIX)/share/lrnde
	install $(PROGS) $(PREFIX)/bin
	install -m 644 $(B)/liblrnde.a $(PREFIX)/lib
	install -m 644 runtime/*.h $(PREFIX)/include/lrnde
	cp -r generator templates tableaus models $(PREFIX)/share/lrnde
	cp --parents runtime/*.h runtime/io/*.def $(PREFIX)/share/lrnde # what is pasted into texts

format: ## format every C file
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v ^tests/golden)

tidy: ## what clang-tidy says of the library
	clang-tidy $$(git ls-files 'runtime/*.c') -- -std=c11 -D_GNU_SOURCE -Iruntime

clean: ## remove what was built
	rm -rf $(B) $(B)-asan $(B)-memcheck

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t16

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all deps data demo test sanitize unit memcheck bench reproduce figures check-gpu golden install format tidy clean help
.SECONDARY:
