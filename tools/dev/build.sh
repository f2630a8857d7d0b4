#!/usr/bin/env bash
# ./dev build [PRESET [TARGET…]]: default release, target starling. Silent when there is nothing to do.
source "$STARLING_ROOT/tools/dev/lib.sh"

preset="${1:-release}"
[ $# -eq 0 ] || shift
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(starling)

dev setup build
folder="$root/build/$preset"
if [ ! -e "$folder/build.ninja" ] || [ "$root/CMakePresets.json" -nt "$folder/CMakeCache.txt" ]; then
  say "configuring $preset"
  (cd "$root" && cmake --preset "$preset" --log-level=STATUS) >&2 || die "build: configuring $preset failed; see above"
  touch "$folder/CMakeCache.txt"
fi
if ninja -C "$folder" -n "${targets[@]}" 2>/dev/null | grep -q 'no work to do'; then exit 0; fi
start=$SECONDS
say "building $preset"
ninja -C "$folder" -j "$jobs" "${targets[@]}" >&2 || die "build: $preset failed; see above"
say "built $preset in $((SECONDS - start)) s"
