# The commands of this project; CONTRIBUTING.md says more.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
FUZZ_SECONDS ?= 60

.PHONY: help build run demo test lint rust-lint web-lint unit e2e bench fuzz web

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1\t/' | expand -t 14

tools-%:
	@infra/dev/tools.sh $*

frontend/node_modules/.installed: frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund
	@touch $@

$(TARGET)/autobahn/.installed: tests/peers/autobahn/requirements.txt
	python3 -m venv $(TARGET)/autobahn
	$(TARGET)/autobahn/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	@touch $@

$(TARGET)/newer-ffmpeg/.installed: tests/peers/newer-ffmpeg/requirements.txt
	python3 -m venv $(TARGET)/newer-ffmpeg
	$(TARGET)/newer-ffmpeg/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r $<
	ln -sf "$$($(TARGET)/newer-ffmpeg/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')" $(TARGET)/newer-ffmpeg/ffmpeg
	@touch $@

tests/peers/ws/node_modules/.installed: tests/peers/ws/package-lock.json
	cd tests/peers/ws && npm ci --no-audit --no-fund
	@touch $@

WEB_SOURCES := $(shell git ls-files frontend 2>/dev/null)

frontend/dist/index.html: frontend/node_modules/.installed $(WEB_SOURCES)
	cd frontend && npm run --silent build

web: tools-build frontend/dist/index.html ## the web app, which the programs carry within them

build: web ## the two programs, optimised, in target/release
	cargo build --release --locked -p streamcircle-origin -p streamcircle-relay

run: build ## an origin with its embedded relay; prints OBS settings, invite and QR
	@STREAMCIRCLE_BIN=$(RELEASE) infra/dev/run.sh $(ARGS)

demo: tools-test build ## as run, with a moving test picture to watch at once
	@STREAMCIRCLE_BIN=$(RELEASE) infra/dev/run.sh --demo $(ARGS)

rust-lint:
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

web-lint: frontend/node_modules/.installed
	cd frontend && npm run --silent lint && npm run --silent typecheck && npm test --silent

test: tools-test web web-lint rust-lint $(TARGET)/autobahn/.installed $(TARGET)/newer-ffmpeg/.installed ## everything: formatting, lints, unit, integration, real ffmpeg, OBS and browser
	cargo build --locked --workspace --bins
	cargo nextest run --locked --workspace

bench: tools-bench tools-test build tests/peers/ws/node_modules/.installed $(TARGET)/newer-ffmpeg/.installed ## every benchmark; writes target/bench/results.json
	cargo build --release --locked -p e2e --bins
	@mkdir -p target/bench
	ulimit -Sn 8192 2>/dev/null || true; $(RELEASE)/bench

fuzz: ## each fuzz target for FUZZ_SECONDS (60)
	@command -v cargo-fuzz >/dev/null || cargo install --locked cargo-fuzz
	@for seeds in fuzz/seeds/*.tar.gz; do mkdir -p fuzz/corpus; tar -C fuzz/corpus -xzf $$seeds; done
	@for target in $$(cargo fuzz list); do \
		echo "== $$target"; cargo +nightly fuzz run "$$target" -- -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048; done
