# The commands of this repository; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help deps build release demo test soak upgrade mutants architecture docs pictures bench package trypackage image lint format clean

SWIFT ?= swift
TOOLCHAIN = $(dir $(realpath $(shell command -v $(SWIFT))))
# Where the toolchain has them, Swift's own libraries become part of the program: it is quicker, and runs where no Swift is installed.
LIBRARIES = $(shell $(SWIFT) -print-target-info | sed -n 's/.*"runtimeResourcePath": "\(.*\)".*/\1/p')_static
FOR_USE = -c release $(if $(wildcard $(LIBRARIES)),--static-swift-stdlib)
SYSTEM_PACKAGES := libsqlite3-dev libcurl4-openssl-dev libpq-dev libical-dev libssl-dev zlib1g-dev ca-certificates
TEST_PACKAGES := python3 python3-venv python3-aiosmtpd python3-icalendar python3-dateutil python3-jsonschema python3-yaml postgresql postfix radicale xandikos \
	curl iproute2 chromium chromium-driver nodejs
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
missing = $(shell for package in $(1); do dpkg-query -W -f='$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done)
install = packages="$(call missing,$(1))"; if [ -n "$$packages" ]; then \
	$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$packages; fi

help: ## List the commands
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

deps: ## Install the system packages that a build needs
	@$(call install,$(SYSTEM_PACKAGES))

testdeps: deps
	@$(call install,$(TEST_PACKAGES))
	@$(MAKE) --silent .build/python/1/ready .build/python/2/ready .build/python/3/ready .build/python/4/ready .build/wrong_clock.so

# Independent readers of what we write: one environment for each era of the MCP client, one that drives a browser, and one where people
# sign in.
.build/python/1/ready: READERS := schemathesis==4.32.5 standardwebhooks==1.1.0 jsonschema==4.26.0 mcp==1.30.0
.build/python/2/ready: READERS := mcp==2.3.0
.build/python/3/ready: READERS := selenium==4.51.0 axe-core-python==0.1.0
.build/python/4/ready: READERS := oidc-provider-mock==0.3.4 authlib==1.9.10
.build/python/%/ready:
	/usr/bin/python3 -m venv --clear $(@D) && $(@D)/bin/pip install --quiet --disable-pip-version-check $(READERS) && touch $@

# For a test with servers whose clocks differ.
.build/wrong_clock.so: Tests/System/Scripts/wrong_clock.c
	mkdir -p $(@D) && $(TOOLCHAIN)clang -shared -fPIC -O1 -Wall -Werror -o $@ $<

build: deps ## Build the command `usher`
	$(SWIFT) build --product usher

release: deps ## Build the command `usher` for use
	$(SWIFT) build $(FOR_USE) --product usher

demo: build ## Watch a booking become a room and a mail, sandboxed; DATABASE=postgres on a PostgreSQL of its own
ifeq ($(DATABASE),postgres)
	@$(call install,postgresql)
	Tests/System/Scripts/with_postgres.sh .build/debug/usher demo $(DEMO) --database
else
	$(SWIFT) run --skip-build usher demo $(DEMO)
endif

# What has failed is said once more at the end, where it is seen.
run_tests = bash -c 'set -o pipefail; $(SWIFT) test --skip-build $(1) 2>&1 | tee .build/tests.log || { grep -a "✘" .build/tests.log; exit 1; }'

# Bounds in wall-clock time hold on cores that nobody else uses; the seeded runs use all of them.
TIMED := QueueTests|PipelineTests/hangingProvider|OverloadTests|AccessTests/silentCallers|CommandTests/waits

# These keep every core busy with seeded cases.
SEEDED := SimulationTests|OracleTests

# These start servers and browsers, and wait for them.
AT_SERVERS := BackupTests|BrowserTests|BusySourceTests|ManyServersTests|FailoverTests|DatabaseCopyTests|SignInTests

# These start database servers, and watch who waits for whom.
AT_DATABASES := DatabaseTests|LockTests|PostgreSQLTests

# The same tests with another database behind the engine, at a server that they start themselves.
ON_POSTGRES := USHER_TEST_DATABASE=postgres

# A package of a third party, which is built as one.
EXAMPLE := --package-path Tests/Example --scratch-path .build/example

define tests
$(SWIFT) build --build-tests
@$(call run_tests,--skip "CrashTests|$(SEEDED)|$(AT_SERVERS)|$(AT_DATABASES)|$(TIMED)")
@$(call run_tests,--filter "$(AT_SERVERS)")
@$(call run_tests,--filter "$(AT_DATABASES)")
@$(call run_tests,--filter "$(SEEDED)")
@$(call run_tests,--filter "$(TIMED)")
@$(call run_tests,--filter "[.]CrashTests")
@$(call run_tests,--filter ChangeCrashTests)
@$(ON_POSTGRES) $(call run_tests,--filter PipelineTests --skip "$(TIMED)")
@$(ON_POSTGRES) $(call run_tests,--filter SimulationTests)
@$(ON_POSTGRES) $(call run_tests,--filter ChangeCrashTests)
@$(ON_POSTGRES) USHER_TEST_POSTGRES=default_transaction_isolation=serializable $(call run_tests,--filter PipelineTests --skip "$(TIMED)")
@# A plan of before does not know files that were added to the package it depends on.
@rm -f .build/example/*.yaml .build/example/debug/description.json
$(SWIFT) test $(EXAMPLE)
endef

test: testdeps ## Run the tests, long ones in their short form; ONLY=pattern runs those alone
ifdef ONLY
	$(SWIFT) test --filter "$(ONLY)"
else
	$(tests)
endif

soak: export USHER_SOAK = 1
soak: testdeps ## Run the tests, long ones in full
	$(tests)
	$(SWIFT) build $(FOR_USE) --product usher-simulate
	.build/release/usher-simulate 1-50000
	$(ON_POSTGRES) .build/release/usher-simulate 1-1000
	@$(MAKE) upgrade

# The last commit before the schema's newest version: its program is that of the release before.
FORMER ?= $(shell git log -1 --format=%H -S"$$(grep -o 'version[0-9]*' Engine/Store/Schema.swift | sort -V | tail -1)" -- Engine/Store/Schema.swift)^

upgrade: testdeps ## Run the release before beside this one, on one database; FORMER=commit
	test -d .build/former/source || git clone -q . .build/former/source
	git -C .build/former/source fetch -q origin && git -C .build/former/source checkout -q --detach $$(git rev-parse $(FORMER))
	$(SWIFT) build --package-path .build/former/source --scratch-path .build/former/build --product usher
	$(SWIFT) build --build-tests
	@USHER_FORMER=$(CURDIR)/.build/former/build/debug/usher $(call run_tests,--filter UpgradeTests)

mutants: testdeps ## Switch the engine's guards off one by one, and see the seeded runs notice
	/usr/bin/python3 Tests/System/Scripts/mutants.py . .build/mutants .build/mutants-build 1200

architecture: ## Measure files, functions, circles of references and documentation; see that the guards of `mutants` stand
	/usr/bin/python3 Tests/System/Scripts/architecture.py .
	/usr/bin/python3 Tests/System/Scripts/mutants.py .

docs: ## Build the chapters as pages, in .build/docs
	$(TOOLCHAIN)docc convert Engine/Usher.docc --fallback-display-name Usher \
		--fallback-bundle-identifier usher --warnings-as-errors --output-path .build/docs

pictures: testdeps build ## Take the README's pictures anew, into .github/images
	.build/python/3/bin/python Tests/System/Scripts/pictures.py .build/debug/usher .github/images

bench: testdeps release ## Measure, in a release build
	@$(call install,hey)
	$(SWIFT) build $(FOR_USE) --product usher-bench
	.build/release/usher-bench

package: release ## Make a Debian package and a tarball, in .build/package
	@$(call install,dpkg-dev binutils xz-utils lintian)
	$(SWIFT) build -c release --package-path .build/checkouts/swift-argument-parser --scratch-path .build/manual --product generate-manual
	rm -rf .build/man .build/package && mkdir -p .build/man
	.build/manual/release/generate-manual .build/release/usher --multi-page --section 1 --date $$(git log -1 --format=%cs) -o .build/man
	/usr/bin/python3 .packaging/sbom.py Package.resolved Package.swift .build/checkouts $$(.build/release/usher --version) .build/sbom.json .build/notices.txt
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) /usr/bin/python3 .packaging/package.py .build/release/usher .build/man .build/sbom.json \
		.build/notices.txt .build/package
	lintian --fail-on error .build/package/*.deb

trypackage: package ## Install the package in a clean Debian, use it, remove it; FORMER=file upgrades from that one
	@$(call install,debootstrap)
	$(SUDO) .packaging/try.sh .build/package/*.deb .build/debian $(FORMER)

image: package ## Make an image in OCI's format, in .build/package, without an engine for containers, and try it
	@$(call install,debootstrap buildah)
	$(SUDO) env SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) .packaging/image.sh .build/package/*.deb .build/debian .build/package/usher.oci.tar \
		$$(git rev-parse HEAD)

lint: ## Check the format
	$(SWIFT) format lint --strict --recursive --parallel Package.swift Engine Providers Tests

format: ## Put the format right
	$(SWIFT) format --in-place --recursive --parallel Package.swift Engine Providers Tests

clean: ## Remove what was built
	rm -rf .build
