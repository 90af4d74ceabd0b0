# `make` lists the targets. Each target makes the environments that it needs.

PYTHON ?= python3.11
STUDIO := .venv
TRAINER := .venv-trainer
AXOLOTL := .venv-axolotl
WITH_SCHEMAS := $(if $(wildcard $(AXOLOTL)/.made),$(AXOLOTL),$(TRAINER))
PIP_FLAGS := --quiet --disable-pip-version-check --no-input
SERVICES := $(patsubst services/%/pyproject.toml,%,$(wildcard services/*/pyproject.toml))
PACKAGES := shared/ft[cli] shared/chassis[postgres] shared/cmlapi shared/rows shared/jobs \
            $(addprefix services/,$(SERVICES))
TEST_WORKERS ?= 3
# Tests of a file share what its fixtures of module scope set up, so files stay whole. They start in
# the order of conftest.py: those with long tests first, so that no worker waits for another's at the
# end.
BY_FILE := --dist loadfile --no-loadscope-reorder
SHOW_SLOW := --durations 25 --durations-min 5
QUICK := -m "not starts_processes and not slow" --hypothesis-profile=quick
IN_RANDOM_ORDER = --dist loadfile --random-order --random-order-seed $(or $(ORDER),$(shell date +%s))
TRAINER_PACKAGES := shared/ft shared/rows shared/trainer
PROTO_FILES := $(patsubst proto/%.proto,%,$(wildcard proto/*.proto))
PROTO_OUT := shared/ft/proto
PROJECT_FILES := $(wildcard shared/*/pyproject.toml services/*/pyproject.toml)

# Tests start hundreds of interpreters; each would compile the source anew.
export PYTHONDONTWRITEBYTECODE :=
export PATH := $(CURDIR)/$(STUDIO)/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help env env-axolotl demo up down test quick lint types imports generated \
        pytest pytest-trainer quick-pytest quick-pytest-trainer test-order \
        proto proto-check cmlapi-check schemas schemas-check docs docs-check databases databases-check \
        fuzz fuzz-properties fuzz-configs test-faults bench benchmarks format clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------ environments

env: $(STUDIO)/.made $(TRAINER)/.made  ## Both virtual environments

$(STUDIO)/.made: requirements/services.txt requirements/dev.txt $(PROJECT_FILES)
	@echo "making $(STUDIO): services, command, tools"
	@$(PYTHON) -m venv $(STUDIO)
	@$(STUDIO)/bin/pip install $(PIP_FLAGS) -c requirements/services.txt -r requirements/dev.txt
	@$(STUDIO)/bin/pip install $(PIP_FLAGS) -c requirements/services.txt --no-build-isolation \
	    $(addprefix --editable ./,$(PACKAGES))
	@touch $@

# torch comes first and by its exact version: another spelling may take a build of several GB.
define trainer
	@$(PYTHON) -m venv $(1)
	@$(1)/bin/pip install $(PIP_FLAGS) \
	    $(if $(FTS_TORCH_INDEX_URL),--extra-index-url $(FTS_TORCH_INDEX_URL)) torch==2.13.0
	@$(1)/bin/pip install $(PIP_FLAGS) -c requirements/trainer.txt \
	    hatchling pytest pytest-asyncio pytest-random-order pytest-xdist hypothesis jsonschema
	@$(1)/bin/pip install $(PIP_FLAGS) -c requirements/trainer.txt --no-build-isolation \
	    $(addprefix --editable ./,$(TRAINER_PACKAGES))
endef

$(TRAINER)/.made: requirements/trainer.txt $(TRAINER_PACKAGES:%=%/pyproject.toml)
	@echo "making $(TRAINER): torch and the trainer (the largest download)"
	$(call trainer,$(TRAINER))
	@touch $@

env-axolotl: $(AXOLOTL)/.made  ## A third one, for jobs that train with Axolotl too

$(AXOLOTL)/.made: requirements/axolotl.txt requirements/trainer.txt \
                  $(TRAINER_PACKAGES:%=%/pyproject.toml)
	@echo "making $(AXOLOTL): the trainer and Axolotl"
	$(call trainer,$(AXOLOTL))
	@$(AXOLOTL)/bin/pip install $(PIP_FLAGS) --no-deps --ignore-requires-python \
	    -r requirements/axolotl.txt
	@touch $@

# ------------------------------------------------------------------------------ running

demo: env  ## Fine-tunes the starter model, compares it with its base, serves and asks it
	@fts demo

up: env  ## Starts the studio on this machine
	@fts up

down: env  ## Stops it
	@fts down

# ------------------------------------------------------------------------------- checks

test: env lint types imports generated pytest-trainer pytest  ## Every check and test

quick: env lint types imports generated  ## The checks, and the tests that start no process
	@$(MAKE) --no-print-directory --jobs 2 --output-sync quick-pytest quick-pytest-trainer

lint: $(STUDIO)/.made  ## Style and common mistakes
	@ruff format --check --quiet . && ruff check --quiet .

types: $(STUDIO)/.made  ## Strict types
	@mypy

imports: $(STUDIO)/.made  ## Who may know whom
	@lint-imports --no-cache

generated: proto-check cmlapi-check docs-check schemas-check databases-check  ## Generated code is what its source makes

# Most of the time tests wait for processes, so several at a time fit on a small machine.
pytest: $(STUDIO)/.made
	@python -m pytest -n $(TEST_WORKERS) $(BY_FILE) $(SHOW_SLOW)

pytest-trainer: $(TRAINER)/.made
	@$(TRAINER)/bin/python -m pytest -n 2 $(BY_FILE) $(SHOW_SLOW) shared/trainer shared/rows

quick-pytest: $(STUDIO)/.made
	@python -m pytest -n 2 $(BY_FILE) $(QUICK)

quick-pytest-trainer: $(TRAINER)/.made
	@$(TRAINER)/bin/python -m pytest $(QUICK) shared/trainer

test-order: env  ## Every test in random order; ORDER=42 repeats an order, TEST_WORKERS=4 shares them out otherwise
	@$(TRAINER)/bin/python -m pytest -n $(TEST_WORKERS) $(IN_RANDOM_ORDER) shared/trainer shared/rows
	@python -m pytest -n $(TEST_WORKERS) $(IN_RANDOM_ORDER)

test-faults: $(STUDIO)/.made  ## Thousands of jobs while processes are killed and answers get lost
	@FTS_FAULT_STARTS=2000 FTS_FAULT_KILLS=500 FTS_FAULT_ROUNDS=200 \
	    python -m pytest tests/faults -s --timeout 7200

fuzz: $(STUDIO)/.made  ## Tens of thousands of random requests to every RPC
	@FTS_FUZZ_EXAMPLES=50000 python -m pytest tests/fuzz --timeout 7200

fuzz-properties: env  ## Thousands of new random cases for every property-based test
	@$(TRAINER)/bin/python -m pytest -n $(TEST_WORKERS) -m hypothesis --hypothesis-profile=long \
	    shared/trainer
	@python -m pytest -n $(TEST_WORKERS) -m hypothesis --hypothesis-profile=long --timeout 7200 \
	    --ignore tests/fuzz

# Of the 10,000 configs at least 2,000 train a step.
fuzz-configs: env  ## Thousands of configs: what Validate accepts trains a step, or writes an answer
	@FTS_CONFIG_EXAMPLES=10000 python -m pytest tests/fuzz/test_configs.py -s --timeout 14400

# make bench BENCH="--only get 'page-*' --rounds 3 --compare .bench/before.json"
bench: env  ## Measures the studio's calls against null servers; 15 minutes on a quiet machine
	@python -m benchmarks.bench --json .bench/run.json --chart .bench/run.svg $(BENCH)

benchmarks: env  ## Measures, and prints what came out
	@$(TRAINER)/bin/python benchmarks/overhead.py
	@$(TRAINER)/bin/python benchmarks/workers.py
	@python benchmarks/cancel.py

format: $(STUDIO)/.made  ## Formats the code
	@ruff format --quiet . && ruff check --fix --quiet .

# ---------------------------------------------------------------------- generated code

define protoc
	@python -m grpc_tools.protoc -Ift/proto=proto \
	    --python_out=$(1) --grpc_python_out=$(1) --mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) \
	    $(foreach file,$(PROTO_FILES),ft/proto/$(file).proto)
endef

proto: $(STUDIO)/.made  ## Regenerates the Python code of the contract
	$(call protoc,shared)
	@python shared/ft/codegen/rpcs.py

proto-check: $(STUDIO)/.made  ## Proves that the generated code is that of proto/
	@rm -rf .proto-check && mkdir .proto-check
	$(call protoc,.proto-check)
	@touch .proto-check/ft/proto/__init__.py
	@diff -r --exclude=__pycache__ .proto-check/ft/proto $(PROTO_OUT) \
	    && rm -rf .proto-check && python shared/ft/codegen/rpcs.py --check && echo "generated code is up to date"

cmlapi-check: $(STUDIO)/.made
	@python shared/cmlapi/codegen/generate.py --check

# Where Axolotl has its environment, that one makes the schema of its configs too.
schemas: $(TRAINER)/.made  ## Regenerates the schemas of configs from the pinned libraries
	@$(WITH_SCHEMAS)/bin/python shared/trainer/codegen/schemas.py

schemas-check: $(TRAINER)/.made
	@$(WITH_SCHEMAS)/bin/python shared/trainer/codegen/schemas.py --check

databases: $(STUDIO)/.made  ## Regenerates new.sql of each service from its migrations
	@python shared/chassis/codegen/databases.py

databases-check: $(STUDIO)/.made
	@python shared/chassis/codegen/databases.py --check

docs: $(STUDIO)/.made  ## Regenerates docs/api.md and docs/rules.md
	@python docs/generate.py

docs-check: $(STUDIO)/.made
	@python docs/generate.py --check

clean:  ## Removes the environments; the studio's data in .fts stays
	@rm -rf $(STUDIO) $(TRAINER) $(AXOLOTL) .proto-check
