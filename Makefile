# Candor in two commands: `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export PYTHON ?= python3
BIN := .venv/bin
SNAKEMAKE := $(BIN)/snakemake --cores all
# The demo goes to results/ whatever project_dir says, so that what is shown below is what was made.
DEMO_SNAKEMAKE := $(SNAKEMAKE) results/report/demo --config project_dir=results
DEMO_SHOWN := performance/demo trust/demo federated/demo leakage/demo
# Of what `make report` tells: all datasets at hand, or REPORT=results/report/ravdess
REPORT ?= results/report

.PHONY: help demo report test lint docs setup lock clean

help: ## list these targets
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1|\2/p' Makefile | column -t -s '|'

demo: setup ## run the demo corpus end to end with its audits, show the tables and write results/report.html
	@$(DEMO_SNAKEMAKE)
	@if [[ ! -e results/report.html || -n $$(find results/trust/demo results/report -type f -newer results/report.html) ]]; then \
		$(DEMO_SNAKEMAKE) --report results/report.html; \
	fi
	@$(BIN)/candor show $(DEMO_SHOWN) --project results --report results/report.html

report: setup ## make everything that has a path, or REPORT=results/report/NAME, and write report.html about it
	@$(SNAKEMAKE) $(REPORT)
	@$(SNAKEMAKE) $(REPORT) --report report.html
	@echo "report   report.html"

test: lint ## check style and types, then run every test
	@envs/test_tools.sh
	@$(BIN)/pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: setup ## check style and types only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/snakefmt --check Snakefile workflow/
	@$(BIN)/snakemake --lint

docs: setup ## write the pages that are generated from the code
	@$(BIN)/python -m candor.config.reference
	@$(BIN)/python -m candor.tables.reference

setup: .venv/installed ## make .venv from the lock file

.venv/installed: envs/requirements.lock pyproject.toml envs/setup.sh envs/find_python.sh envs/fix_torchaudio.py
	@envs/setup.sh

lock: ## resolve the dependencies of pyproject.toml anew
	@python=$$(envs/find_python.sh) && "$$python" envs/lock.py

clean: ## remove the environment, caches and logs of tools; results and the store stay
	rm -rf .venv .setup.log .mypy_cache .ruff_cache .pytest_cache .hypothesis build src/*.egg-info
	find src tests workflow envs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
