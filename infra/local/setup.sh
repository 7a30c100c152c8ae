#!/usr/bin/env bash
# Makes this machine ready to run Millrace, with --tests also to test it. Says nothing when nothing is missing.
# Takes packages only from npm and from the system's own package manager.
#
#   setup.sh [--tests]
#
# Redis must be there in the end. A tool that only tests use may be missing: it is named, and those tests are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly redis_needed=7 # the first with functions

step() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
}

# What is needed, a line each: the program that shows it is there, its package in Debian, its package in Homebrew.
needs=$(printf '%s\n' 'redis-server redis-server redis')
case "$*" in
  '') ;;
  --tests)
    needs=$(printf '%s\n' "$needs" \
      'promtool prometheus prometheus' \
      'amtool prometheus-alertmanager alertmanager' \
      'shellcheck shellcheck shellcheck')
    ;;
  *) fail "usage: setup.sh [--tests]" ;;
esac
readonly needs

# Those of them that are not there.
missing() {
  local program packages
  while read -r program packages; do
    command -v "$program" >/dev/null || printf '%s %s\n' "$program" "$packages"
  done <<<"$needs"
}

check_node() {
  local program='const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'
  command -v node >/dev/null || fail "node is missing: install Node.js 20.19 or newer (https://nodejs.org)"
  node -e "$program" || fail "node $(node --version) is too old: install Node.js 20.19 or newer (https://nodejs.org)"
}

install_modules() {
  # npm writes the second file at the end of an installation.
  if [[ ! -f node_modules/.package-lock.json || package-lock.json -nt node_modules/.package-lock.json ]]; then
    step "npm ci"
    npm ci --no-audit --no-fund --loglevel=error || fail "could not install the node modules: type   npm ci"
  fi
}

install_programs() {
  local packages=() advice
  # shellcheck disable=SC2207 # a package's name is one word
  if [[ -z "$(missing)" ]]; then
    return 0
  elif command -v apt-get >/dev/null; then
    packages=($(missing | cut -d' ' -f2))
    advice="type, as root:   apt-get update && apt-get install ${packages[*]}"
    install_with_apt "${packages[@]}"
  elif [[ "$(uname)" == Darwin ]] && command -v brew >/dev/null; then
    packages=($(missing | cut -d' ' -f3))
    advice="type   brew install ${packages[*]}"
    step "brew install ${packages[*]}"
    brew install --quiet "${packages[@]}" || true
  else
    advice="install it with this system's package manager, for example
  dnf install redis    apk add redis    pacman -S redis    brew install redis"
  fi

  local program
  for program in $(missing | cut -d' ' -f1); do
    [[ $program != redis-server ]] || fail "redis-server $redis_needed or newer is missing, and could not be installed: $advice"
    step "$program is missing, and could not be installed: the tests that need it are skipped"
  done
}

install_with_apt() {
  local as_root=()
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null || return 0
    as_root=(sudo)
  fi

  # Some of these packages start a server on its usual port and have it started at each boot. Millrace starts its own, so
  # the first is forbidden for the time of the installation (where no policy of the machine's owner stands), the second after.
  local policy=/usr/sbin/policy-rc.d remove_policy=:
  if [[ ! -e $policy ]]; then
    remove_policy="${as_root[*]} rm -f $policy"
    # shellcheck disable=SC2064 # what it removes is settled now
    trap "$remove_policy" EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null &&
      "${as_root[@]}" chmod 755 $policy || return 0
  fi
  step "apt-get update"
  "${as_root[@]}" apt-get -qq update || true
  # One that the machine's sources do not have must not keep the others away.
  local package known=()
  for package in "$@"; do
    if apt-cache show "$package" >/dev/null 2>&1; then known+=("$package"); fi
  done
  local installed=no
  if [[ ${#known[@]} -gt 0 ]]; then
    step "apt-get install ${known[*]}"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${known[@]}" \
      >/dev/null && installed=yes
  fi
  $remove_policy
  trap - EXIT

  [[ $installed == yes ]] && command -v systemctl >/dev/null || return 0
  for package in "${known[@]}"; do
    "${as_root[@]}" systemctl disable --now --quiet "$package" >/dev/null 2>&1 || true
  done
}

check_redis() {
  local version
  version=$(redis-server --version | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
  if [[ ${version%%.*} -lt $redis_needed ]]; then
    fail "redis-server $version is too old: have Redis $redis_needed or newer on PATH (https://redis.io/docs/latest/operate/oss_and_stack/install/)"
  fi
}

check_node
install_modules
install_programs
check_redis
