# Everything that a developer does, each with its own set-up. Needs git, make and Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= auto

.PHONY: demo test test-slow test-agents lint check bench docs lock clean

demo: $(VENV)/ready
	$(BIN)/orchd demo

test: $(VENV)/ready
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

test-slow: $(VENV)/ready
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m slow --timeout 600

# Installs the real agent programs into a cache folder (about 1.1 GB) and runs them with a scripted model, off the network.
test-agents: $(VENV)/ready
	$(BIN)/python tests/agents/real_programs.py install
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m real_agents -rs tests/agents

lint: $(VENV)/ready
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/shape.py src

check: lint test

bench: $(VENV)/ready
	$(BIN)/python bench/measure.py

docs: $(VENV)/ready
	$(BIN)/python -m orchd.adapters.schema_docs docs

# The lock names exact versions and hashes and no registry. `pip install uv` brings the tool.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
		--upgrade --group dev pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
