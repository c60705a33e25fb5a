# Bare `make` lists the targets.
PYTHON ?= python3
VENV := .venv
GRADER := $(VENV)/bin/grader

.PHONY: help setup grade grade-solutions test test-all lint types build dist bench bench-compare clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.ready  ## set up .venv, and no more

# The package in an environment of its own, with the pinned versions. Made anew when they change.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "grader needs Python 3.11 or newer: make PYTHON=python3.12"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt "$$(grep -o '^torch==.*' constraints.txt)"
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# the set that is graded: `make grade SET=gpt`
SET ?= backprop

grade: $(VENV)/.ready  ## grade your exercises/
	@$(GRADER) check $(SET) --progress

grade-solutions: $(VENV)/.ready  ## grade solutions/: what success looks like
	@$(GRADER) check $(SET) --solutions

# Whoever of the workers is done takes what is left from another.
PYTEST := $(VENV)/bin/python -m pytest -n logical --maxprocesses 4 --dist worksteal

test: $(VENV)/.ready  ## run the test suite but for what is slow
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.ready  ## run the rest of it: what is slow, and many more examples of each property
	$(PYTEST) -m "slow or hypothesis" --hypothesis-profile thorough

.PHONY: test-tools coverage docs

test-tools:  ## install what some tests run: a browser, shells, man
	@$(PYTHON) tests/tools.py

coverage: $(VENV)/.ready  ## run it and count the lines that were run, children's too
	$(VENV)/bin/python scripts/coverage_figures.py -n 2 --dist worksteal $(TESTS)

lint: $(VENV)/.ready  ## ruff: style and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check grader tests scripts benchmarks

types: $(VENV)/.ready  ## mypy, strict, the tests too
	$(VENV)/bin/mypy

# What the site needs is set up by itself, when it is first asked for.
$(VENV)/.docs: $(VENV)/.ready
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs  ## build the documentation site into build/site/; a broken link is an error
	$(VENV)/bin/python -m sphinx -c docs -b html -W --keep-going -E -q . build/site
	@echo build/site/index.html

build: $(VENV)/.ready  ## derive stubs and fixtures from solutions/
	@$(GRADER) build

dist: $(VENV)/.ready  ## build the wheel and the sdist into dist/
	$(VENV)/bin/python -m build --no-isolation

# where the results go: `make bench RESULTS=old.json`
RESULTS ?= bench.json

bench: $(VENV)/.ready  ## measure, as ratios
	@$(VENV)/bin/python -m benchmarks --out $(RESULTS)

# also `make bench-compare old.json new.json`: the words after it, which are no targets of ours
OLD ?= $(word 2,$(MAKECMDGOALS))
NEW ?= $(word 3,$(MAKECMDGOALS))

bench-compare: $(VENV)/.ready  ## OLD=a.json NEW=b.json: two results as ratios
	@$(VENV)/bin/python -m benchmarks --compare $(OLD) $(NEW)

clean:  ## remove what was set up
	rm -rf $(VENV) build dist *.egg-info
