# What a person runs here. Nothing but Python 3.11+ needs to be there; `make demo` also works without git.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
RUNS ?= 11

.PHONY: demo test packages lint bench golden clean

demo: $(VENV)/.demo  ## run the mobile-app example here
	CIBUS=$(abspath $(BIN)/cibus) sh examples/demo.sh

test: packages lint  ## ruff, mypy, and all tests with the golden comparison
	$(BIN)/python -m pytest

packages:  ## the system packages that the tests need, where this is root on Debian or Ubuntu
	sh tests/hosts/packages.sh

lint: $(VENV)/.all
	$(BIN)/ruff check
	$(BIN)/mypy
	PATH="$(abspath $(BIN)):$$PATH" ANSIBLE_CONFIG=playbooks/ansible.cfg $(BIN)/ansible-lint --offline -q playbooks

golden: $(VENV)/.all  ## compare with what a real Jenkins did, with the differences
	$(BIN)/python tests/tools/golden.py --cibus $(BIN)/cibus --jobs 2 --show tests/golden

bench: $(VENV)/.all  ## measure start-up and steps, and the export of a controller's configuration, areas and their factors, machines over SSH, probes, and a handbook
	$(BIN)/python benchmarks/bench.py --runs $(RUNS)
	$(BIN)/python benchmarks/jobs.py
	$(BIN)/python benchmarks/monitor.py
	$(BIN)/python benchmarks/owners.py
	-$(BIN)/python benchmarks/ssh.py
	-$(BIN)/python benchmarks/agents.py
	$(BIN)/python benchmarks/probes.py
	$(BIN)/python benchmarks/handbook.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer found; install one, or give PYTHON=/path/to/python3" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "make: $(PYTHON) cannot make a virtual environment; install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[jvm]'
	@touch $@

$(VENV)/.all: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -e '.[jvm,agents,monitor,handbook,test,dev]'
	@touch $@ $(VENV)/.demo
