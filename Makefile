# Everything a contributor or a user types. `make up` and `make test` work on a bare machine with Python and Go.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup gke coreweave up down test check lint bench lock

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

gke: .venv/.gke ## What stacks that make a GKE cluster need beside: Google's SDK (14 MB, and a plugin of 300 MB at the next `pulumi up`)

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
	@$(BIN)/pytest

check: $(STAMP) gke coreweave lint ## Format, lint, types and the fast tests
	@$(BIN)/pytest -m "not engine"

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

bench: setup ## Preview, up and check against their peers; writes bench.json
	@$(BIN)/python -m bench --output bench.json

lock: ## Resolve requirements.lock anew (needs uv); requirements-gke.lock and -coreweave.lock are one SDK each, which needs nothing else
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet --output-file requirements.lock
