# libFuzzer targets and sanitizer runs; both take their time, so `.ci/run` does without them.

# One of FUZZ_TARGETS, or empty for all, each for FUZZ_SECONDS.
TARGET ?=
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := spec plugin-lines splitter client yaml tar zip journal json command pattern observer websocket

FUZZ_BUILD := .build/fuzz
FUZZ_SPEC := $(FUZZ_BUILD)/spec-fuzz
# The folder of the spec's decoder.
FUZZ_SPEC_SOURCES := Sources/CSandboxWire
# What runs under the sanitizers: suites that start no jail, as that is its own, uninstrumented program.
SANITIZERS ?= address thread
SANITIZED ?= Protocol|Config|Archive|OS|Store|Plugins|Worker

.PHONY: fuzz
fuzz: packages ## TARGET=… FUZZ_SECONDS=…: libFuzzer over everything that strangers write; stops at the first crash
	@for target in $(or $(TARGET),$(FUZZ_TARGETS)); do
	    case $$target in
	    spec) $(MAKE) -s $(FUZZ_SPEC);;
	    websocket) $(MAKE) -s fuzz-build FUZZ_PRODUCT=drydock-fuzz-server;;
	    *) $(MAKE) -s fuzz-build FUZZ_PRODUCT=drydock-fuzz;;
	    esac
	    Tests/Fuzz/run $$target $(FUZZ_SECONDS)
	done

.PHONY: fuzz-build
fuzz-build:
	@# libFuzzer comes without its main: which target runs is the program's first argument. -Xcc gives coverage to
	# all C, libyaml included; Swift has it from Package.swift, for our own targets only.
	runtime=$$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer_no_main-$$(uname -m).a
	DRYDOCK_FUZZ=1 swift build -c release --scratch-path $(FUZZ_BUILD) --sanitize=address --product $(FUZZ_PRODUCT) \
	    -Xcc -fsanitize=fuzzer-no-link -Xlinker "$$runtime"

$(FUZZ_SPEC): Tests/Fuzz/spec_fuzz.c $(FUZZ_SPEC_SOURCES)/spec.c $(FUZZ_SPEC_SOURCES)/include/sbx_spec.h
	@mkdir -p $(FUZZ_BUILD)
	clang -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -fuse-ld=lld \
	    -I$(FUZZ_SPEC_SOURCES)/include -o $@ Tests/Fuzz/spec_fuzz.c $(FUZZ_SPEC_SOURCES)/spec.c

# What ThreadSanitizer must be told about Swift's Mutex.
TSAN_MUTEX := $(abspath .build/tsan-mutex.so)

$(TSAN_MUTEX): Tests/Fuzz/tsan_mutex.c
	@mkdir -p $(@D)
	clang -std=gnu17 -Wall -Wextra -Werror -O1 -fPIC -shared -fuse-ld=lld -o $@ $<

.PHONY: sanitize
sanitize: test-packages jail $(TSAN_MUTEX) ## SANITIZERS='address thread': the suites of SANITIZED under each
	@for sanitizer in $(SANITIZERS); do
	    echo "== $$sanitizer"
	    swift build --build-tests --sanitize=$$sanitizer --scratch-path .build/$$sanitizer
	    if [ $$sanitizer = thread ]; then export LD_PRELOAD=$(TSAN_MUTEX); fi
	    SWIFT_BACKTRACE=enable=no TSAN_OPTIONS="halt_on_error=0 $${TSAN_OPTIONS:-}" \
	    ASAN_OPTIONS="detect_leaks=0 $${ASAN_OPTIONS:-}" \
	    swift test --skip-build --sanitize=$$sanitizer --scratch-path .build/$$sanitizer --no-parallel \
	        --filter '^Drydock($(SANITIZED))Tests\.'
	    unset LD_PRELOAD
	done
