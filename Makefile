# Everything a person types. `make serve` and `make test` need nothing but Debian 12 and make.
.PHONY: serve build test unit scenarios nightly tsan format lint bench deps test-deps clean

BUILD := build/release
JOBS ?= $(shell nproc)

serve: build
	@tools/serve

deps:
	@tools/install-deps build

test-deps:
	@tools/install-deps test

build: deps
	@cmake --preset release > /dev/null
	@ninja -C $(BUILD) -j $(JOBS) --quiet tarn
	@ln -sfn app/tarn $(BUILD)/tarn

# Unit, contract, model and fuzz-replay tests under ASan and UBSan; then real clients against the
# release binary.
test: deps test-deps build
	@tools/run-tests

unit: deps
	@tools/run-tests unit

scenarios: build test-deps
	@tools/run-tests scenarios

tsan: deps
	@tools/run-tests tsan

nightly: test
	@tools/run-tests tsan
	@tools/run-tests soak

# The same work on the release build and on the reference, if it is there; see bench/README.md.
bench: build
	@bench/run

format:
	@git ls-files 'src/*.cc' 'src/*.h' | xargs clang-format-19 -i

lint: deps
	@tools/lint

clean:
	rm -rf build
