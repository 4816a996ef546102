# `make` lists the targets. scripts/setup installs the tools that a target needs and that are missing.

target := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Where scripts/setup installs tools.
export PATH := $(target)/tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup demo build packages image-test test check-deploy dashboards pictures test-matrix bench proof fuzz

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: ## install missing tools: a PostgreSQL server and the tools of the checks
	@scripts/setup server checks clients deploy browser proof

demo: ## show a failing login and its repair on a temporary PostgreSQL server
	@scripts/setup server
	cargo build --release --locked
	@cargo run --release --locked --quiet -- demo

build: ## build the release binary
	cargo build --release --locked

packages: ## build the tarball, the .deb and the .rpm into target/package/dist, and install each into a new Debian
	scripts/package

image-test: ## build the image without a container engine, and run it against a PostgreSQL server, read-only and not as root
	@scripts/setup server image
	scripts/image-test

test: setup check-deploy ## run every check: formatting, lints, prose, documentation, size of the login crate, licenses, deployment files, tests
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
# As the image builds it. With the examples, whose dependencies are those of the tests, so that none is compiled again.
	cargo clippy --locked --workspace --lib --bins --examples --no-default-features -- -D warnings
	scripts/check-prose
	scripts/check-rust-version
	scripts/check-login-size
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
	cargo deny --locked check bans licenses sources
	cargo test --locked --workspace --no-fail-fast -- --skip proof:: --skip failover::
# One minute of injected faults. It runs alone, because other tests would slow it down.
	cargo test --locked --test integration -- proof::

fuzz: ## run many random cases against every parser of outside input, some minutes (PROPTEST_CASES=20000)
	@scripts/setup server
	PROPTEST_RNG_SEED=$${PROPTEST_RNG_SEED:-$$(date +%s)} PROPTEST_CASES=$${PROPTEST_CASES:-20000} \
		cargo test --locked --workspace --no-fail-fast -- fuzz::

check-deploy: ## check the Dockerfile, everything under deploy/, the alerts, and the dashboards
	@scripts/setup deploy
	scripts/check-deploy

dashboards: ## draw the pictures of the dashboards in docs/, with Grafana's components and data of a real Prometheus
	@scripts/setup server deploy pictures
	PGMEDIC_DASHBOARD_ANSWERS=$(target)/dashboards.json cargo test --locked --test integration -- truth::
	node scripts/dashboards/draw.mjs $(target)/dashboards.json $(target)/tools/pictures docs/dashboards $(target)/dashboards

pictures: ## draw the picture of the status page in docs/, and of each of its states, with the figures of a believable day
	@scripts/setup browser
	PGMEDIC_SAMPLE_PAGES=$(target)/pages cargo test --locked --workspace --lib -- http::status::samples
	node scripts/pictures.mjs $(target)/tools/browser $(target)/pages $(target)/pictures
	node scripts/pictures.mjs $(target)/tools/browser $(target)/pages $(target)/pictures incident 1440 1860 docs/status.png

test-matrix: ## run the integration tests on every supported version of PostgreSQL
	scripts/test-matrix

bench: build ## measure speed, memory, and scale, compare with other tools, and write the figures into docs/
	@scripts/setup server
	scripts/bench
	scripts/bench --scale
	scripts/bench --peers
	scripts/figures

proof: ## inject faults into two agents for ten minutes (or PROOF_SECONDS), fail over, cut over 20 times, test 250 databases, random schemas and input, packages, the image
	@scripts/setup server checks proof failover
	PROOF_SEED=$${PROOF_SEED:-$$(date +%s)} PROOF_SECONDS=$${PROOF_SECONDS:-600} \
		cargo test --locked --test integration -- proof:: --nocapture
	cargo test --locked --test integration -- failover:: --nocapture
	FLEET_DATABASES=$${FLEET_DATABASES:-250} cargo test --locked --test integration -- servers::fleet::
	for run in $$(seq $${CUTOVER_RUNS:-20}); do cargo test --locked --test integration -- cutover::literal || exit 1; done
	scripts/prove-catalogs
	$(MAKE) fuzz packages image-test
