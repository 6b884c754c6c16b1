# Everything a person types. `make serve` and `make test` need nothing but Debian 12 and make.
.PHONY: serve build test unit scenarios nightly databases tsan docs format lint bench scale cluster deps test-deps lint-deps clean

# Steps install packages and share build/: one after the other, whatever -j says.
.NOTPARALLEL:

BUILD := build/release
JOBS ?= $(shell nproc)

serve: build
	@tools/serve

deps:
	@tools/install-deps build

test-deps:
	@tools/install-deps test

lint-deps:
	@tools/install-deps lint

build: deps
	@mkdir -p build
	@cmake --preset release > build/release.configure.log 2>&1 || \
	  { tail -n 30 build/release.configure.log >&2; exit 1; }
	@ninja -C $(BUILD) -j $(JOBS) $(if $(CI),--quiet) tarn
	@ln -sfn src/app/tarn $(BUILD)/tarn

# Unit, contract, model and fuzz-replay tests under ASan and UBSan; then real clients against the
# release binary.
test: deps test-deps build
	@tools/run-tests

unit: deps test-deps
	@tools/run-tests unit

scenarios: build test-deps
	@tools/run-tests scenarios

# Every version of PostgreSQL, poolers, engines that speak its protocol, DynamoDB Local.
databases: build test-deps
	@tools/install-deps databases
	@tools/run-tests databases

tsan: deps test-deps
	@tools/run-tests tsan

# Everything of `test`, then other databases, ThreadSanitizer, a longer model run, more crashes, failures of power and a 5 GiB object.
nightly: test
	@tools/install-deps databases
	@tools/run-tests databases
	@tools/run-tests tsan
	@tools/run-tests bench
	@tools/run-tests soak
	@tools/run-tests load
	@tools/run-tests fuzz

# What the build knows better than a person: tables inside docs/.
docs: build
	@tools/update-docs

# The same work on the release build and on the reference, if it is there; see bench/README.md.
bench: build
	@bench/run

# PostgreSQL, an S3 server, three servers and a small load on this machine, until Ctrl-C.
cluster: build test-deps
	@build/venv/bin/python tools/cluster

# 10,000,000 objects, 10,000 branches, 100,000 commits: what grows with size. SCALE=0.01 tries it.
scale: build
	@ninja -C $(BUILD) -j $(JOBS) $(if $(CI),--quiet) tarn_scale_fill
	@bench/scale --scale $(or $(SCALE),1)

format: lint-deps
	@git ls-files 'src/*.cc' 'src/*.h' | xargs clang-format-19 -i

lint: deps test-deps lint-deps
	@tools/lint

clean:
	rm -rf build
