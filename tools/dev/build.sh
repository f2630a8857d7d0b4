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

# ninja's lines, without those that say that nothing is to be done; on a terminal, progress stays on one line.
show_progress() {
  local line told=no open=no
  while IFS= read -r line; do
    case "$line" in "ninja: Entering directory"* | "ninja: no work to do"* | *"Re-checking globbed directories"*) continue ;; esac
    [ "$told" = yes ] || say "building $preset"
    told=yes
    if [ -t 2 ] && [[ "$line" == \[* ]]; then
      printf '\r\033[K%.110s' "$line" >&2
      open=yes
    else
      [ "$open" = no ] || echo >&2
      open=no
      printf '%s\n' "$line" >&2
    fi
  done
  [ "$open" = no ] || echo >&2
}

start=$SECONDS
ninja -C "$folder" -j "$jobs" "${targets[@]}" | show_progress || die "build: $preset failed; see above"
[ "$((SECONDS - start))" -lt 3 ] || say "built $preset in $((SECONDS - start)) s"
