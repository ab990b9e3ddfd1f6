# Everything a newcomer needs: make run, make test. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= $(or $(LEDGER_DATA),data)
PORT ?= $(or $(LEDGER_PORT),8080)

.PHONY: help run test storm crash bench bench-quick big-book fuzz check compose-test format openapi docs lock sbom audit clean

help: ## List what there is to make.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

run: $(VENV)/run.ok ## Run the whole ledger here, with a demo org and a curl line to paste. Ctrl-C ends it.
	@exec $(BIN)/ledgerctl up --data "$(DATA)" --port $(PORT) --demo --die-with-parent

test: $(VENV)/dev.ok ## Run every test.
	$(BIN)/python -m pytest -n 2

check: $(VENV)/dev.ok ## The one gate: format, lint, types, tests.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2

compose-test: ## Try docker-compose.yml for real, with crashes. Needs Docker with compose, and curl; CI does not run it.
	bash tests/compose_smoke.sh

bench: $(VENV)/bench.ok ## Measure this project beside its ceilings, in some minutes: make bench [ROWS="post balance"]. Needs wrk.
	$(BIN)/python -m bench $(ROWS)

bench-quick: $(VENV)/dev.ok ## The main ratios in a minute; fails when one is under its floor in bench/floors.json. Needs wrk.
	$(BIN)/python -m bench --quick $(ROWS)

big-book: $(VENV)/dev.ok ## Measure reads and a post in books of 1,000 and of 1,000,000 entries. Takes some minutes.
	$(BIN)/python -m bench.big_book

storm: $(VENV)/dev.ok ## Rage over the real stack, and audit what it answered: make storm SECONDS=60 SEED=1 FAULTS=kill_worker,fill_disk
	$(BIN)/python -m tests.storm --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED)) $(if $(FAULTS),--faults $(FAULTS)) --storms $(or $(STORMS),1)

crash: $(VENV)/dev.ok ## Try states that power loss could leave on disk: make crash STATES=20000 SEED=1
	$(BIN)/python -m tests.crash $(if $(STATES),--states $(STATES)) $(if $(SEED),--seed $(SEED))

fuzz: $(VENV)/fuzz.ok ## Fuzz what comes from outside: make fuzz [TARGETS="bodies headers"] [SECONDS_EACH=60]. Keeps the corpus.
	$(BIN)/python -m tests.fuzz $(TARGETS) --seconds $(or $(SECONDS_EACH),60)

format: $(VENV)/dev.ok ## Format the code.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

openapi: $(VENV)/dev.ok ## Record the examples of the HTTP interface again, and write docs/openapi.json.
	$(BIN)/python -m tests.system.exchanges
	$(BIN)/python -m intake.openapi >docs/openapi.json

docs: $(VENV)/dev.ok ## Write the table of codes in docs/api.md.
	$(BIN)/python -m tests.code_table

lock: $(VENV)/dev.ok ## Pin requirements*.in, with hashes, into requirements*.txt.
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements.txt requirements.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements-dev.txt requirements-dev.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements-fuzz.txt requirements-fuzz.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements-bench.txt requirements-bench.in
	$(BIN)/pip-compile -q --generate-hashes --strip-extras --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-options -o requirements-supply.txt requirements-supply.in

sbom: $(VENV)/supply.ok ## Write docs/sbom.json: every package that it runs on, with version and hashes (CycloneDX).
	$(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible -o docs/sbom.json requirements.txt

audit: $(VENV)/supply.ok ## Look every package up among the known holes. Needs the internet, and fails without.
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements.txt \
	  || { echo "audit: a package has a known hole, or was not looked up; the lines above say which" >&2; exit 1; }

clean: ## Remove what make made, but never data.
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.ok: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/dev.ok: requirements-dev.txt $(VENV)/run.ok
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(VENV)/bench.ok: requirements-bench.txt $(VENV)/dev.ok
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/fuzz.ok: requirements-fuzz.txt $(VENV)/dev.ok
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-fuzz.txt
	@touch $@

$(VENV)/supply.ok: requirements-supply.txt $(VENV)/dev.ok
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-supply.txt
	@touch $@
