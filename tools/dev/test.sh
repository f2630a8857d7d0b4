#!/usr/bin/env bash
# ./dev test [CTEST ARGS…]: every unit test and small simulation, then the end-to-end tests against the real program.
# With STARLING_PRESET=asan or tsan the same tests run instrumented; with STARLING_E2E=no without the end-to-end ones.
source "$STARLING_ROOT/tools/dev/lib.sh"

preset="${STARLING_PRESET:-release}"
dev setup test
[ "$preset" = release ] || dev setup check
dev build "$preset" all

say "unit tests ($preset)"
(cd "$root/build/$preset" && ctest -LE '^sim$' --output-on-failure --no-tests=error "$@") || die "test: a unit test failed; see above"

# The console is the same in every preset.
if [ "$preset" = release ]; then
  say "unit tests (console)"
  (cd "$root/console" && npm run --silent check && npm test --silent) || die "test: the console's tests failed; see above"
fi

if [ "${STARLING_E2E:-yes}" = yes ]; then
  say "end-to-end tests ($preset)"
  (cd "$root/tests/e2e" && STARLING_BIN="$root/build/$preset/starling" npm test --silent) ||
    die "test: an end-to-end test failed; see above"
fi
