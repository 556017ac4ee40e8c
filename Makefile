# Every target is a line of `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES := $(shell nproc 2>/dev/null || echo 2)
PYTEST := $(BIN)/pytest -n $(CORES) --dist loadfile

.PHONY: help demo test check slow java bench data lock clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# A stamp for each set of dependencies: installed again when pyproject.toml changes.
$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/.installed-spark: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,spark]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(VENV)/.installed ## Make a cost report from the embedded account: report.html
	$(BIN)/plivo-analysis report --demo --out report.html

test: $(VENV)/.installed-test ## Run the tests, but for the slow ones
	$(PYTEST) -m 'not slow and not browser'

check: $(VENV)/.installed-dev ## What every change must pass: format, lint, types, imports, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

slow: $(VENV)/.installed-spark java ## Run the tests that take long
	$(PYTEST) -m slow

# Spark runs on Java. Where it is lacking and may not be installed, Spark's tests say so and skip.
java:
	@command -v java >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && apt-get install -qq --yes --no-install-recommends default-jre-headless; } \
		|| echo 'Java could not be installed: the tests of Spark will be skipped.' >&2

bench: $(VENV)/.installed-test ## Measure, as ratios within one run
	$(BIN)/python -m benchmarks

data: $(VENV)/.installed ## Write DATA.md anew from the schema
	$(BIN)/python -m plivo_analysis.schema.markdown > DATA.md

clean: ## Remove what was installed and made
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache report.html
