# Everything a person does with Egret. `make help` lists it.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
EGRET := $(BIN)/egret

.DEFAULT_GOAL := help
.PHONY: help demo run token test check format bench package openapi nightly lock clean

help:  ## List what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(READY): requirements-dev.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "需要 Python 3.11 / Python 3.11 is needed (PYTHON=/path/to/python3.11 make …)"; exit 1; }
	@echo "正在准备环境，约一两分钟…… setting up the environment, a minute or two …" >&2
	@"$(PYTHON)" -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

# The command itself: `.venv/bin/egret --help`.
$(EGRET): infra/cli/egret.sh $(READY)
	@install -m 755 $< $@

demo: $(READY) $(EGRET)  ## Play the story on a server of its own, and check every expected outcome
	@$(BIN)/python -m infra.local.demo

run: $(READY) $(EGRET)  ## Serve Egret on 127.0.0.1:8000 with the demo loaded (PORT=… for another port)
	@$(BIN)/python -m infra.local.server --port $(or $(PORT),8000)

token: $(READY) $(EGRET)  ## Print a token of the local issuer: make token AS=merchant:qingliu-farm
	@$(BIN)/python -m infra.cli token "$(AS)"

test: $(READY) $(EGRET)  ## Run every test
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(READY) $(EGRET)  ## Format, lint, types, import law
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy app.py chalicelib infra tests
	@$(BIN)/lint-imports

format: $(READY)  ## Format the code and fix what can be fixed
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

bench: $(READY)  ## Measure speed against floors of the same run; prints a table and writes build/bench.json
	@$(BIN)/python -m tests.bench

nightly: $(READY)  ## The longer searches: the property tests ten times, with other examples each time
	@for seed in 1 2 3 4 5 6 7 8 9 10; do \
	  HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n 2 --dist loadfile --hypothesis-seed=$$RANDOM$$seed \
	    tests/property || exit 1; done

package: $(READY)  ## Write the CloudFormation template and the zip into build/package
	@$(BIN)/python -m infra.package build/package

openapi: $(READY)  ## Write the OpenAPI document to build/openapi.json
	@mkdir -p build && $(BIN)/python -m infra.openapi > build/openapi.json && echo build/openapi.json

lock: $(READY)  ## Pin the dependencies of pyproject.toml anew, with hashes (needs uv)
	uv pip compile pyproject.toml --generate-hashes --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	  --no-header -q -o requirements.txt
	uv pip compile pyproject.toml --group dev --generate-hashes --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --no-header -q -o requirements-dev.txt

clean:  ## Remove what the make targets made, the local data included
	rm -rf .venv .egret build .chalice/deployments
