# Drydock. `make run` and `make test` are all that a fresh Debian 12 machine with Swift needs.

.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

LISTEN ?= 127.0.0.1:8080
# Where the data goes; empty: where every command has it, so that `drydock build` and the page show the same builds.
DATA ?=
EXAMPLE ?= examples/tide-tables
REAL_PROJECTS ?= .build/real-projects
# Where `make real-projects` keeps archives, sources and results.
PROJECTS ?= .build/projects

# What building and running takes, and what the tests take on top.
PACKAGES := e2fsprogs gcc libc6-dev musl-tools make git libseccomp-dev libssl-dev zlib1g-dev libsqlite3-dev pkg-config
TEST_PACKAGES := $(PACKAGES) autoconf automake dpkg-dev xz-utils bzip2 zip unzip curl procps bubblewrap \
    python3 python3-pip python3-venv python3-setuptools python3-wheel wget openssl iproute2 nodejs node-ws
# The tools of the projects that `make real-projects` builds, beside Swift. Node and npm: Debian's or others, as the machine has them.
PROJECT_PACKAGES := $(TEST_PACKAGES) libtool gettext cmake meson ninja-build golang-go cargo rustc default-jdk-headless maven hugo jekyll \
    python3-dev libsass-dev libncurses-dev publicsuffix libwayland-dev libunistring-dev \
    jekyll-theme-minima ruby-jekyll-feed ruby-jekyll-seo-tag ruby-jekyll-paginate
ACCEPTANCE_VENV := .build/acceptance-venv

include Sources/drydock-jail/jail.mk
include packaging/install.mk
include Tests/Fuzz/fuzz.mk
include Tests/Autobahn/autobahn.mk

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: run
run: packages build-release ## install what is missing, build, start on LISTEN with an example build to watch
	@exec .build/release/drydock serve --listen $(LISTEN) $(if $(DATA),--data $(DATA)) --plugins plugins --build $(EXAMPLE)

.PHONY: build
build: jail ## debug build of everything, tests included
	@swift build --build-tests

.PHONY: build-release
build-release: jail
	@# With Swift's libraries inside: one build serves `make run` and `make install`.
	swift build -c release --product drydock --static-swift-stdlib

.PHONY: test
test: test-packages build test-projects acceptance-venv ## everything needed to run all tests, then all tests
	@python3 -m unittest discover --start-directory Tests/Plugins
	DRYDOCK_REAL_PROJECTS=$(abspath $(REAL_PROJECTS)) Tests/run-all .build/debug/drydockPackageTests.xctest .build/test-logs
	Tests/acceptance/run .build/debug/drydock $(ACCEPTANCE_VENV)/bin/python

.PHONY: check
check: lint deps-check structure-check ## what does not need a build

.PHONY: lint
lint:
	@swift format lint --strict --recursive --parallel Sources Tests Package.swift
	.ci/lint-c

.PHONY: deps-check
deps-check: ## arrows between targets only point down
	@.ci/deps-check

.PHONY: structure-check
structure-check:
	@.ci/structure-check

.PHONY: bench-start
bench-start: test-packages build-release ## `true` in the sandbox against bubblewrap, and what each layer costs
	@Tests/Benchmarks/bench-start

.PHONY: bench-lines
bench-lines: test-packages build-release ## lines a second through worker and server, beside a bare pipe, and what observers cost
	@Tests/Benchmarks/bench-lines
	@DRYDOCK_BENCH=1 swift build -c release --scratch-path .build/bench --product drydock-lines
	@.build/bench/release/drydock-lines

.PHONY: bench-builds
bench-builds: test-packages build-release ## trivial builds a second, with one slot and with two
	@Tests/Benchmarks/bench-builds

.PHONY: bench-history
bench-history: test-packages build-release ## a start with 100 000 past builds beside one with none, and 20 000 rebuilt
	@Tests/Benchmarks/bench-history

.PHONY: bench-stream
bench-stream: test-packages build-release acceptance-venv ## live logs for many viewers, beside a Python process; two minutes
	@PYTHON=$(ACCEPTANCE_VENV)/bin/python Tests/Benchmarks/bench-stream

.PHONY: bench-viewers
bench-viewers: test-packages build-release acceptance-venv ## what 10 000 idle connections and 5 000 viewers cost, bytes with and without deflate; two minutes
	@PYTHON=$(ACCEPTANCE_VENV)/bin/python Tests/Benchmarks/bench-viewers

.PHONY: bench-egress
bench-egress: test-packages build-release ## 500 MiB through a sandbox's proxy beside direct, first byte, 500 connections, a build from the cache; as root
	@Tests/Benchmarks/bench-egress
	@Tests/Benchmarks/bench-cache

.PHONY: bench-progress
bench-progress: $(if $(DRYDOCK),,build-release) ## bar and predicted end of real projects beside what they took; after `make real-projects`
	@DRYDOCK=$(or $(DRYDOCK),.build/release/drydock) Tests/Benchmarks/bench-progress --from $(PROJECTS)

.PHONY: chaos
chaos: test-packages build-release ## kills server and worker 100 times at random, and counts anomalies
	@Tests/Chaos/chaos 100

.PHONY: sandbox-test-v2
sandbox-test-v2: test-packages build ## VM=…: the tests of the sandbox in a machine with pure cgroup v2, as root and as an ordinary user
	@Tests/sandbox-v2 $(VM)

.PHONY: resume-check
resume-check: test-packages acceptance-venv $(if $(DRYDOCK),,build-release) ## 200 viewers cut at random during 200 000 lines, and the server killed: same log for all?
	@DRYDOCK=$(or $(DRYDOCK),.build/release/drydock) PYTHON=$(ACCEPTANCE_VENV)/bin/python $(ACCEPTANCE_VENV)/bin/python Tests/Chaos/resume

# What the tests build; `real-projects` is more, and no test.
.PHONY: test-projects
test-projects:
	@Tests/RealProjects/fetch $(REAL_PROJECTS)

.PHONY: real-projects
real-projects: project-packages $(if $(DRYDOCK),,build-release) ## fetches and builds a hundred real projects, writes docs/projects.md; half an hour
	@DRYDOCK=$(or $(DRYDOCK),.build/release/drydock) Tests/RealProjects/build-all --into $(PROJECTS)

.PHONY: acceptance-venv
acceptance-venv: $(ACCEPTANCE_VENV)/ready
$(ACCEPTANCE_VENV)/ready:
	@python3 -m venv $(ACCEPTANCE_VENV)
	$(ACCEPTANCE_VENV)/bin/pip install --quiet websockets schemathesis
	touch $@

# Debian packages that are missing are installed; nothing happens, and no network is needed, when all are there.
define install_packages
	@missing=$$(for p in $(1); do [ "$$(dpkg-query -W -f='$${db:Status-Status}' $$p 2>/dev/null)" = installed ] || echo $$p; done)
	if [ -n "$$missing" ]; then
	    sudo=$$([ "$$(id -u)" = 0 ] || echo sudo)
	    echo "installing from Debian:" $$missing
	    $$sudo apt-get -qq update
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y $$missing >/dev/null
	fi
endef

.PHONY: packages test-packages project-packages
packages:
	$(call install_packages,$(PACKAGES))
test-packages:
	$(call install_packages,$(TEST_PACKAGES))
project-packages:
	$(call install_packages,$(PROJECT_PACKAGES))

.PHONY: openapi-check
openapi-check: build acceptance-venv ## EXAMPLES=…: requests made up from the OpenAPI document, and what is answered
	@$(ACCEPTANCE_VENV)/bin/python Tests/acceptance/openapi_contract.py .build/debug/drydock

.PHONY: wire-check
wire-check: build acceptance-venv ## the contract of /ws over TLS and behind nginx, which is installed where it is missing
	$(call install_packages,nginx-light openssl curl)
	Tests/acceptance/wire-check .build/debug/drydock $(ACCEPTANCE_VENV)/bin/python

.PHONY: clean
clean: ## removes everything that was built; not the data directory
	@rm -rf .build
