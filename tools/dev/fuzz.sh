#!/usr/bin/env bash
# ./dev fuzz [SECONDS] [NAME…]: every tests/fuzz/NAME_fuzz.cpp for SECONDS (default 60) under libFuzzer with address
# and undefined-behaviour sanitizers, four at a time. Seeds: tests/fuzz/corpus/NAME; what is found grows build/asan/corpus.
source "$STARLING_ROOT/tools/dev/lib.sh"

seconds=60
case "${1:-}" in '' | *[!0-9]*) ;; *) seconds="$1"; shift ;; esac
names=("$@")
if [ "${#names[@]}" -eq 0 ]; then
  for file in "$root"/tests/fuzz/*_fuzz.cpp; do
    [ ! -e "$file" ] || names+=("$(basename "$file" _fuzz.cpp)")
  done
fi
[ "${#names[@]}" -gt 0 ] || die "fuzz: there is no tests/fuzz/*_fuzz.cpp"

parallel=4          # twice the cores of the smallest machine: each target has its time, and all are done in less
input_timeout_s=10  # a parser that takes longer than this on one input has a bug
memory_limit_mb=2048

dev setup check
dev build asan "${names[@]/%/_fuzz}"

folder="$root/build/asan"
mkdir -p "$folder/logs"
run_one() {
  local name="$1" seeds="$root/tests/fuzz/corpus/$1" corpus="$folder/corpus/$1"
  mkdir -p "$corpus" "$folder/artifacts/$name"
  local folders=("$corpus")
  [ ! -d "$seeds" ] || folders+=("$seeds")
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 "$folder/${name}_fuzz" \
    -max_total_time="$seconds" -timeout="$input_timeout_s" -rss_limit_mb="$memory_limit_mb" \
    -artifact_prefix="$folder/artifacts/$name/" -print_final_stats=1 "${folders[@]}" >"$folder/logs/$name.log" 2>&1
}

say "fuzz: ${#names[@]} targets, $seconds s each, $parallel at a time"
declare -A pids=()
failed=()
running=0
for name in "${names[@]}"; do
  if [ "$running" -ge "$parallel" ]; then wait -n || true; running=$((running - 1)); fi
  run_one "$name" &
  pids[$name]=$!
  running=$((running + 1))
done
for name in "${names[@]}"; do
  log="$folder/logs/$name.log"
  if wait "${pids[$name]}"; then
    executions="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    coverage="$(grep -o 'cov: [0-9]*' "$log" | tail -1 || true)"
    printf '  %-24s %12s inputs, %s\n' "$name" "${executions:-?}" "${coverage:-no coverage figure}" >&2
  else
    failed+=("$name")
    printf '  %-24s FAILED; %s:\n' "$name" "${log#"$root"/}" >&2
    tail -n 40 "$log" >&2
  fi
done
[ "${#failed[@]}" -eq 0 ] || die "fuzz: failed: ${failed[*]}; the inputs are in build/asan/artifacts"
