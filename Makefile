# The two commands of the README, each from a fresh checkout on a Debian machine with Rust:
#
#   make run     serves http://localhost:8001/ktbs/ from a private Apache until Ctrl-C
#   make test    checks everything; tests that need more than Apache (nginx, a directory…) are skipped where that is not installed
#   make test-all       installs what those tests need, and lets none be skipped
#   make test-clients   tries real clients: Python kTBS, taaabs3, ktbs4js, our pages in a browser, a login; see tests/clients/run.sh
#   make test-api       sends thousands of requests made from the description of the API; see tests/clients/api.sh
#   make test-openid    logs in through mod_auth_openidc and a real provider; see tests/clients/openid.sh
#   make install            installs the program, its configuration and its samples; takes DESTDIR= and PREFIX=/usr/local
#   make deb                makes a Debian package, in target/debian/; needs cargo-deb
#   make test-deb           installs, uses, upgrades and removes that package in a fresh Debian; needs root and debootstrap
#   make test-docker        builds the container, uses it, stops and starts it; see packaging/test-docker.sh
#   make static             builds one file that needs no library, with musl; `make test-static` runs all tests with such a program
#   make bench   measures what requests cost; KTBS_BENCH_DIR= is a folder on a real disk, KTBS_BENCH_OBSELS= a list of lengths,
#                KTBS_BENCH_ONLY= a part of the names of the computed traces and queries that are wanted
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

# make install takes
#   DESTDIR=            a folder that stands for /
#   PREFIX=/usr/local   where the program goes; its configuration goes to SYSCONFDIR=/etc, and is left alone if it is there
#   PROGRAM=            a program that was built before
DESTDIR ?=
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
PROGRAM ?= target/release/ktbs

.PHONY: run test test-all test-clients test-api test-openid install deb test-deb test-docker static test-static bench

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

test-all:
	tests/need-servers.sh
	KTBS_TEST_ALL=1 $(MAKE) --no-print-directory test

test-clients:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@PORT=8401 tests/clients/run.sh

test-api:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@PORT=8401 tests/clients/api.sh

test-openid:
	@conf/need-apache.sh
	@cargo build --release --quiet --bin ktbs
	@tests/clients/openid.sh

target/release/ktbs: FORCE
	cargo build --release --quiet --bin ktbs
FORCE:

install: $(PROGRAM)
	packaging/install.sh $(PROGRAM) "$(DESTDIR)" "$(PREFIX)" "$(SYSCONFDIR)"

# The program first, since cargo-deb takes what it finds in the folder.
deb: $(PROGRAM)
	rm -rf target/stage
	packaging/install.sh $(PROGRAM) target/stage /usr /etc
	cargo deb --no-build $(if $(DEBEMAIL),--maintainer "$(DEBFULLNAME) <$(DEBEMAIL)>") $(DEB_OPTIONS)

test-deb:
	packaging/test-deb.sh

test-docker:
	packaging/test-docker.sh

static:
	cargo build --release --target x86_64-unknown-linux-musl --bin ktbs

test-static:
	cargo test --target x86_64-unknown-linux-musl

bench:
	@cargo bench --quiet --bench bench
