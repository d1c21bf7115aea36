# Two commands matter: `make demo` and `make test`. Each sets up all it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=

.PHONY: demo test test-full lint format bench lock clean help

help:
	@echo "make demo       set up, then run a registered pilot and print where its report is (about 3 minutes)"
	@echo "make test       set up, then run the tests (under 10 minutes)"
	@echo "make test-full  and the slow ones: whole trials, browsers, both pilots"
	@echo "make lint       ruff, mypy --strict, import contracts, workspace check"
	@echo "make bench      the performance ratios of docs/performance.md"
	@echo "make lock       pin the dependencies again"

# ── set-up ────────────────────────────────────────────────────────────────────
$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; found " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.lock pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

.PHONY: environments
environments: $(VENV)/.runtime
	@$(BIN)/harness prepare --all

# ── the main job ──────────────────────────────────────────────────────────────
# A verdict of "worse" (3) or none (4) is a result of the demo, not a failure of it.
demo: environments
	@$(BIN)/harness register registrar-appointments
	@$(BIN)/harness run registrar-appointments --abandon || { code=$$?; test $$code = 3 -o $$code = 4; }

# ── tests ─────────────────────────────────────────────────────────────────────
test: $(VENV)/.dev environments
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-full: $(VENV)/.dev environments
	.ci/browser
	$(BIN)/python -m pytest --full $(PYTEST_ARGS)

bench: $(VENV)/.dev environments
	$(BIN)/python -m pytest --full tests/benchmarks --benchmark-only $(PYTEST_ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check harness tests
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/harness check

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format harness tests

lock: $(VENV)/.runtime
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock

# The ledger (.harness/ledger.db) is the programme's record and stays.
clean:
	rm -rf $(VENV) .harness/environments .harness/runs .harness/prepare reports/site
