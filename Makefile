# One command trains, one tests; both set themselves up first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := benchmarks/.venv
INSTALLED := $(VENV)/.installed

.PHONY: setup train serve test chaos team lint format lock bench bench-scale clean

train: setup  ## train on data/digits.csv and print where the report is
	$(BIN)/digits train

serve: setup  ## a Prefect server, the deployments and a worker until Ctrl-C; PORT=4201 HOST=0.0.0.0 NAMES=a.example
	@exec $(BIN)/digits serve $(if $(PORT),--port $(PORT)) $(if $(HOST),--host $(HOST)) $(if $(NAMES),--names $(NAMES))

setup: $(INSTALLED)  ## create .venv with the locked dependencies and this project

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; try: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (a minute or two, once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

test: setup  ## run all tests, three files at a time: they wait a lot for other processes
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

chaos: setup  ## kill N real runs at random moments (N=200)
	$(BIN)/python -m pytest tests/test_chaos.py -k killed -s --kills $(or $(N),200)

team: setup  ## N runs at once on PostgreSQL and two workers, one of them killed (N=20)
	$(BIN)/python -m pytest tests/test_team.py -s --together $(or $(N),20)

lint: setup  ## style, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: setup  ## apply style and format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: setup  ## resolve requirements.lock from pyproject.toml again
	$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --quiet \
	  --upgrade --extra dev --python-version 3.11 --custom-compile-command "make lock" \
	  --output-file requirements.lock pyproject.toml

bench: $(BENCH)/.installed  ## measure side by side with PyTorch, scikit-learn and polars
	$(BENCH)/bin/python -m benchmarks

bench-scale: setup  ## whole runs over 10 thousand to 2 million rows: rows a second, peak memory
	$(BIN)/python -m benchmarks.scale

$(BENCH)/.installed: benchmarks/requirements.txt
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

clean:  ## remove the environment and caches, keep artifacts
	rm -rf $(VENV) $(BENCH) .mypy_cache .ruff_cache .pytest_cache
