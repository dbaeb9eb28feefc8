# `make demo` and `make test` need Python ≥ 3.11 and make; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CLOUD := .venv-cloud
CLOUD_READY := $(CLOUD)/.ready
COMPILE = $(BIN)/uv pip compile --quiet --universal --no-emit-index-url --generate-hashes -p 3.11

.DEFAULT_GOAL := help
BROWSER = command -v chromium || command -v chromium-browser || command -v google-chrome
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: help demo test shop browser coverage cloud check light bench simulate mutate lock format clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): locks/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode --require-hashes -r locks/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

$(CLOUD_READY): $(READY) locks/cloud.txt locks/functions.txt locks/light.txt locks/baskets.txt
	rm -rf $(CLOUD)
	$(BIN)/uv venv --quiet --python $(BIN)/python $(CLOUD)/emulator
	$(BIN)/uv pip install --quiet --python $(CLOUD)/emulator/bin/python --require-hashes -r locks/cloud.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target $(CLOUD)/heavy --require-hashes -r locks/functions.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target $(CLOUD)/light --require-hashes -r locks/light.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --target $(CLOUD)/baskets --no-deps --require-hashes -r locks/baskets.txt
	@touch $@

demo: $(READY) ## Run the whole loop on sample data, on this machine
	$(BIN)/lakehouse demo

test: $(READY) $(if $(ALL),$(CLOUD_READY)) ## Run the tests but for the longest (ALL=1: all, and a skip is a failure)
	$(BIN)/python -m tests.support.run_all $(if $(ALL),--all)

shop: $(READY) ## Take the browser's SDK from npm, and open a small shop on this machine to click in
	$(BIN)/python -m tests.support.browser_sdk
	$(BIN)/lakehouse demo --shop

browser: ## Install Chromium where there is no browser: tests of the browser's SDK need it, and Node
	@{ $(BROWSER); } >/dev/null || { $(AS_ROOT) apt-get update -qq \
		&& DEBIAN_FRONTEND=noninteractive $(AS_ROOT) apt-get install -qq -y --no-install-recommends chromium; }

coverage: $(CLOUD_READY) ## Run every test and count the lines that were run; there is a floor (half an hour)
	$(BIN)/python -m tests.support.run_all --coverage

cloud: $(CLOUD_READY) ## Deploy the template on an emulator that enforces IAM, and run all functions
	$(BIN)/python -m pytest tests/cloud

check: $(READY) light ## Lint, types, layers, template, lock, the package of the light functions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint infra/template.yaml
	$(BIN)/python docs/generate.py --check

light: $(READY) ## Build the package of the light functions for arm64 without Docker, and check it
	$(BIN)/python infra/light.py build/light

bench: $(READY) ## Measure against limits and peers, as ratios in one run
	$(BIN)/python -m benchmarks

simulate: $(READY) ## Play ingest and maintenance under faults with SEEDS seeds (1000), crash every write, sleep on every commit
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --crashes --nights

mutate: $(READY) ## Change the modules behind exactly-once bit by bit: do tests notice? (20 minutes)
	$(BIN)/python -m tests.support.mutation

format: $(READY) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY) ## Renew the exact locks of every dependency
	$(COMPILE) --upgrade --extra local --extra dev pyproject.toml -o locks/dev.txt
	$(COMPILE) -c locks/dev.txt pyproject.toml -o locks/functions.txt
	$(COMPILE) -c locks/dev.txt infra/light.in -o locks/light.txt
	$(COMPILE) --upgrade tests/cloud/emulator.in -o locks/cloud.txt
	$(COMPILE) --upgrade --no-deps tests/support/baskets.in -o locks/baskets.txt

clean: ## Remove the environment and the demo's data
	rm -rf $(VENV) $(CLOUD) .clients .lakehouse .bench mutants
