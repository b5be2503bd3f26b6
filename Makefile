# Everything works from a bare machine with Python >= 3.11 and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# More than the cores of a small machine: most tests wait for processes, not for the processor.
WORKERS ?= 3
# Of each module compiled once, not once by every process that is started.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test check bench soak rows reference fixtures clean

demo: $(READY)
	$(BIN)/obsorb demo

test: $(READY)
	$(BIN)/pytest -n $(WORKERS) --dist loadfile -m "not alone"
	$(BIN)/pytest -m alone

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready-bench
	$(BIN)/python benchmarks/run.py

soak: $(READY)
	OBSORB_SOAK=1 $(BIN)/pytest -m soak

rows: $(READY)
	$(BIN)/python tests/specification/table.py

# FREEZE=--freeze keeps the snapshots of the interfaces as those of a release.
reference: $(READY)
	$(BIN)/python tests/interfaces/reference.py $(FREEZE)

fixtures: $(READY)
	$(BIN)/python tests/support/merge_fixtures.py

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "obsorb needs Python 3.11 or newer, which $(PYTHON) is not; give the path of one: make PYTHON=/path/to/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $(READY)

$(VENV)/.ready-bench: $(READY)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
