# GNU make; `make help` lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
python := .venv/bin/python
sources := heimdex videos people reprocess demo bench tests
# The checks load the settings, which want a home; they must not touch that of an installation.
in_scratch := HEIMDEX_HOME=.cache/lint
# Many tests wait for a process or a database, so that three processes keep two cores busy. Those that kill servers have deadlines.
pytest := $(python) -m pytest --dist loadfile --no-loadscope-reorder --max-worker-restart=0
compile := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url
export PYTHON VIDEO

.PHONY: help setup setup-dev demo up down status test test-fast test-integration crash mutate fuzz bench bench-long walk lint lock audit pin-images clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv and install what Heimdex needs to run
	@sh scripts/setup.sh worker

setup-dev: ## make .venv and install what developing and testing need too
	@sh scripts/setup.sh dev

demo: setup ## show everything once on a real video (VIDEO=path takes one of your own)
	@$(python) -m demo $${VIDEO:+"$$VIDEO"}

up: setup ## start the database, the web server and the workers in the background
	@$(python) manage.py up

down: ## stop all of it
	@if [ -x $(python) ]; then $(python) manage.py down; else echo "Nothing is set up here, so nothing runs."; fi

status: ## show what runs
	@if [ -x $(python) ]; then $(python) manage.py status; else echo "Nothing is set up here; start with: make up"; exit 1; fi

test: setup-dev ## run the test suite in three processes (JOBS=4 takes more)
	@$(pytest) -n $(or $(JOBS),3)

test-fast: setup-dev ## run the tests that load no model, decode no long film and start no process
	@$(pytest) -n $(or $(JOBS),3) -m "not slow and not integration and not crash"

test-integration: setup-dev ## run the tests that need clusters of workers or a second server, send generated requests, restore or upgrade
	@$(pytest) -n $(or $(JOBS),2) -m "integration or crash"

crash: setup-dev ## run the tests that kill workers, clusters and Postgres at every stage, and take away S3, the model server and the disk
	@$(python) -m pytest -m "" tests/acceptance/crashes

mutate: setup-dev ## change the modules that hold rules and expect their tests to fail (ONLY="people/names.py" takes some, JOBS=1 one process)
	@$(python) tests/mutation/mutate.py $(if $(JOBS),--jobs $(JOBS)) $(ONLY)

fuzz: setup-dev ## put damaged files through a real ingest (SECONDS=600 SEED=7); keeps those that break something
	@$(python) -m tests.fuzz --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

bench: setup-dev ## measure the pipeline against its goals (ONLY="P1 P2" takes some); writes bench/results.json
	@$(python) -m bench $(ONLY)

bench-long: setup-dev ## measure what takes hours: search in 1,000,000 scenes, and memory over long runs (ONLY="L1 L3" takes some)
	@$(python) -m bench --long $(ONLY)

walk: setup-dev ## change the text model of a temporary installation and record the output in docs/tutorials/change-a-model.md
	@$(python) -m demo.changing_a_model

lint: setup-dev ## check style, wording, types, the direction of imports, and that new migrations are safe beside older code
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell
	$(python) scripts/lint/structure.py
	$(in_scratch) $(python) -m mypy $(sources)
	.venv/bin/lint-imports
	$(in_scratch) $(python) manage.py check
	$(python) -m pytest tests/test_migrations.py

lock: setup-dev ## pin the newest versions that pyproject.toml allows, with their hashes
	$(compile) --upgrade pyproject.toml -o requirements/web.txt
	$(compile) --upgrade --extra worker pyproject.toml -o requirements/worker.txt
	$(compile) --upgrade --no-config --constraints requirements/worker.txt requirements/torch.txt -o requirements/torch-pypi.txt
	$(compile) --upgrade --extra worker --extra dlib pyproject.toml -o requirements/dlib.txt
	$(compile) --upgrade --extra worker --extra transnetv2 pyproject.toml -o requirements/transnetv2.txt
	$(compile) --upgrade --extra worker --extra dlib --extra transnetv2 --extra dev pyproject.toml -o requirements/dev.txt
	$(compile) --upgrade --group audit -o requirements/audit.txt

audit: ## compare the pinned packages with known vulnerabilities, and write a bill of materials (.cache/sbom.json); needs a network
	@sh scripts/audit.sh

pin-images: ## write the digests of the images into Dockerfile and compose.yml; needs Docker and a network
	@$(or $(PYTHON),python3) scripts/pin_images.py

clean: down ## stop everything and remove .venv and all caches; your data stays
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
