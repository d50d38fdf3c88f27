# docctl: `make run` serves the sample organisation, `make test` proves it. Needs Python 3.11 to 3.13 and make; faster with uv.
PORT ?= 8000
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)
# The machine's own certificates count for uv too, as they do for pip.
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help run test test-all bench lint lock reference messages clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort

run: $(VENV)/.run ## Serve the sample organisation on http://127.0.0.1:$(PORT)
	@$(BIN)/docctl demo
	@echo "Sign in at http://127.0.0.1:$(PORT) as author, reviewer, format-reviewer, approver, controller, staff, auditor or admin."
	@echo "Their password was printed when the sample organisation was loaded; set DOCCTL_DEMO_PASSWORD before the first run to choose it."
	@exec $(BIN)/docctl serve --port $(PORT)

test: $(VENV)/.test ## Run every test that needs nothing but the clone and what make installed
	$(BIN)/python -m pytest -n auto -m "not browser and not race and not kill and not large" $(ARGS)

test-all: $(VENV)/.test ## Run every test, the slow ones too: browser, races, kill loops, large imports
	$(BIN)/python -m pytest $(ARGS)

bench: $(VENV)/.test ## Measure, printed as ratios, and written as JSON to benchmarks/results/
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.files
	$(BIN)/python -m benchmarks.papers
	$(BIN)/python -m benchmarks.in_force

lint: $(VENV)/.test ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: ## Pin every dependency with its hash, for pip and uv alike (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra test --extra postgresql --extra tantivy pyproject.toml -o requirements-test.txt

reference: $(VENV)/.test ## Write the README's reference tables from the code
	$(BIN)/python -m tests.test_promises

messages: $(VENV)/.test ## Collect the texts of the pages into the Vietnamese catalogue
	$(BIN)/python -m docctl.translations

clean: ## Remove the environment; the storage folder stays
	rm -rf $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml
	$(call install,requirements.txt)
	@touch $@

$(VENV)/.test: requirements-test.txt pyproject.toml
	$(call install,requirements-test.txt)
	@touch $@ $(VENV)/.run

# Installs a lock, every package checked against its hash, and this checkout itself as editable.
define install
	@test -n "$(PYTHON)" || { echo "docctl needs Python 3.11, 3.12 or 3.13. Install one, or say make PYTHON=/path/to/python." >&2; exit 1; }
	@test -x $(BIN)/python || $(if $(UV),uv venv -q --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
	$(if $(UV),uv pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q --disable-pip-version-check) --require-hashes -r $(1)
	$(if $(UV),uv pip install -q --python $(BIN)/python,$(BIN)/python -m pip install -q --disable-pip-version-check) --no-deps -e .
endef
