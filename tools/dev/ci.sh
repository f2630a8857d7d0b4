#!/usr/bin/env bash
# ./dev ci: everything that a change has to pass, cheapest first; the tests are the README's own ./dev test.
source "$STARLING_ROOT/tools/dev/lib.sh"

fuzz_seconds=60
soak_minutes=0.5  # ./dev bench soak runs ten

instrumented() { STARLING_PRESET="$1" STARLING_E2E="$2" bash "$root/tools/dev/test.sh"; }

start=$SECONDS
timed "set-up" dev setup check
timed "format" dev fmt --check
timed "tests" "$root/dev" test
timed "tests under address and undefined-behaviour sanitizers" instrumented asan yes
timed "tests under thread sanitizer" instrumented tsan no
timed "fuzzing" dev fuzz "$fuzz_seconds"
timed "soak" dev bench soak --minutes "$soak_minutes" --no-results
say "ci passed in $(((SECONDS - start) / 60)) min $(((SECONDS - start) % 60)) s"
