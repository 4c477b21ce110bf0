# Each target makes what it needs. PYTHON=python3.12 picks an interpreter, VENV=somewhere another place for the tools.
PYTHON ?= python3
VENV   ?= .venv
PY      = $(VENV)/bin/python
PYTEST  = $(PY) -m pytest -q

# PYTHONPATH could put another torsion, or another lane, before the one that was built.
unexport PYTHONPATH TORSION_PURE TORSION_POLLER
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test lint types build lanes test-interpreted test-compiled test-install test-pythons peers peers-oldest bench coverage clean
.NOTPARALLEL:

demo: build
	@$(PY) examples/demo.py

# The compiled lane is last: CI reads the closing line.
test: lint types build-required test-install peers lanes

lint: $(VENV)/.ready
	@echo "== ruff"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.ready
	@echo "== mypy"
	@$(PY) -m mypy

# Always asked: whether something is to be compiled is decided by content, which make cannot see.
build: $(VENV)/.ready
	@$(PY) setup.py -q build_ext --inplace

.PHONY: build-required
build-required: $(VENV)/.ready
	@echo "== build"
	@TORSION_REQUIRE_COMPILED=1 $(PY) setup.py -q build_ext --inplace

lanes: test-interpreted test-compiled

test-interpreted: build-required
	@echo "== tests, interpreted lane"
	@TORSION_PURE=1 $(PYTEST)

test-compiled: build-required
	@echo "== tests, compiled lane"
	@$(PYTEST)

# From the sdist into fresh environments: compiled; and, without a compiler, interpreted.
test-install: $(VENV)/.ready
	@echo "== installations"
	@$(PYTEST) -o faulthandler_timeout=0 tests/install

peers: build-required
	@echo "== Twisted's own tests, on Twisted and on Torsion"
	@$(PY) tests/peers/surface.py
	@$(PY) tests/peers/compare.py --all-modules

# The oldest Twisted that we promise to work with has an environment of its own.
OLDEST = $(VENV)-oldest
peers-oldest: build-required $(OLDEST)/.ready
	@PYTHONPATH=src $(PY) tests/peers/surface.py --python $(OLDEST)/bin/python

$(OLDEST)/.ready:
	@$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -q "twisted[tls]==24.3.0" setuptools
	@touch $@

# Both lanes on every other supported interpreter that is found on PATH or with pyenv.
test-pythons:
	@for version in 3.11 3.12 3.13 3.14; do \
	  python=$$(command -v python$$version || ls $$HOME/.pyenv/versions/$$version.*/bin/python$$version 2>/dev/null | tail -n 1); \
	  if [ -n "$$python" ] && "$$python" -c '' 2>/dev/null; then echo "=== Python $$version: $$python"; \
	    $(MAKE) --no-print-directory PYTHON="$$python" VENV=.venv-$$version lanes || exit 1; \
	  else echo "=== Python $$version: not found"; fi; \
	done

bench: build-required
	@$(PY) benchmarks/run.py
	@$(PY) benchmarks/network.py

# The interpreted lane is what coverage can see.
coverage: build
	@TORSION_PURE=1 $(PY) -m coverage run -m pytest -q
	@$(PY) -m coverage report

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Torsion needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "== tools into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -qq "setuptools>=77" wheel "Cython>=3.1"
	@$(PY) -m pip install -qq --no-build-isolation -e ".[dev,peers]"
	@touch $@

clean:
	rm -rf build dist .venv .venv-* src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov .coverage
	find src -name '*.so' -delete -o -name _interpreted.txt -delete
	find src tests benchmarks examples -depth -name __pycache__ -exec rm -rf {} +
