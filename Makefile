# Everything that is done with this checkout. `make help` lists it.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := $(VENV)/.bench

.DEFAULT_GOAL := help
.PHONY: help demo test coverage test-cluster test-whoosh3 lint format bench bench-app bench-relevance man picture clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "searchfeed needs Python 3.11 or later; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(STAMP)  ## set up, index the fixtures into index/ and search them
	@$(BIN)/searchfeed --index index index fixtures
	@$(BIN)/searchfeed --index index search migrant resource centre

test: $(STAMP)  ## run the checks and the whole test suite
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n auto --dist worksteal

coverage: $(STAMP)  ## run the test suite and tell which lines it does not reach
	$(BIN)/python -m pytest -n auto --dist worksteal --cov --cov-report=term

test-cluster: $(STAMP)  ## run the tests of the engine in a cluster, on three real servers
	$(BIN)/python -m benchmarks.cluster --nodes 3 -- $(BIN)/python -m pytest -n 2 --dist worksteal \
	  -o timeout=1200 -k 'opensearch or cluster' tests/test_engine_contract.py tests/test_folding.py \
	  tests/test_facets.py tests/test_explain.py tests/test_language.py tests/cluster
	SEARCHFEED_TEST_SECURITY=1 $(BIN)/python -m pytest tests/cluster/test_security.py
	SEARCHFEED_TEST_FAILURES=$(or $(FAILURES),1) $(BIN)/python -m pytest tests/cluster/test_failures.py -s

test-whoosh3: $(STAMP)  ## run the tests of the engine on whoosh3, which a user may bring instead
	@test -x .venv-whoosh3/bin/python || $(PYTHON) -m venv .venv-whoosh3
	.venv-whoosh3/bin/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	.venv-whoosh3/bin/python -m pip uninstall --quiet --yes whoosh
	.venv-whoosh3/bin/python -m pip install --quiet --force-reinstall --no-deps whoosh3==3.54.0
	.venv-whoosh3/bin/python -m pytest -n auto tests/test_engine_contract.py tests/test_columnar.py \
	  tests/test_index.py tests/test_main_job.py

lint: $(STAMP)  ## ruff, mypy --strict and the import rule
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## let ruff put the code in order
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

$(BENCH): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(BENCH)  ## measure speed beside peers, on the feeds in FEEDS (options in ARGS)
	$(BIN)/python -m benchmarks.speed $(FEEDS) $(ARGS)

bench-app: $(BENCH)  ## measure how soon the app shows what is typed (options in ARGS)
	$(BIN)/python -m benchmarks.app $(FEEDS) $(ARGS)

bench-relevance: $(BENCH)  ## measure nDCG@10 beside peers, on the collections in IR (options in ARGS)
	$(BIN)/python -m benchmarks.relevance $(IR) $(ARGS)

picture: $(STAMP)  ## make the README's picture anew from the app as it runs
	$(BIN)/python -m docs.picture

man: $(STAMP)  ## make the man page anew from the help of the commands
	$(BIN)/python -m docs.manual

clean:  ## remove the virtual environment, caches and what the demo made
	rm -rf $(VENV) .venv-whoosh3 .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage*
	find index -mindepth 1 ! -name .gitignore -delete
