#!/usr/bin/env bash
# ./dev sim [SEED]: the tests labelled "sim": many nodes in virtual time, with their figures. A failure prints the seed
# that repeats it; ./dev test runs the smaller ones of them.
source "$STARLING_ROOT/tools/dev/lib.sh"

case "${1:-1}" in *[!0-9]*) die "sim: \"$1\" is not a seed; give a number" ;; esac
export STARLING_SIM_SEED="${1:-1}"

dev setup test
dev build release sims
cd "$root/build/release"
say "simulations, seed $STARLING_SIM_SEED"
exec ctest -L '^sim$' --verbose --no-tests=error
