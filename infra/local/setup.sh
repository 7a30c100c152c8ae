#!/usr/bin/env bash
# Makes this machine ready to run and test Millrace. Says nothing when nothing is missing.
# Takes packages only from npm and from the system's own package manager.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly redis_needed=7 # the first with functions

step() { printf 'setup: %s\n' "$*"; }
fail() {
  printf 'setup: %s\n' "$@" >&2
  exit 1
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

install_redis() {
  if ! command -v redis-server >/dev/null; then
    if command -v apt-get >/dev/null; then
      install_redis_with_apt
    elif [[ "$(uname)" == Darwin ]] && command -v brew >/dev/null; then
      step "brew install redis"
      brew install --quiet redis || fail "could not install Redis: type   brew install redis"
    else
      fail "redis-server is missing: install Redis $redis_needed or newer with this system's package manager, for example" \
        "  dnf install redis    apk add redis    pacman -S redis    brew install redis"
    fi
  fi
  local version
  version=$(redis-server --version | sed -n 's/.* v=\([0-9.]*\).*/\1/p')
  if [[ ${version%%.*} -lt $redis_needed ]]; then
    fail "redis-server $version is too old: have Redis $redis_needed or newer on PATH (https://redis.io/docs/latest/operate/oss_and_stack/install/)"
  fi
}

install_redis_with_apt() {
  local as_root=()
  local advice="type, as root:   apt-get update && apt-get install redis-server"
  if [[ $EUID -ne 0 ]]; then
    command -v sudo >/dev/null || fail "redis-server is missing, and there is no sudo: $advice"
    as_root=(sudo)
  fi

  # The package starts a server on the usual port and has it started at each boot. Millrace starts its own, so the
  # first is forbidden for the time of the installation (where no policy of the machine's owner stands), the second after.
  local policy=/usr/sbin/policy-rc.d remove_policy=:
  if [[ ! -e $policy ]]; then
    remove_policy="${as_root[*]} rm -f $policy"
    # shellcheck disable=SC2064 # what it removes is settled now
    trap "$remove_policy" EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
  fi
  local installed=yes
  step "apt-get update"
  "${as_root[@]}" apt-get -qq update || installed=no
  step "apt-get install redis-server"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends redis-server \
    >/dev/null || installed=no
  $remove_policy
  trap - EXIT

  command -v redis-server >/dev/null || fail "could not install redis-server: $advice"
  if [[ $installed == yes ]] && command -v systemctl >/dev/null; then
    "${as_root[@]}" systemctl disable --now --quiet redis-server >/dev/null 2>&1 || true
  fi
}

check_node
install_modules
install_redis
