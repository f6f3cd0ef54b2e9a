# Everything here needs Python 3.11 or newer, make and git; the rest is fetched into .venv.
# With another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
# What `make bench` measures of the hot path: benchmarks/README.md tells the options.
HOTPATH ?= --scaling
VENV := .venv
# Apart, as independent implementations that tests compare with hold pandas back.
BENCH := build/bench
BIN := $(VENV)/bin
RUN := $(BIN)/python -m

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo test bench docs clean

help:
	@echo "make demo    install the package, print the report on generated sample data, write report.html"
	@echo "make test    install the tools and run everything that CI runs"
	@echo "make bench   compare speed with other libraries, side by side"
	@echo "make docs    build the documentation into build/docs"
	@echo "make clean   remove the virtual environment, builds and caches"

demo: $(VENV)/.core
	@$(BIN)/salesfunnel demo --out report.html

test: $(VENV)/.tools
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(BIN)/lint-imports --no-logo
	$(RUN) sphinx -q -W --keep-going docs build/docs
	$(RUN) pytest --numprocesses auto --dist loadfile

# What the tests are set up with (conftest.py) is not installed here, and not needed.
# One peer is of the tests' environment.
bench: $(BENCH)/.bench $(VENV)/.tools
	$(BENCH)/bin/python -m benchmarks.hotpath $(HOTPATH)
	$(BENCH)/bin/python -m pytest --noconftest --capture no benchmarks
	$(RUN) benchmarks.bench_survival

docs: $(VENV)/.tools
	$(RUN) sphinx -q -W --keep-going docs build/docs
	@echo "open build/docs/index.html"

clean:
	rm -rf $(VENV) build dist report.html .benchmarks .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# A stamp is made when its installation is complete, and again when pyproject.toml changes.

$(VENV)/.core: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "error: '$(PYTHON)' is no Python 3.11 or newer; name one that is: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: '$(PYTHON)' cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --editable '.[report]'
	@touch $@

# Dependency groups need pip 25.1, newer than what many a Python brings.
$(VENV)/.tools: $(VENV)/.core
	$(RUN) pip install --quiet "pip>=25.1"
	$(RUN) pip install --quiet --group test --group lint --group docs
	@touch $@

$(BENCH)/.bench: pyproject.toml
	test -x $(BENCH)/bin/pip || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/pip install --quiet "pip>=25.1"
	$(BENCH)/bin/pip install --quiet --editable . --group bench
	@touch $@
