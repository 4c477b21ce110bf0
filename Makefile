# Each target makes what it needs. PYTHON=python3.12 picks an interpreter, VENV=somewhere another place for the tools.
PYTHON ?= python3
VENV   ?= .venv
PY      = $(VENV)/bin/python
PYTEST  = $(PY) -m pytest -q

# PYTHONPATH could put another torsion, or another lane, before the one that was built.
unexport PYTHONPATH TORSION_PURE TORSION_POLLER
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test lint types docs build lanes fuzz soak test-interpreted test-compiled test-install test-pythons peers peers-core peers-differ peers-oldest peers-older bench coverage clean
.NOTPARALLEL:

demo: build
	@$(PY) examples/demo.py

# The compiled lane is last: CI reads the closing line.
test: lint types docs build-required test-install peers-oldest peers-core lanes

lint: $(VENV)/.ready
	@echo "== ruff"
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

types: $(VENV)/.ready
	@echo "== mypy"
	@$(PY) -m mypy
	@TORSION_PURE=1 $(PY) -m mypy.stubtest --mypy-config-file pyproject.toml torsion.core.deferred

# The documents and the reference as a site, in build/site; a warning is an error.
docs: $(VENV)/.ready
	@echo "== documents"
	@TORSION_PURE=1 $(PY) -m mkdocs build -q

# Always asked: whether something is to be compiled is decided by content, which make cannot see.
build: $(VENV)/.ready
	@$(PY) setup.py -q build_ext --inplace

.PHONY: build-required
build-required: $(VENV)/.ready
	@echo "== build"
	@TORSION_REQUIRE_COMPILED=1 $(PY) setup.py -q build_ext --inplace

# Both at the same time: a lane keeps one processor busy. The compiled one is told of last.
lanes: build-required clients
	@$(PY) tests/lanes.py interpreted compiled

# What tests use as the other end; at once if all of it is there.
.PHONY: clients
clients:
	@sh tests/real_clients.sh

test-interpreted: build-required clients
	@$(PY) tests/lanes.py interpreted

test-compiled: build-required clients
	@$(PY) tests/lanes.py compiled

# From the sdist into fresh environments: compiled; and, without a compiler, interpreted.
test-install: $(VENV)/.ready
	@echo "== installations"
	@$(PYTEST) -o faulthandler_timeout=0 tests/install

# All of Twisted's own tests and treq's, in both lanes; ends with a table for docs/twisted.md.
peers: peers-core peers-differ
	@echo "== all of Twisted's own tests, on Twisted and on Torsion"
	@$(PY) tests/peers/compare.py --lane compiled --lane interpreted --suite all --table

# The part of it that CI asks for.
peers-core: build-required
	@echo "== Twisted's own tests of its core, on Twisted and on Torsion"
	@$(PY) tests/peers/surface.py
	@$(PYTEST) tests/peers
	@$(PY) tests/peers/compare.py --lane compiled --suite core

# Random programs on Twisted and on Torsion, in both lanes. SEED=n begins elsewhere, PROGRAMS=n takes more or fewer.
SEED     ?= 1
PROGRAMS ?= 10000
peers-differ: build-required
	@echo "== random programs, on Twisted and on Torsion"
	@$(PY) tests/peers/differ/differ.py --seed $(SEED) --programs $(PROGRAMS)
	@TORSION_PURE=1 $(PY) tests/peers/differ/differ.py --seed $(SEED) --programs $(PROGRAMS)

# The oldest Twisted that we promise to work with has an environment of its own.
OLDEST = $(VENV)-oldest
peers-oldest: build-required $(OLDEST)/.ready
	@PYTHONPATH=src $(PY) tests/peers/surface.py --python $(OLDEST)/bin/python

$(OLDEST)/.ready:
	@$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -q "twisted[tls]==24.3.0" setuptools
	@touch $@

# The tests that an older version brought along: TWISTED=25.5.0 picks one, SUITE=all takes more than the core, and today's
# treq with it. They ask pyOpenSSL for what newer ones lack.
TWISTED = 24.3.0
SUITE   = core
OLDER   = $(VENV)-older-$(TWISTED)
peers-older: build-required $(OLDER)/.ready
	@PYTHONPATH=src $(PY) tests/peers/compare.py --python $(OLDER)/bin/python --lane compiled --suite $(SUITE)

$(OLDER)/.ready:
	@$(PYTHON) -m venv $(OLDER)
	@$(OLDER)/bin/python -m pip install -q "twisted[all-non-platform]==$(TWISTED)" "treq[dev]" python-subunit \
	  "pyOpenSSL<24.3" setuptools
	@touch $@

# Scrapy's own tests, from its source archive, in an environment of its own. Takes a while: not in `make test`.
SCRAPY = 2.19.0
SCRAPY_ENV = $(VENV)-scrapy
SCRAPY_SDIST = build/scrapy/scrapy-$(SCRAPY).tar.gz
.PHONY: peers-scrapy
peers-scrapy: build-required $(SCRAPY_ENV)/.ready $(SCRAPY_SDIST)
	@$(PY) tests/peers/scrapy_suite.py --python $(SCRAPY_ENV)/bin/python --sdist $(SCRAPY_SDIST)

$(SCRAPY_ENV)/.ready:
	@$(PYTHON) -m venv $(SCRAPY_ENV)
	@$(SCRAPY_ENV)/bin/python -m pip install -q "scrapy==$(SCRAPY)" "twisted[tls,http2]==26.10.*" pytest pytest-twisted \
	  pytest-timeout pytest-rerunfailures pexpect psutil pyftpdlib sybil testfixtures uvloop
	@touch $@

$(SCRAPY_SDIST):
	@$(SCRAPY_ENV)/bin/python -m pip download -q --no-binary scrapy --no-deps -d build/scrapy "scrapy==$(SCRAPY)"

# Both lanes on every other supported interpreter that is found on PATH or with pyenv.
test-pythons:
	@for version in 3.11 3.12 3.13 3.14; do \
	  found=; \
	  for python in $$HOME/.pyenv/versions/$$version.*/bin/python$$version $$(command -v python$$version); do \
	    if "$$python" -c '' 2>/dev/null; then found=$$python; fi; \
	  done; \
	  if [ -z "$$found" ]; then echo "=== Python $$version: not found"; continue; fi; \
	  echo "=== Python $$version: $$found"; \
	  $(MAKE) --no-print-directory PYTHON="$$found" VENV=.venv-$$version lanes || exit 1; \
	done

# Each target is a script; what one finds, it prints with what repeats it. FUZZ=name picks one.
FUZZ_SECONDS ?= 60
FUZZ ?= [!_]*
fuzz: build-required
	@for target in fuzz/$(FUZZ).py; do \
	  echo "== $$target, $(FUZZ_SECONDS) s"; \
	  PYTHONPATH=. $(PY) $$target --seconds $(FUZZ_SECONDS) || exit 1; \
	done

bench: build-required
	@$(PY) benchmarks/run.py
	@$(PY) benchmarks/network.py
	@$(PY) benchmarks/offered.py
	@$(PY) benchmarks/counts.py
	@$(PY) benchmarks/startup.py
	@$(PY) benchmarks/curves.py

# No more system calls and instructions for an operation than benchmarks/gates.json says. Needs strace and valgrind, and
# a minute or two: not in `make test`, which counts the system calls only.
.PHONY: gates
gates: build-required
	@$(PY) benchmarks/counts.py --gate

# The curves as the documents show them.
.PHONY: curves
curves: build-required
	@$(PY) -m pip install -q matplotlib
	@$(PY) benchmarks/curves.py --svg docs/curves

# Everything at once under faults, and nothing may be lost or left behind; docs/reliability.md has the last result.
SOAK_SECONDS ?= 600
soak: build-required
	@$(PY) benchmarks/soak.py --seconds $(SOAK_SECONDS)

# The interpreted lane is what coverage can see. Left out: millions of links take too long under its eyes, and one test
# counts what a process loads, while coverage loads more.
WITHOUT = --ignore tests/unit/test_deferred_scale.py \
  --deselect tests/unit/test_run.py::test_starting_a_program_loads_neither_twisted_nor_asyncio_nor_ssl
coverage: build clients
	@rm -rf build/coverage && mkdir -p build/coverage
	@TORSION_PURE=1 $(PY) -m coverage run -m pytest -q $(WITHOUT); status=$$?; \
	  $(PY) -m coverage combine -q && $(PY) -m coverage report && exit $$status

$(VENV)/.ready: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Torsion needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@echo "== tools into $(VENV), and Torsion compiled: takes a minute or two"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -qq "setuptools>=77" wheel "Cython>=3.1"
	@$(PY) -m pip install -qq --no-build-isolation -e ".[dev,peers]"
	@touch $@

clean:
	rm -rf build dist .venv .venv-* src/*.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis htmlcov
	find src -name '*.so' -delete -o -name _interpreted.txt -delete
	find src tests benchmarks examples fuzz -depth -name __pycache__ -exec rm -rf {} +
