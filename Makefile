# Every command a person needs. Each sets up what it uses by itself; the work is in scripts/, one file a task.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# The contract names target/release/keystead, whatever the caller's environment says.
export CARGO_TARGET_DIR := $(CURDIR)/target
export PATH := $(PATH):$(HOME)/.cargo/bin

.PHONY: help run test build site check bench drill torture fuzz screenshots clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Build and serve on http://127.0.0.1:3000 over a local KMS, with a sample; data stays in .local/
	@scripts/run.sh

test: ## Every test: local KMS, Rust on SQLite and PostgreSQL, browser
	@scripts/test.sh

build: ## target/release/keystead, one file with the whole site in it, and the sizes
	@scripts/build.sh release

site: ## Only the browser's half, into target/site
	@scripts/build-site.sh

check: ## Format, lints, dependency policy, scripts
	@scripts/check.sh

bench: ## The benchmarks, each beside its baseline
	@scripts/bench.sh

drill: ## Take the key away from three servers at load, TRIALS=20 times, with every fault; fails past a bound
	@scripts/drill.sh $(or $(TRIALS),20)

torture: ## Kill the server at every point of a change of key and at 200 others (or in ROUNDS=40 rounds); nothing may be lost
	@scripts/torture.sh $(ROUNDS)

fuzz: ## Make up sealed bytes, key ARNs and replies of KMS for SECONDS=60 each; fails at the first wrong answer
	@scripts/fuzz.sh $(or $(SECONDS),60)

screenshots: ## Pictures of every page and state, into target/screenshots
	@scripts/screenshots.sh

clean: ## Remove what was built, installed and tested; keeps .local/, the data of `make run`
	@rm -rf target .tools end2end/node_modules end2end/test-results end2end/playwright-report scripts/site/node_modules
