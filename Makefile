# The few words of this project; CI uses the same ones.
PYTHON ?= python3
ARGS ?=
VENV := .venv
BIN := $(VENV)/bin

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */: /'

$(VENV)/.ready: requirements.lock pyproject.toml
	@if command -v uv >/dev/null; then \
		uv venv --quiet --allow-existing --python $(PYTHON) $(VENV) && \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --compile-bytecode --require-hashes -r requirements.lock && \
		VIRTUAL_ENV=$(VENV) uv pip install --quiet --no-deps --no-build-isolation -e . ; \
	else \
		$(PYTHON) -m venv $(VENV) && \
		$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock && \
		$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ; \
	fi
	@touch $@

PAGE := view/page
$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json $(PAGE)/package.json
	@if command -v npm >/dev/null; then cd $(PAGE) && npm ci --silent; \
	else echo "no npm: the page has no charts and no font of its own until Node.js 20 or newer is there and make setup ran again" >&2; fi

setup: $(VENV)/.ready $(PAGE)/node_modules/.package-lock.json  ## .venv and the page's libraries, both from hash-pinned locks; afterwards .venv/bin/citybrain is the command

demo: setup  ## a real Kafka, worker and ClickHouse play a simulated city; ARGS="--help" shows what else
	@$(BIN)/citybrain demo $(ARGS)

tools:  ## Debian packages that tests run: Prometheus, Alertmanager, Chromium, a Chinese font; installed when missing and root may
	@sh tests/tools.sh

# What makes thousands of small files keeps them in memory: a file costs more on some disks than the work that is measured.
test-faults test-mutations bench: export TMPDIR = $(shell sh tests/scratch.sh)

test: setup tools  ## all tests, on the real broker, chDB and Prometheus
	$(BIN)/pytest $(ARGS)

test-faults: setup  ## everything broken on purpose: crash points, 200 kills, cuts, mutations; results become docs/faults.md
	$(BIN)/pytest --full --faults $(ARGS)
	$(BIN)/python -m tests.faults.mutations

test-mutations: setup  ## each guard removed in a copy of the tree: some test has to go red; ARGS="--only token"
	$(BIN)/python -m tests.faults.mutations $(ARGS)

bench: setup  ## throughput beside peers, latency, scale, memory: bench/RESULTS.md; ARGS="--only throughput", ARGS="--quick --out DIR"
	$(BIN)/python -m bench.all $(ARGS)

guard: setup  ## fails when City brain became half as fast beside ClickHouse alone as was recorded in bench/guard.json
	$(BIN)/python -m bench.guard $(ARGS)

bench-history: setup  ## three years by backfill, and every question over them; once, a quarter of an hour
	$(BIN)/python -m bench.all --only history $(ARGS)

check-data: setup  ## play every mapped set of ../shared/data and compare with an independent recount
	$(BIN)/python -m tests.check_data $(ARGS)

check-outbreaks: setup  ## EARS over the series of ../shared/data/outbreaks against reference bounds and alarms
	$(BIN)/python -m tests.check_outbreaks $(ARGS)

check-api: setup  ## schemathesis against the HTTP API, 200 requests for each operation and kind of token
	TEST_API_EXAMPLES=200 $(BIN)/pytest -q tests/view/test_schema.py $(ARGS)

soak: setup  ## a long run under random faults and the audit's verdict; ARGS="--events 10000000 --outage 600 --faults-seconds 3600 --seed 1"
	$(BIN)/python -m tests.soak $(ARGS)

fuzz: setup  ## atheris over what reads bytes from outside; ARGS="--seconds 60 --target event"; a find is kept in tests/fuzz/cases
	$(BIN)/python -m tests.fuzz $(ARGS)

PAGE_CHECK := tests/page/lighthouse
$(PAGE_CHECK)/node_modules/.package-lock.json: $(PAGE_CHECK)/package-lock.json
	cd $(PAGE_CHECK) && npm ci --silent

check-page: setup tools $(PAGE_CHECK)/node_modules/.package-lock.json  ## Lighthouse over desk, wall and phone against the gates, median of 3; ARGS="--runs 1 --only desk"; run it alone
	$(BIN)/python -m tests.page.check $(ARGS)

soak-page: setup tools  ## an open desk over a changing city: memory, nodes and listeners must not grow; ARGS="--minutes 60"
	$(BIN)/python -m tests.page.soak $(ARGS)

screenshots: setup tools  ## pictures of the pages over the city of the tests: docs/pictures; ARGS="--page URL" over a demo's
	$(BIN)/python -m tests.page.pictures $(ARGS)

eval: setup  ## quality on the real texts of ../shared/data; writes docs/quality.md
	$(BIN)/python -m bench.eval $(ARGS)

lint: setup  ## ruff, rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup  ## mypy strict, tests too; tsc over the page
	$(BIN)/mypy
	cd $(PAGE) && node_modules/.bin/tsc --project .

contract: setup  ## who may import whom
	$(BIN)/lint-imports

docs: setup  ## write the generated pages
	PYTHONPATH=. $(BIN)/cog -r docs/*.md
	$(BIN)/python -m citybrain.json_schemas schemas/json

docs-check: setup  ## the generated pages are up to date
	PYTHONPATH=. $(BIN)/cog --check docs/*.md
	$(BIN)/python -m citybrain.json_schemas --check schemas/json

lock: setup  ## pin again; names no address
	uv pip compile pyproject.toml --extra dev --generate-hashes --universal --no-header --no-annotate --no-emit-index-url -q -o requirements.lock
	cd $(PAGE) && npm install --package-lock-only --silent && node addressless.cjs package-lock.json
	cd $(PAGE_CHECK) && npm install --package-lock-only --silent && node ../../../$(PAGE)/addressless.cjs package-lock.json

clean:  ## remove what was made
	rm -rf $(VENV) $(PAGE)/node_modules $(PAGE_CHECK)/node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.PHONY: check-page soak-page screenshots soak fuzz help setup demo tools test check-data check-outbreaks eval check-api lint types contract docs docs-check lock clean test-faults test-mutations bench guard bench-history
