# Everything a contributor or a user types. `make up` and `make test` work on a bare machine with Python and Go.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Two processes for each of two cores, because half of an engine test is waiting; tests of one control plane stay together (tests/conftest.py).
WORKERS ?= 4
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup gke coreweave up down test check lint docs bench lock

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 16

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or later with venv is needed (Debian: apt install python3-venv); name it with PYTHON=…" >&2; exit 1; }
	@echo "installing Python packages into .venv …"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.gke: requirements-gke.lock $(STAMP)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-gke.lock
	@touch $@

gke: .venv/.gke ## What stacks that make a GKE cluster need beside: Google's SDK (20 MB, and a plugin of 300 MB at the next `pulumi up`)

.venv/.coreweave: requirements-coreweave.lock $(STAMP)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-coreweave.lock
	@touch $@

coreweave: .venv/.coreweave ## What stacks that make a CoreWeave cluster need beside: CoreWeave's SDK (a plugin comes at the next `pulumi up`)

setup: $(STAMP) ## Python packages and the tools of a rehearsal (minutes the first time)
	@$(BIN)/llmd-pd setup

up: setup ## Deploy the guide to an embedded fleet and say what runs where
	@$(BIN)/llmd-pd rehearse Pulumi.rehearsal.yaml --keep

down: $(STAMP) ## Remove what `make up` started
	@$(BIN)/llmd-pd down

test: setup gke coreweave lint ## Every check and every test (engine tests take minutes)
	@$(PYTEST)

check: $(STAMP) gke coreweave lint ## Format, lint, types and the fast tests
	@$(PYTEST) -m "not engine"

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

docs: $(STAMP) ## Write the tables of docs/stack-files.md, which are made of the rules, and the README's picture
	@$(BIN)/python -m tests.docs
	@$(BIN)/python docs/picture.py

bench: setup ## Preview, up and check against their peers; writes bench.json
	@$(BIN)/python -m tests.speed --output bench.json

COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

lock: ## Resolve the lock files anew (needs uv); those of the extras are what each needs beside requirements.lock
	$(COMPILE) --extra dev --output-file requirements.lock
	for extra in gke coreweave; do \
	  $(COMPILE) --extra $$extra --constraint requirements.lock --output-file requirements-$$extra.lock \
	    $$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' requirements.lock) || exit; done
