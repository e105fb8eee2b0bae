# Everything a person or a machine runs here. A fresh machine needs git, make and Python 3.11 or newer; `make run` and `make test` bring the rest.

PYTHON ?= python3
BIN := .venv/bin
SHARED := -n logical --maxprocesses 4 --dist loadfile  # the files of tests among processes, one a processor
SIZE ?= small
PEERS ?= usual
UV := $(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python

help:                ## what can be made
	@sed -n 's/^\([a-z.]*\): .*## /\1\t/p; s/^\([a-z.]*\):  *## /\1\t/p' $(MAKEFILE_LIST) | expand -t 16

run: .venv           ## serve on http://127.0.0.1:8000 with a demo organization; Ctrl-C stops
	@exec $(BIN)/relaties serve

test: .venv/test     ## the tests
	@$(BIN)/pytest $(SHARED)

check: .venv/test    ## format, linters, language, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/python -m tests.style.check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

interop: .venv/test  ## the tests that need other software; installs it where it may
	@tests/interop/install
	@$(BIN)/pytest -m 'interop and not proof' $(SHARED) --no-loadscope-reorder

proof: .venv/test    ## the long proofs: full counts, large data, kills, whole installations; installs what they need where it may
	@tests/interop/install
	@$(BIN)/pytest -m proof

docs: .venv/test     ## generate docs/reference from the code
	@$(BIN)/python -m tests.docs.reference

graphiql:            ## build GraphiQL into server/graphiql/assets; needs Node 20.19 or newer
	@cd server/graphiql && npm ci --silent && npm run --silent build

# Builds of one Python differ in speed: Debian's is optimized, and is 12 to 19 % faster than one that is not. PYTHON=... still chooses another.
bench: PYTHON := $(or $(if $(filter file,$(origin PYTHON)),$(wildcard /usr/bin/python3.11)),$(PYTHON))
bench: .venv/test    ## measure beside peers; SIZE=large, PEERS=all; installs what it needs; a machine that does nothing else
	@[ "$$(readlink -f $(BIN)/python)" = "$$(readlink -f "$$(command -v $(PYTHON))")" ] || echo "Note: .venv is not of $(PYTHON); remove it to measure with that."
	@benchmarks/peers/install
	@$(BIN)/python -m benchmarks.compare --size $(SIZE) --peers $(PEERS) $(BENCH)

.venv: .venv/run     ## set up only

# uv comes by pip with its hash; it then installs the locked packages about ten times as fast as pip would.
.venv/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Relaties needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/uv.txt
	@touch $@

.venv/run: requirements/run.txt pyproject.toml .venv/uv
	@echo "Installing the locked packages into .venv ..."
	@$(UV) --require-hashes -r requirements/run.txt
	@$(UV) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test: requirements/test.txt .venv/run
	@$(UV) --require-hashes -r requirements/test.txt
	@touch $@

COMPILE := $(BIN)/uv pip compile --quiet --system-certs --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

lock: .venv/uv       ## lock the newest packages that pyproject.toml allows: every platform, all hashes, no addresses
	@$(COMPILE) --upgrade pyproject.toml --group build -o requirements/run.txt
	@$(COMPILE) --upgrade pyproject.toml --group build --group test -c requirements/run.txt -o requirements/test.txt
	@echo "uv==$$($(BIN)/uv --version | cut -d' ' -f2)" | $(COMPILE) - -o requirements/uv.txt

.DEFAULT_GOAL := help
.PHONY: help run test check interop proof bench docs graphiql lock .venv
