#!/usr/bin/env bash
# ./dev setup [build|test|check]: installs what is missing, and nothing else. Each group contains the one before:
# build (packages, llama.cpp's source), test (the default: packages of the end-to-end tests, npm's too), check (clang).
# It looks at the machine each time and keeps no note of its own, so it can be interrupted and repeated.
source "$STARLING_ROOT/tools/dev/lib.sh"
source "$root/tools/dev/packages.sh"

group="${1:-test}"
case "$group" in
  build | test | check) ;;
  *) die "setup: there is no group \"$group\"; there are build, test and check" ;;
esac

lock_wait_s=1800  # another clone may be fetching the same things

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    have sudo || die "setup: not root and no sudo here. Ask an administrator for: ${missing[*]}"
    sudo "$@"
  fi
}

# Fills `missing`. dpkg-query fails where it does not know one of the packages, and still lists the others.
find_missing() {
  local known package
  known=" $({ dpkg-query -W -f='${db:Status-Status}:${Package}\n' "$@" 2>/dev/null || true; } | tr '\n' ' ') "
  missing=()
  for package in "$@"; do
    case "$known" in *" installed:$package "*) ;; *) missing+=("$package") ;; esac
  done
}

apt_install() {
  local quiet=(-qq)
  [ ! -t 2 ] || quiet=(-q -o Dpkg::Progress-Fancy=1)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
    -o DPkg::Lock::Timeout="$lock_wait_s" "${quiet[@]}" "$@" >&2
}

setup_packages() {
  local wanted=("${packages_build[@]}")
  [ "$group" = build ] || wanted+=("${packages_test[@]}")
  [ "$group" != check ] || wanted+=("${packages_check[@]}")
  if ! have apt-get; then
    say "no apt here: make sure that these, or what they are called here, are installed: ${wanted[*]}"
    return
  fi
  if ! have npm || ! have node; then wanted+=("${packages_node[@]}"); fi
  find_missing "${wanted[@]}"
  [ "${#missing[@]}" -gt 0 ] || return 0

  say "installing ${#missing[@]} packages: ${missing[*]}"
  local package stale=no
  for package in "${missing[@]}"; do
    apt-cache show "$package" >/dev/null 2>&1 || stale=yes
  done
  if [ "$stale" = no ] && apt_install "${missing[@]}"; then return 0; fi
  say "refreshing the package lists"
  as_root apt-get update -q -o DPkg::Lock::Timeout="$lock_wait_s" >&2 || die "setup: apt-get update failed; see above"
  apt_install "${missing[@]}" || die "setup: apt could not install: ${missing[*]}; see above"
}

# QUIC: a version that Debian 12 has in its backports alone. What is installed is asked of pkg-config, whoever installed it.
setup_ngtcp2() {
  ! pkg-config --exists "$ngtcp2_modules" 2>/dev/null || return 0
  if ! have apt-get; then
    say "no apt here: make sure that ngtcp2 with GnuTLS, $ngtcp2_min or newer, is installed"
    return
  fi
  missing=("${packages_ngtcp2[@]}")
  local from=()
  if ! candidate_is_new_enough; then
    add_backports
    from=(-t "$codename-backports")
  fi
  say "installing ${missing[*]} (ngtcp2 $ngtcp2_min or newer)"
  apt_install "${from[@]}" "${missing[@]}" || die "setup: apt could not install ${missing[*]} $ngtcp2_min or newer; see above"
  pkg-config --exists "$ngtcp2_modules" || die "setup: ngtcp2 is installed and still older than $ngtcp2_min"
}

candidate_is_new_enough() {
  local version
  version="$(apt-cache policy "${packages_ngtcp2[0]}" 2>/dev/null | sed -n 's/^  Candidate: //p')"
  [ -n "$version" ] && dpkg --compare-versions "$version" ge "$ngtcp2_min"
}

# Sets `codename`. Backports come from where this machine gets its other Debian packages.
add_backports() {
  local uri
  read -r uri codename < <(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' \
    'Created-By: Packages' 'Label: Debian' 'Component: main' 2>/dev/null | grep -v -- '-updates$' | head -n 1) || true
  [ -n "${codename:-}" ] || die "setup: ngtcp2 $ngtcp2_min or newer is needed, and apt here knows no Debian repository to take it from"
  if apt-get indextargets --format '$(CODENAME)' 2>/dev/null | grep -qx -- "$codename-backports"; then return 0; fi
  say "adding $codename-backports to apt's sources, from $uri"
  local file=/etc/apt/sources.list.d/starling-backports.sources signed=/usr/share/keyrings/debian-archive-keyring.gpg
  {
    printf '# Written by Starling'"'"'s ./dev setup, for ngtcp2 %s or newer. May be removed.\n' "$ngtcp2_min"
    printf 'Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n' "$uri" "$codename"
    [ ! -e "$signed" ] || printf 'Signed-By: %s\n' "$signed"
  } | as_root tee "$file" >/dev/null
  as_root apt-get update -q -o DPkg::Lock::Timeout="$lock_wait_s" >&2 || die "setup: apt-get update failed; see above"
}

check_node() {
  local version
  version="$(node --version 2>/dev/null || echo none)"
  local major="${version#v}"
  major="${major%%.*}"
  case "$major" in '' | *[!0-9]*) die "setup: node does not run (it says: $version); install Node $node_major_min or newer" ;; esac
  [ "$major" -ge "$node_major_min" ] || die "setup: Node $version is too old; version $node_major_min or newer is needed"
}

# The source tree appears whole or not at all: everything happens in a folder that is renamed at the end.
fetch_llama_source() {
  local target="$1" work="$2"
  say "llama.cpp $llama_tag: downloading $llama_package (36 MB)"
  (cd "$work" && npm pack --silent "$llama_package" >/dev/null) ||
    die "setup: npm could not download $llama_package; check the network and npm's registry setting"
  local archive
  archive="$(echo "$work"/*.tgz)"
  echo "$llama_package_sha512  $archive" | sha512sum --check --status ||
    die "setup: $llama_package is not the file that is pinned (sha512 differs); nothing was kept"
  tar -xzf "$archive" -C "$work" package/llama/gitRelease.bundle
  echo "$llama_bundle_sha256  $work/package/llama/gitRelease.bundle" | sha256sum --check --status ||
    die "setup: the git bundle inside $llama_package is not the one that is pinned (sha256 differs); nothing was kept"
  say "llama.cpp $llama_tag: unpacking"
  git -c advice.detachedHead=false clone --quiet "$work/package/llama/gitRelease.bundle" "$work/source"
  rm -rf "$work/source/.git"
  mv -T "$work/source" "$target"
}

setup_llama_source() {
  local target="$cache/llama.cpp-$llama_tag"
  [ ! -e "$target/CMakeLists.txt" ] || return 0
  mkdir -p "$cache"
  exec 9>"$cache/source.lock"
  flock -w "$lock_wait_s" 9 || die "setup: another set-up has held $cache/source.lock for $lock_wait_s s"
  if [ ! -e "$target/CMakeLists.txt" ]; then
    local work
    work="$(mktemp -d "$cache/fetch.XXXXXX")"
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
    fetch_llama_source "$target" "$work"
    rm -rf "$work"
    trap - EXIT INT TERM
  fi
  exec 9>&-
}

# npm ci in FOLDER, unless its node_modules already come from this very lock file.
setup_npm() {
  local folder="$1" stamp="$1/node_modules/.from-lock"
  [ -f "$folder/package-lock.json" ] || return 0
  local lock
  lock="$(sha256sum <"$folder/package-lock.json")"
  [ "$(cat "$stamp" 2>/dev/null || true)" != "$lock" ] || return 0
  say "npm packages of ${folder#"$root"/}"
  (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error >&2) || die "setup: npm ci failed in $folder; see above"
  mkdir -p "$folder/node_modules"
  printf '%s\n' "$lock" >"$stamp"
}

setup_packages
setup_ngtcp2
check_node
setup_llama_source
setup_npm "$root/console"
[ "$group" = build ] || setup_npm "$root/tests/e2e"
