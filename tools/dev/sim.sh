#!/usr/bin/env bash
# ./dev sim: the tests labelled "sim": many nodes in virtual time, with a printed seed.
source "$STARLING_ROOT/tools/dev/lib.sh"

if ! compgen -G "$root/tests/sim/*.cpp" >/dev/null; then
  say "sim: there are no simulations yet; they come with the mesh (one node has nothing to simulate)"
  exit 0
fi
dev build release all
cd "$root/build/release"
exec ctest -L sim --output-on-failure --no-tests=error "$@"
