# The project's commands. `make` alone lists them; set-up runs by itself, once.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
ENVIRONMENT ?= local
PYTEST_ARGUMENTS ?=
PROMISE ?=
REPORTS ?=
AGAINST ?= main

include toolchain/environment.mk
# Some machines switch byte-code off; imports would then cost three to four times as much.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check unit use-case infrastructure integration localcloud e2e synth up down clean distclean prove bench cost-difference

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

setup: ## install what the project needs, inside its folder (runs by itself before every other command)
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed, and none is on the PATH. Try: make PYTHON=/path/to/python3.11"; exit 1)
	@$(PYTHON) toolchain/install.py

demo: setup ## the whole lifecycle on real data: deploy, ingest, train, deploy the model, predict over HTTP
	@fourblocks demo

# REPORTS names a folder for JUnit and coverage files, which the build pipeline shows.
SUITE = pytest --durations=5 $(if $(REPORTS),--junitxml=$(REPORTS)/$@.xml) $(PYTEST_ARGUMENTS)
COVERED = $(if $(REPORTS),--cov=lambdas --cov=pipeline_code --cov=use_cases --cov-report=xml:$(REPORTS)/coverage/$@.xml)
# What waits for jobs runs beside what computes; tests/conftest.py says what stays together.
TOGETHER = --numprocesses=2 --no-loadscope-reorder

test: check ## set-up, the gate and every test suite, in one run
	$(SUITE) $(TOGETHER) tests/e2e tests/integration tests/infrastructure tests/unit

check: setup ## the gate: formatting, lint, types, import rules
	ruff format --check .
	ruff check .
	mypy --strict app.py stacks lambdas pipeline_code use_cases localcloud cli toolchain bench
	lint-imports

unit: setup ## tests of pure code: no AWS, no network
	$(SUITE) $(COVERED) tests/unit

use-case: setup ## the user's tests: contracts, features, no knowledge of the future, a dry training, served equals trained
	$(SUITE) tests/unit/use_cases tests/integration/data_pipeline/test_point_in_time.py \
		tests/unit/training_pipeline/test_train_jobs.py tests/unit/inference/test_container_ensemble.py

infrastructure: setup ## tests of the synthesised templates
	$(SUITE) tests/infrastructure

integration: setup ## tests of the functions and jobs against in-process AWS and Spark
	$(SUITE) tests/integration

localcloud: setup ## tests of the embedded AWS by real clients: boto3, the AWS CLI, the sagemaker SDK
	$(SUITE) tests/unit/localcloud tests/e2e/localcloud

e2e: setup ## tests of the whole platform on the embedded AWS, through public doors
	$(SUITE) tests/e2e

synth: setup ## write the CloudFormation templates of ENVIRONMENT (local) to cdk.out/
	cdk synth --quiet -c environment=$(ENVIRONMENT)
	@ls cdk.out

cost-difference: setup ## what the changes since AGAINST (main) do to the monthly bill of ENVIRONMENT
	@fourblocks cost $(ENVIRONMENT) --against $(AGAINST)

up: setup ## start the embedded AWS
	@fourblocks up

down: setup ## stop the embedded AWS and everything that runs in it
	@fourblocks down

clean: ## stop, then remove everything but the installed dependencies
	@if [ -x .venv/bin/fourblocks ]; then .venv/bin/fourblocks down; fi
	rm -rf .localcloud .fourblocks build dist cdk.out cdk.*.out spark-warehouse metastore_db derby.log
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .cache/tmp .cache/cdk .cache/home .cache/jsii
	find . -name __pycache__ -not -path './.venv/*' -not -path './node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## clean, and remove the installed dependencies too
	rm -rf .venv node_modules .cache *.egg-info

prove: setup ## run every command that docs/evidence.md rests on and print its figures
	@python toolchain/prove.py $(PROMISE)

bench: setup ## measure us beside the peer or the limit, one JSON line a figure
	@python -m bench
