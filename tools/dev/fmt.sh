#!/usr/bin/env bash
# ./dev fmt [--check]: clang-format over our own C++ sources; --check changes nothing and fails where it would.
source "$STARLING_ROOT/tools/dev/lib.sh"

have clang-format-19 || dev setup check
cd "$root"
mapfile -d '' files < <(git ls-files -z --cached --others --exclude-standard -- '*.cpp' '*.hpp')
present=()
for file in "${files[@]}"; do [ ! -f "$file" ] || present+=("$file"); done
case "${1:-}" in
  '') clang-format-19 -i "${present[@]}" ;;
  --check)
    clang-format-19 --dry-run --Werror "${present[@]}" ||
      die "fmt: the files above are not formatted; ./dev fmt does it" ;;
  *) die "fmt: unknown argument \"$1\"; there is only --check" ;;
esac
