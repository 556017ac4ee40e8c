# Every target is a line of `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CORES := $(shell nproc 2>/dev/null || echo 2)
PYTEST := $(BIN)/pytest -n $(CORES) --dist loadfile
QUICK := -m 'not slow and not browser'
# Each core has a worker of pytest: threads of polars beside them only get in each other's way and
# cost the quick tests a tenth of their time. The slow tests keep them.
ONE_THREAD := POLARS_MAX_THREADS=1
# Notebooks are compared as they were committed: the data of figures, and no progress bars.
QUIET := PLOTLY_RENDERER=plotly_mimetype PLIVO_ANALYSIS_PROGRESS=0 PLIVO_ANALYSIS_HOME=$(CURDIR)/build/home
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout=120

# What Python and pytest compile is kept, whatever the shell says: to compile the tests anew takes
# each run five seconds.
unexport PYTHONDONTWRITEBYTECODE

# JupyterLab and Voila have an environment of their own: what they bring makes every import of
# nbformat, and with it every test and kernel, two seconds slower.
LAB := .venv-browser
BROWSER := $(LAB)/bin/python -m pytest -n $(CORES) --dist worksteal -rs
DOCS := .venv-docs

.PHONY: help demo test check coverage hooks slow lowest pythons java chromium browser-test explore lab notebooks docs bench data clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

# A stamp for each set of dependencies: installed again when pyproject.toml changes. To compile
# each module of each dependency takes longer than the rest of `make demo`; Python compiles those
# that are imported.
$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch $@

$(VENV)/.installed-engines: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[test,engines]'
	@touch $@

$(VENV)/.installed-slow: $(VENV)/.installed-engines
	$(BIN)/python -m pip install --quiet --editable '.[test,engines,hosts]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

$(LAB)/.installed: pyproject.toml
	@test -x $(LAB)/bin/python || $(PYTHON) -m venv $(LAB)
	$(LAB)/bin/python -m pip install --quiet --editable '.[browser]'
	@# A grammar that costs every kernel two seconds and that nothing here needs.
	-$(LAB)/bin/python -m pip uninstall --quiet --yes rfc3987-syntax
	@touch $@

$(DOCS)/.installed: pyproject.toml
	@test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/python -m pip install --quiet --editable '.[docs]'
	@touch $@

demo: $(VENV)/.installed ## Make a cost report from the embedded account: report.html
	$(BIN)/plivo-analysis report --demo --since last-month --compare --out report.html
	@printf '%s\n' '' \
		'What next:' \
		'  open report.html      in a browser' \
		'  make lab              the same account in notebooks, with JupyterLab' \
		'  make explore          the same account with a mouse, as a page in the browser' \
		'  your own account      export PLIVO_AUTH_ID=... PLIVO_AUTH_TOKEN=..., and then' \
		'                        $(BIN)/plivo-analysis report --since 7d --out report.html'

test: $(VENV)/.installed-test ## Run the tests and the notebooks, but for the slow ones
	$(ONE_THREAD) $(PYTEST) $(QUICK) $(COVER)
	$(QUIET) $(PYTEST) $(NBVAL) notebooks/*.ipynb

check: $(VENV)/.installed-dev ## What every change must pass: format, lint, types, imports, tests, a browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test
	$(MAKE) browser-test

# The tests take half as long again while their lines are counted, so `make check` does it only
# when asked: `make check COVER=--cov`, as .ci/run does.
coverage: $(VENV)/.installed-dev ## Run the tests and show which lines they miss: build/coverage/index.html
	$(ONE_THREAD) $(PYTEST) $(QUICK) --cov --cov-report=term --cov-report=html

hooks: $(VENV)/.installed-dev ## Check format, lint, types and the subject at each commit
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group hooks
	$(BIN)/pre-commit install

slow: $(VENV)/.installed-slow $(LAB)/.installed java chromium ## Run the tests that take long
	$(PYTEST) -m 'slow and not browser' $(SELECT)
	$(BROWSER) -m 'browser and slow' tests/browser

lowest: $(VENV)/.installed-test ## Try the package with the lowest versions that pyproject.toml allows
	$(BIN)/pytest -m slow tests/test_distribution.py -k lowest

# Says which it found: one that is not on this machine is skipped by name.
pythons: $(VENV)/.installed-test ## Try the package on every Python that pyproject.toml names
	$(BIN)/pytest -v -rs -m slow tests/test_distribution.py -k on_python

# Spark runs on Java. Where it is lacking and may not be installed, Spark's tests say so and skip.
java:
	@command -v java >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get update -qq && apt-get install -qq --yes --no-install-recommends default-jre-headless; } \
		|| echo 'Java could not be installed: the tests and benchmarks of Spark will be skipped.' >&2

# Where it is lacking and may not be installed, this says so, and the browser tests say it again.
chromium:
	@command -v chromium chromium-browser >/dev/null \
		|| { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq \
			&& apt-get install -qq --yes --no-install-recommends chromium; } \
		|| echo 'There is no Chromium and it could not be installed: the browser tests will be skipped.' >&2

browser-test: $(LAB)/.installed chromium ## Drive the explorer in JupyterLab, Notebook and Voila, and print the report, with a real browser
	$(BROWSER) -m 'browser and not slow' tests/browser

explore: $(LAB)/.installed ## Open the explorer as a page for this computer alone, for those without Python
	cd notebooks/apps && JUPYTER_PATH=$(CURDIR)/notebooks/apps/share $(CURDIR)/$(LAB)/bin/voila explorer.ipynb

lab: $(LAB)/.installed ## Open the notebooks in JupyterLab
	$(LAB)/bin/jupyter-lab notebooks

notebooks: $(VENV)/.installed-test ## Run the notebooks anew, in place
	$(BIN)/python -m pip install --quiet --editable '.[static]'
	$(BIN)/python notebooks/execute.py

docs: $(DOCS)/.installed ## Build the site: build/site/index.html
	$(DOCS)/bin/python -m sphinx --fail-on-warning --keep-going --quiet -c docs -b html . build/site

bench: $(VENV)/.installed-engines java ## Measure, as ratios within one run
	$(BIN)/python -m benchmarks

data: $(VENV)/.installed ## Write DATA.md anew from the schema
	$(BIN)/python docs/data_page.py > DATA.md

clean: ## Remove what was installed and made
	rm -rf $(VENV) $(LAB) $(DOCS) build artifacts *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache report.html
