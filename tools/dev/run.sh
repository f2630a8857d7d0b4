#!/usr/bin/env bash
# ./dev run ARGS…: the program, built from what stands here. It runs in the caller's folder, so that paths mean what
# the caller thinks, and stdout is the program's alone.
source "$STARLING_ROOT/tools/dev/lib.sh"

dev build release starling
exec "$root/build/release/starling" "$@"
