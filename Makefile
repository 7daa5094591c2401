# Hotline: `make up` runs everything on this machine, `make test` runs every test.

PYTHON ?= python3
PORT ?= 8000
DATA ?= $(CURDIR)/.hotline
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# As many test processes as cores; one test process beside each server would only make them wait for one another.
TEST_PROCESSES ?= auto

.PHONY: help install up test check format screenshots lock bench clean

help: ## Say what can be made.
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

up: install ## Start everything: PostgreSQL, Redis, web, worker, beat (PORT=8000 DATA=.hotline).
	@exec $(BIN)/hotline up --port "$(PORT)" --data "$(DATA)"

install: $(STAMPS)/assets ## Make .venv with the program and the page assets; start nothing.

test: $(STAMPS)/dev $(STAMPS)/assets $(STAMPS)/browser $(STAMPS)/axe ## Run every test on real PostgreSQL, Redis and a browser.
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadscope $(ARGS)

check: $(STAMPS)/dev ## Lint, types and import rules.
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint docker/Dockerfile

bench: install ## Measure speed, latency and memory beside their references; writes bench/latest.json.
	$(BIN)/python -m bench $(ARGS)

format: $(STAMPS)/dev ## Put the code into the house's format.
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

screenshots: $(STAMPS)/assets $(STAMPS)/browser ## Renew the README's pictures from a demo city (SCENES="call board" for some).
	$(BIN)/python tools/screenshots $(SCENES)

lock: $(STAMPS)/dev ## Renew the locked requirements from pyproject.toml.
	tools/lock

clean: ## Remove what was installed and built; data folders stay.
	rm -rf $(VENV) src/hotline/web/static/vendor

# A Python that is too old, or without venv, is said in one line before anything is made.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Hotline needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' || { echo "this Python has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "making $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(STAMPS)/run: $(VENV)/bin/python requirements-build.lock requirements.lock pyproject.toml
	@echo "installing Hotline and its locked requirements …"
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --require-hashes --no-build-isolation -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dev: $(STAMPS)/run requirements-dev.lock
	@echo "installing what the tests need …"
	@$(PIP) install --require-hashes --no-build-isolation -r requirements-dev.lock
	@touch $@

$(STAMPS)/assets: $(STAMPS)/run src/hotline/web/assets/package-lock.json src/hotline/web/assets/build.py $(wildcard src/hotline/web/translations/*/LC_MESSAGES/messages.po)
	@echo "building the page assets …"
	@$(BIN)/python -m hotline.web.assets.build
	@touch $@

# The judge of accessibility that browser tests run on each page.
$(STAMPS)/axe: $(STAMPS)/run src/hotline/web/assets/package-lock.json src/hotline/web/assets/build.py
	@$(BIN)/python -m hotline.web.assets.build --tests
	@touch $@

# Browser tests need Chromium and Chinese type: CHROMIUM=/path names one, otherwise the system's is found or installed.
$(STAMPS)/browser: tools/find-chromium $(STAMPS)/dev
	@tools/find-chromium > $@.new && mv $@.new $@
