# What the scripts of ./dev share. Sourced, never run. Everything said here goes to stderr: stdout belongs to the
# program that a script runs in the end.
set -euo pipefail

root="${STARLING_ROOT:?run it through ./dev}"
cache="${STARLING_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/starling}"
jobs="$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)"

# Objects are found again from another clone of this repository: paths are hashed relative to its root.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
export NINJA_STATUS="[%f/%t %es] "

say() { printf 'dev: %s\n' "$*" >&2; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# dev VERB ARGS…: another verb, as a step of this one.
dev() {
  local verb="$1"
  shift
  bash "$root/tools/dev/$verb.sh" "$@"
}

# timed "what" COMMAND…: says what is being done and how long it took.
timed() {
  local what="$1" start=$SECONDS
  shift
  say "$what …"
  "$@" || die "$what: failed after $((SECONDS - start)) s"
  say "$what: $((SECONDS - start)) s"
}
