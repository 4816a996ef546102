# `make` lists the targets. Everything that a target needs and that is missing is installed by scripts/setup.

target := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Where scripts/setup puts tools of our own.
export PATH := $(target)/tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo build test check-deploy dashboards pictures test-matrix bench proof fuzz

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install what is missing: a PostgreSQL server, the tools for the checks
	@scripts/setup server checks clients deploy browser proof

demo: ## the story, on a throwaway PostgreSQL
	@scripts/setup server
	cargo build --release --locked
	@cargo run --release --locked --quiet -- demo

build: ## the release binary
	cargo build --release --locked

test: setup check-deploy ## every check: format, lints, documentation, licences, deployment, tests
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	cargo deny --locked check bans licenses sources
	cargo test --locked --no-fail-fast -- --skip proof::
# A minute of faults, with the machine to itself.
	cargo test --locked --test integration -- proof::

fuzz: ## many random cases for everything that reads outside input, for some minutes (PROPTEST_CASES=20000)
	@scripts/setup server
	PROPTEST_RNG_SEED=$${PROPTEST_RNG_SEED:-$$(date +%s)} PROPTEST_CASES=$${PROPTEST_CASES:-20000} \
		cargo test --locked --no-fail-fast -- fuzz::

check-deploy: ## the Dockerfile, everything under deploy/, the alerts and the dashboards
	@scripts/setup deploy
	scripts/check-deploy

dashboards: ## pictures of the dashboards, with Grafana's components and a real Prometheus's answers, into docs/
	@scripts/setup server deploy pictures
	PGMEDIC_DASHBOARD_ANSWERS=$(target)/dashboards.json cargo test --locked --test integration -- truth::
	node scripts/dashboards/draw.mjs $(target)/dashboards.json $(target)/tools/pictures docs/dashboards $(target)/dashboards

pictures: ## a picture of the status page, with what `pgmedic demo --serve` does, into docs/
	@scripts/setup server browser
	PGMEDIC_STATUS_PICTURE=$(abspath docs/status.png) cargo test --locked --test integration -- demo::watched::

test-matrix: ## the integration tests on every supported version of PostgreSQL
	scripts/test-matrix

bench: build ## speed, memory, scale, and other tools beside it, into docs/
	@scripts/setup server
	scripts/bench
	scripts/bench --scale
	scripts/bench --peers
	scripts/figures

proof: ## ten minutes of faults (or PROOF_SECONDS) against two agents, then hostile catalogs and random input
	@scripts/setup server checks proof
	PROOF_SEED=$${PROOF_SEED:-$$(date +%s)} PROOF_SECONDS=$${PROOF_SECONDS:-600} \
		cargo test --locked --test integration -- proof:: --nocapture
	scripts/prove-catalogs
	$(MAKE) fuzz
