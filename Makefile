# make demo   builds the page and serves it at http://127.0.0.1:8080
# make test   checks everything: format, lints, native tests on both devices, the page in a browser
# make site   writes site/, a folder for any static host
# make bench  times fewseg beside its peers, in one table
# All install what they need and is missing.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := demo
.PHONY: demo test test-rust test-page page site bench page-tools test-tools

# cargo installs its tools here, whether or not the shell's PATH says so.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(PATH)
# Nothing but the crates is asked for over the network.
export TRUNK_SKIP_VERSION_CHECK := true

WEB := --target wasm32-unknown-unknown --no-default-features --features web --lib
NODE_MODULES := tests/page/node_modules/.package-lock.json
VENDOR := www/vendor/client-zip.js

demo: page
	@echo
	@echo "    fewseg is at http://127.0.0.1:8080   (Ctrl C stops it)"
	@echo
	@trunk --config trunk.toml --quiet serve

page: page-tools $(VENDOR)
	trunk --config trunk.toml build

site: page
	rm -rf site
	cp -r dist site
	cp docs/site/_headers docs/site/README.md site/
	@echo "site/ is ready; site/README.md says what it wants of a host"

test: test-rust test-page

test-rust: page-tools test-tools
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --profile web --locked $(WEB) -- -D warnings
	cargo test --locked

# The types first: they are checked in seconds.
test-page: page-tools test-tools $(NODE_MODULES) $(VENDOR)
	cd tests/page && npm run --silent types
	trunk --config trunk.toml build
	cd tests/page && npm test --silent

bench: page test-tools $(NODE_MODULES)
	scripts/install-peers.sh
	cargo build --release --locked $(if $(shell command -v nvidia-smi),--features cuda)
	node benches/compare.mjs

page-tools:
	@scripts/install-page-tools.sh

test-tools:
	@scripts/install-test-tools.sh

# The page's libraries, to be served with it.
$(VENDOR): www/package-lock.json scripts/vendor.mjs
	@command -v npm >/dev/null || { echo "The page's libraries come by npm: install Node.js, 20 or newer, and run this again: https://nodejs.org" >&2; exit 1; }
	cd www && npm ci --silent
	node scripts/vendor.mjs

$(NODE_MODULES): tests/page/package-lock.json
	cd tests/page && npm ci --silent
	@touch $@
