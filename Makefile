# The two commands of the README, each from a fresh checkout on a Debian machine with Rust:
#
#   make run     serves http://localhost:8001/ktbs/ from a private Apache until Ctrl-C
#   make test    checks everything
#   make test-clients   tries real clients: Python kTBS, taaabs3, ktbs4js; see tests/clients/run.sh
#   make test-api       sends thousands of requests made from the description of the API; see tests/clients/api.sh
#   make bench   measures what requests cost; KTBS_BENCH_DIR= is a folder on a real disk, KTBS_BENCH_OBSELS= a list of lengths
#
# make run takes
#   PORT=8001           port on localhost
#   ROOT_PATH=/ktbs/    path of the root URI; / for the whole server
#   STORE=              directory of the store; by default ~/.local/share/ktbs, or /var/lib/ktbs for root
#   PROCESSES=4         how many requests are served at once
#   CONF=               an ini file laid over the default configuration

PORT ?= 8001
ROOT_PATH ?= /ktbs/
STORE ?=
PROCESSES ?= 4
CONF ?=
export PORT ROOT_PATH STORE PROCESSES CONF

.PHONY: run test test-clients test-api bench

run:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@conf/run.sh target/release/ktbs

test:
	conf/need-apache.sh
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --no-deps --document-private-items
	cargo test

test-clients:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@PORT=8401 tests/clients/run.sh

test-api:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@PORT=8401 tests/clients/api.sh

bench:
	@cargo bench --quiet --bench bench
