# Each target sets itself up: all it needs is Python 3.11 or later with pip, git and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: setup compiled demo run test test-ground test-engine test-rest test-seeds dashboard test-browser viewers screenshots lint simulate chaos mutants bench \
  bench-dashboard

setup: $(READY)

# a Python without ensurepip (Debian's, without python3-venv) makes the environment by its own pip
$(READY): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Ferryman needs Python 3.11 or later; say which one: make PYTHON=python3.12" >&2; exit 3; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv || $(PYTHON) -m venv --clear --without-pip .venv
	if $(BIN)/python -c 'import pip' 2>/dev/null; then pip="$(BIN)/python -m pip"; \
	  else pip="$(PYTHON) -m pip --python $(BIN)/python"; fi; \
	$$pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt --editable .
	touch $@

demo: $(READY)
	$(BIN)/python examples/demo.py

run: $(READY)
	$(BIN)/ferryman serve examples/basics.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports

# The domain and the stores are the ground: every branch of them is run by a test. Only they run under coverage:
# the engine's tests raise exceptions in threads from outside, which hangs in a tracer.
GROUND := tests/domain tests/store
# What starts many processes or waits for many is about half of the rest.
ENGINE := tests/engine tests/crashing tests/chaos tests/supervise

# three at once, also for two cores: a test waits for its PostgreSQL, or for a process of ours, about as long as it computes
ifneq ($(filter test,$(MAKECMDGOALS)),)
MAKEFLAGS += --jobs=3 --output-sync=target
endif
test: test-ground test-engine test-rest lint test-seeds

test-ground: compiled
	$(BIN)/pytest $(GROUND) --cov --cov-report=
	$(BIN)/coverage report --fail-under=100

test-engine: compiled
	$(BIN)/pytest $(ENGINE)

test-rest: compiled
	$(BIN)/pytest $(addprefix --ignore=,$(GROUND) $(ENGINE))

test-seeds: compiled
	$(BIN)/python -m tests.simulation --seeds 200

# what tests start by the hundred reads it so, also where PYTHONDONTWRITEBYTECODE has nobody keep it: half a second each
compiled: $(READY)
	$(BIN)/python -m compileall -q src tests

# the files of the dashboard, from its sources: with the Node of the system, else with that of a package
dashboard: $(READY)
	$(BIN)/python -m tests.browser.building

# the dashboard in a real Chromium, which is installed where it is missing (Debian); CHROMIUM=/path takes another one.
# ONLY='not long' leaves out what takes long or is the same on both stores
test-browser: compiled
	$(BIN)/python -m tests.browser.install
	$(BIN)/pytest tests/browser $(if $(ONLY),-m "$(ONLY)")

# ten who look at a busy shop for MINUTES, and a restart meanwhile: does memory grow? STORE=postgres
viewers: $(READY)
	$(BIN)/python -m tests.browser.install
	$(BIN)/python -m tests.browser.viewers --minutes $(or $(MINUTES),10) --store $(or $(STORE),sqlite)

# docs/screenshots, of the shop of the demonstration, which has a past and is busy: some five minutes
screenshots: $(READY)
	$(BIN)/python -m tests.browser.install
	$(BIN)/python -m tests.browser.screenshots

# many seeds in virtual time; what is done at this commit is remembered in build/, so that a run can be cut off and go on
simulate: $(READY)
	$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),10000) --from $(or $(FROM),0) --journal build/simulation.jsonl \
	  $(if $(RESULTS),--results $(RESULTS))

# real processes and real kills; BREAK=fence has to end with exit code 1. STORE=postgres: a fleet, and a server and
# connections that fail; POOLER=yes with PgBouncer in between
chaos: $(READY)
	$(BIN)/python -m tests.chaos --store $(or $(STORE),sqlite) --duration $(or $(DURATION),60) --seed $(or $(SEED),1) \
	  $(if $(BREAK),--break $(BREAK)) $(if $(POOLER),--pooler) $(if $(RESULTS),--results $(RESULTS))

# break the protocol in every known way: which test, and which seed, notices?
mutants: $(READY)
	$(BIN)/python -m tests.mutants --seeds $(or $(SEEDS),2000) $(if $(RESULTS),--results $(RESULTS))

# STORE=postgres has PgQueuer, chancy and Procrastinate beside ours on one server; BEFORE=commit measures that commit
# and this tree in turns
bench: $(READY)
	$(if $(BEFORE),$(BIN)/python -m benchmarks.before_after $(BEFORE) --rounds $(or $(ROUNDS),10) --store $(or $(STORE),sqlite), \
	  $(if $(filter postgres,$(STORE)),$(BIN)/python -m benchmarks.postgres.compare --rounds $(or $(ROUNDS),5), \
	  $(BIN)/python -m benchmarks.bench --jobs $(or $(JOBS),1000000)))

# how soon each page of the dashboard shows something of a large store, and what those who look cost; STORE=postgres
bench-dashboard: $(READY)
	$(BIN)/python -m tests.browser.install
	$(BIN)/python -m benchmarks.dashboard --jobs $(or $(JOBS),1000000) --store $(or $(STORE),sqlite)
