# Bare `make` lists the targets.
PYTHON ?= python3
VENV := .venv
GRADER := $(VENV)/bin/grader

.PHONY: help setup grade grade-solutions test test-all lint types build dist bench bench-compare clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(VENV)/.tests  ## set up .venv with all that the tests need, and no more

# The package in an environment of its own, with the pinned versions. Made anew when they change. First what
# grading needs; what tests it is more than as much again, and waits for a target that asks for it. Python's own
# pip may be old: a command that it installs begins with an import that takes as long as a check's own.
INSTALL := $(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt

$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "grader needs Python 3.11 or newer: make PYTHON=python3.12"; exit 2; }
	@echo "Setting up, once: 1 of 3, an environment of its own in $(VENV)/"
	@$(PYTHON) -m venv $(VENV)
	@$(INSTALL) "$$(grep -o '^pip==.*' constraints.txt)"
	@echo "Setting up, once: 2 of 3, torch, by far the largest part"
	@$(INSTALL) "$$(grep -o '^torch==.*' constraints.txt)"
	@echo "Setting up, once: 3 of 3, the grader and the small packages that it needs"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.tests: $(VENV)/.ready
	@echo "Setting up, once: what the tests need"
	@$(INSTALL) -e '.[dev]'
	@touch $@

# the set that is graded: `make grade SET=gpt`; `SET=all` every set
SET ?= backprop

grade: $(VENV)/.ready  ## grade your exercises/
	@$(GRADER) check $(filter-out all,$(SET)) --progress

grade-solutions: $(VENV)/.ready  ## grade solutions/: what success looks like
	@$(GRADER) check $(filter-out all,$(SET)) --solutions

# Hundreds of processes import the same modules: where a machine has it that Python keeps none compiled, each
# of them would compile all anew.
unexport PYTHONDONTWRITEBYTECODE

# Whoever of the workers is done takes what is left from another.
PYTEST := $(VENV)/bin/python -m pytest -n logical --maxprocesses 4 --dist worksteal

test: $(VENV)/.tests  ## run the test suite but for what is slow
	$(PYTEST) -m "not slow"

# PART=1/8: one in eight of it, spread over each long list
test-all: $(VENV)/.tests  ## run the rest of it: what is slow, and many more examples of each property
	GRADER_TEST_PART=$(PART) $(PYTEST) -m "slow or hypothesis" --hypothesis-profile thorough

.PHONY: test-tools coverage docs pictures

test-tools:  ## install what some tests run: a browser, shells, man
	@$(PYTHON) tests/tools.py

coverage: $(VENV)/.tests  ## run it and count the lines that were run, children's too
	$(VENV)/bin/python scripts/coverage_figures.py -n 2 --dist worksteal $(TESTS)

lint: $(VENV)/.tests  ## ruff: style and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check grader tests scripts benchmarks

types: $(VENV)/.tests  ## mypy, strict, the tests too
	$(VENV)/bin/mypy

# What the site needs is set up by itself, when it is first asked for.
$(VENV)/.docs: $(VENV)/.ready
	@echo "Setting up, once: what the documentation needs"
	@$(INSTALL) -e '.[docs]'
	@touch $@

docs: $(VENV)/.docs  ## build the documentation site into build/site/; a broken link is an error
	$(VENV)/bin/python -m sphinx -c docs -b html -W --keep-going -E -q . build/site
	@echo build/site/index.html

pictures: $(VENV)/.tests  ## make the README's pictures anew, from real runs
	$(VENV)/bin/python scripts/pictures.py

build: $(VENV)/.ready  ## derive stubs and fixtures from solutions/
	@$(GRADER) build

dist: $(VENV)/.tests  ## build the wheel and the sdist into dist/
	$(VENV)/bin/python -m build --no-isolation

# where the results go: `make bench RESULTS=old.json`
RESULTS ?= bench.json

bench: $(VENV)/.tests  ## measure, as ratios
	@$(VENV)/bin/python -m benchmarks --out $(RESULTS)

# also `make bench-compare old.json new.json`: the words after it, which are no targets of ours
OLD ?= $(word 2,$(MAKECMDGOALS))
NEW ?= $(word 3,$(MAKECMDGOALS))

bench-compare: $(VENV)/.tests  ## OLD=a.json NEW=b.json: two results as ratios
	@$(VENV)/bin/python -m benchmarks --compare $(OLD) $(NEW)

clean:  ## remove what was set up
	rm -rf $(VENV) build dist *.egg-info
