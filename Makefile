# `make` lists the targets. Everything is installed into .venv, once; `make clean` removes it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
LOCK := $(wildcard uv.lock)

.PHONY: help setup demo up test check bench clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## Make the virtual environment and install everything into it

$(STAMP): pyproject.toml $(LOCK)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || \
	  { echo 'Inzage needs Python 3.11, 3.12 or 3.13: make setup PYTHON=/path/to/python3.12' >&2; exit 1; }
	@bash deploy/local/install-java.sh
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || { $(BIN)/python -m ensurepip >/dev/null; $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; }
	@echo 'installing (the first time some 1.2 GB) ...' >&2
	@$(BIN)/uv sync --python $(BIN)/python --all-extras --inexact --quiet
	@touch $@

demo: $(STAMP) ## Run the whole path once, on real and 200,000 generated events
	@$(BIN)/inzage demo

up: $(STAMP) ## Keep the stack running; Ctrl-C stops it
	@$(BIN)/inzage up

test: check ## Run every check and every test, in two processes with a broker and an engine each
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(STAMP) ## Run the linters, the type checker and the import contracts; compare generated files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q -p no:randomly tests/contract/test_generated_files.py

bench: $(STAMP) ## Run every benchmark and print one table
	@$(BIN)/python -m benchmarks

clean: ## Remove the virtual environment, caches and the data of `make up`
	@rm -rf .venv var build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
