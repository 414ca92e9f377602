# SPDX-License-Identifier: GPL-2.0-or-later
# Two words for a newcomer: `make run` and `make test`. Everything else is below.
#
#   make run     install what is missing, build, start a one-node cluster on this machine, deploy a demo, fetch it
#   make stop    stop the daemon and its Pods; leave nothing behind
#   make test    install what is missing and pass every test
#   make check   floors, banned words, function sizes, formatting, clang-tidy
#   make analyze clang-analyzer, file by file: minutes, later only what changed
#   make sim     simulated power cuts and clusters (SEED=n replays one), then a real writer killed 1,000 times
#   make sim-teeth  plant faults one by one and see that the simulator finds each
#   make golden  rewrite the golden files after a wanted change (ROOM=x for one room); read the diff
#   make fuzz    run every fuzz target for a while (SECONDS_EACH=20)
#   make bench   measure against peers: build/bench/report.json and report.md
#   make budget  sizes and memory against tools/budgets.txt
#   make image   what goes into a device image: build/image/
#   make all deps clean

BUILD ?= build/release
SEED ?=
CUTS ?= 50000
KILLS ?= 1000
MEMBERS_WORLDS ?= 500
SECONDS_EACH ?= 20
ROOM ?=

.DEFAULT_GOAL := all
.PHONY: all deps configure run stop test unit kubectl-tests check analyze sim sim-teeth golden fuzz bench budget image clean

deps:
	@tools/deps.sh

configure: deps
	@cmake -S . -B $(BUILD) -G Ninja $(shell command -v ccache >/dev/null && echo -DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache) > $(BUILD).configure.log 2>&1 \
	  || { cat $(BUILD).configure.log; exit 1; }

all: configure
	@ninja -C $(BUILD)

build/release.dir:
	@mkdir -p build

configure: | build/release.dir

coracle: configure
	@ninja -C $(BUILD) coracle coracle-shim
.PHONY: coracle

run: coracle
	@tools/run.sh $(BUILD)

stop:
	@tools/stop.sh $(BUILD)

unit: all
	@cd $(BUILD) && ctest --output-on-failure -j2

sim: configure
	@ninja -C $(BUILD) coracle_sim coracle_quorum coracle_kill9
	@$(BUILD)/coracle_quorum $(if $(SEED),--seed $(SEED) --worlds 1,--worlds $(MEMBERS_WORLDS))
	@$(BUILD)/coracle_sim $(if $(SEED),--seed $(SEED) --cuts 50 --worlds 1,--cuts $(CUTS))
	@$(if $(SEED),true,$(BUILD)/coracle_kill9 --rounds $(KILLS))

sim-teeth: deps
	@tools/sim_teeth.sh

kubectl-tests: coracle
	@tests/kubectl/run.sh $(BUILD)

test: all
	@tools/test.sh $(BUILD)

check: configure
	@tools/check.sh $(BUILD)

analyze: configure
	@tools/tidy.py $(BUILD) --analyze

golden: all
	@CORACLE_REWRITE=1 tools/golden.sh $(BUILD) "$(ROOM)"

fuzz: deps
	@tools/fuzz.sh $(SECONDS_EACH)

bench: coracle
	@tools/bench.sh $(BUILD)

budget: coracle
	@tools/budget.sh $(BUILD)

image: coracle
	@tools/image.sh $(BUILD)

clean:
	@rm -rf build
