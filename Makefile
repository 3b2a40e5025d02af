# A fresh machine needs Python 3.11+ with pip and venv, and make. Everything else is set up here.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := .make
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder
export PIP_DISABLE_PIP_VERSION_CHECK := 1
PAGE := $(shell find web hatch_build.py -type f -not -path '*/node_modules/*' 2>/dev/null)

.PHONY: run test test-all quick check docs format types clean lock

run: $(STAMP)/page
	@$(BIN)/python scripts/forget_kernels.py
	$(BIN)/powderkeg up BTC ETH SOL

test test-all quick check: export POWDERKEG_OFFLINE = 1

test test-all: $(STAMP)/dev $(STAMP)/page $(STAMP)/chromium
	@$(BIN)/python scripts/forget_kernels.py
	cd web && PATH="$$(../$(BIN)/python ../scripts/node_path.py):$$PATH" npm test --silent
	$(PYTEST) --durations=20 $(CHOSEN)

test: CHOSEN = -m "not slow and not soak"

quick: $(STAMP)/dev $(STAMP)/page
	@$(BIN)/python scripts/forget_kernels.py
	$(PYTEST) -m "not slow and not browser and not soak"

check: $(STAMP)/dev $(STAMP)/page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	cd web && PATH="$$(../$(BIN)/python ../scripts/node_path.py):$$PATH" npm run check --silent
	$(BIN)/zensical build --clean --strict

docs: $(STAMP)/dev
	$(BIN)/zensical build --clean

format: $(STAMP)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The page's types of answers and messages, from the server's records; a test compares them.
types: $(STAMP)/dev
	PYTHONPATH=src $(BIN)/python scripts/make_types.py

lock: $(STAMP)/dev
	$(BIN)/python scripts/lock.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMP)/run: requirements/run.txt requirements/build.txt requirements/node.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --no-compile --no-deps --require-hashes -r requirements/run.txt -r requirements/build.txt
	command -v npm >/dev/null || $(BIN)/python -m pip install -q --require-hashes -r requirements/node.txt
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/dev: requirements/dev.txt $(STAMP)/run
	$(BIN)/python -m pip install -q --require-hashes -r requirements/dev.txt
	@touch $@

# The hatchling hook builds the page into the package where web/ has changed. Kernels are compiled
# beside it, or read from their cache.
$(STAMP)/page: $(STAMP)/run pyproject.toml $(PAGE)
	PYTHONPATH=src $(BIN)/python scripts/warm.py & warm=$$!; \
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e . && wait $$warm
	@touch $@

$(STAMP)/chromium: | $(STAMP)/run
	sh scripts/chromium.sh
	@touch $@

clean:
	rm -rf $(VENV) $(STAMP) site web/node_modules src/powderkeg/static
