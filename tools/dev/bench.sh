#!/usr/bin/env bash
# ./dev bench NAME [ARGS…]: bench/NAME.mjs against the release build.
source "$STARLING_ROOT/tools/dev/lib.sh"

name="${1:-}"
[ -n "$name" ] || die "bench: which one? $(cd "$root/bench" && ls ./*.mjs | sed 's|./||; s|\.mjs||' | tr '\n' ' ')"
shift
[ -f "$root/bench/$name.mjs" ] || die "bench: there is no bench/$name.mjs"
dev build release starling netlab
exec node "$root/bench/$name.mjs" "$@"
