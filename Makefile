# Taskloom: what a person or CI does with this folder. `make help` lists it.
#
# Built files live outside the folder, so that a fresh clone does not build the world again.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/taskloom
export CARGO_TARGET_DIR ?= $(CACHE)/target
# Where .ci/setup puts a Node that is newer than the system's.
export TOOLS := $(CACHE)/tools
export PATH := $(TOOLS)/node_modules/.bin:$(TOOLS)/bin:$(HOME)/.cargo/bin:$(PATH)

# Where `make run` keeps its data, and what else is passed on to `taskloom serve`.
DATA ?= ./data
ARGS ?=
# Which tests `make test` runs: a nextest filter, e.g. make test ONLY='test(executor::)'.
ONLY ?= all()
PROFILE ?= $(if $(CI),ci,default)
# Stands for the bundle: newer than everything it is made of.
BUNDLE := web/node_modules/.bundled

.PHONY: help run test check audit licenses attacks bench chaos house web build

help: ## List these targets.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1|/' | while IFS='|' read -r name text; do printf '  make %-8s %s\n' "$$name" "$$text"; done

run: web ## Build and start a server with demo data on http://127.0.0.1:8080 (first time: some minutes).
	@.ci/setup build
	cargo run --locked -- serve --demo --data-dir $(DATA) $(ARGS)

build: web ## Build the release binary.
	@.ci/setup build
	cargo build --release --locked
	@echo "$$CARGO_TARGET_DIR/release/taskloom"

test: web ## Run every test, on SQLite and on a private PostgreSQL.
	@.ci/setup build test web
	@.ci/npm tests/clients
	@.ci/pip tests/clients
	@.ci/vcsim
	cargo nextest run --workspace --locked --profile $(PROFILE) -E '$(ONLY)'

check: ## Formatting, lints, documentation, unused dependencies and audit: warnings are errors.
	@.ci/setup build check audit
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	@.ci/walls
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --document-private-items --locked
	cargo machete --skip-target-dir
	@.ci/audit

licenses: web ## Write the licences of what the binary carries: src/licenses/notices.txt.
	@.ci/setup build licenses
	.ci/licenses

audit: ## Licences, sources, duplicates and known advisories of the dependencies (gets cargo-deny when it is missing).
	@.ci/setup build audit
	@.ci/audit

bench: web ## Release build, then each figure beside a floor; FIGURES="lists chains", PEERS=FOLDER of peers' scripts.
	@.ci/setup build test bench
	cargo build --release --locked --bin taskloom --example handwritten
	@.ci/npm tests/clients
	@.ci/vcsim
	TASKLOOM="$$CARGO_TARGET_DIR/release/taskloom" python3 benches/bench.py $(FIGURES)

chaos: ## Kill the server at random moments over and over (long; a shorter form is among the tests).
	@.ci/setup build test
	TASKLOOM_CHAOS=full cargo nextest run --workspace --locked --profile chaos -E 'test(/(^|::)chaos::/)'

attacks: web ## Run the attacks and write what they came to: the table of docs/security.md.
	@.ci/setup build test
	@.ci/attacks

house: ## Print the import graph: its circles, and the longest way from a door to SQL.
	@.ci/setup build
	@cargo run --quiet --locked --package taskloom-house

web: $(BUNDLE) ## Bundle GraphiQL from npm; without Node the server says how to get it.

$(BUNDLE): $(shell find web -type f -not -path '*/node_modules/*' -not -path 'web/dist/*')
	@if .ci/setup web; then .ci/npm web build && touch $@; \
	else echo "without Node the server runs, but its page /graphiql only says how to get it" >&2; fi
