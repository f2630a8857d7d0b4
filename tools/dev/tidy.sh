#!/usr/bin/env bash
# ./dev tidy [--all|FILE…]: clang-tidy with the checks of .clang-tidy. Without arguments: the sources that differ from
# the main branch, committed or not.
source "$STARLING_ROOT/tools/dev/lib.sh"

dev setup check
cd "$root"
[ -e build/tidy/build.ninja ] || cmake --preset tidy >&2 || die "tidy: configuring failed; see above"

case "${1:-}" in
  --all) mapfile -t files < <(git ls-files -- 'src/*.cpp' 'apps/*.cpp') ;;
  '')
    base="$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)"
    mapfile -t files < <({
      git diff --name-only --diff-filter=d "$base" -- 'src/*.cpp' 'apps/*.cpp'
      git ls-files --others --exclude-standard -- 'src/*.cpp' 'apps/*.cpp'
    } | sort -u) ;;
  *) files=("$@") ;;
esac
[ "${#files[@]}" -gt 0 ] || { say "tidy: nothing has changed"; exit 0; }
say "tidy: ${#files[@]} files"
# stderr has nothing but a count of what the checks above leave out, for each file.
printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$jobs" clang-tidy-19 --quiet -p build/tidy 2>build/tidy/stderr.log || {
  grep -v 'warnings\? generated' build/tidy/stderr.log >&2 || true
  die "tidy: findings above"
}
