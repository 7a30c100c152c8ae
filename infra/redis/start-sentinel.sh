#!/bin/sh
# Starts a Sentinel for all groups: start-sentinel.sh [more settings for it]
#
# Its state (who is the master, epochs, votes, the other Sentinels) is in SENTINEL_DIR/sentinel.conf, which it rewrites
# itself. This script writes that file only where it is missing; settings are set again at each start.
#
# Environment: SENTINEL_HOST (where others reach it), SENTINEL_PORT, SENTINEL_BIND, SENTINEL_DIR,
# SENTINEL_MONITOR ("log=host:port store=host:port": the masters of the very first start), SENTINEL_QUORUM,
# SENTINEL_DOWN_AFTER_MS, SENTINEL_FAILOVER_TIMEOUT_MS, SENTINEL_HOSTNAMES (yes where addresses are names),
# REDIS_PASSWORD (of the data nodes), or REDIS_USERS, and REDIS_TLS: see ask.sh.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"
# shellcheck source=infra/redis/users.sh
. "$(dirname "$0")/users.sh"

: "${SENTINEL_HOST:?the address of this Sentinel}" "${SENTINEL_MONITOR:?log=host:port store=host:port}"
port=${SENTINEL_PORT:-26379}
dir=${SENTINEL_DIR:-/data}
conf=$dir/sentinel.conf
hostnames=${SENTINEL_HOSTNAMES:-no}
down_after=${SENTINEL_DOWN_AFTER_MS:-2000}
own_bind=${SENTINEL_BIND:-127.0.0.1}
own=${own_bind%% *}:$port

# From its address, 40 hex digits: a Sentinel whose disk was lost comes back as the same. As another one it would be
# counted beside its dead self, and the survivors would need a larger majority.
my_id() {
  for part in 1 2 3 4 5; do
    printf '%s' "$part $SENTINEL_HOST:$port" | cksum | awk '{ n = $1; for (i = 0; i < 8; i++) { s = substr("0123456789abcdef", n % 16 + 1, 1) s; n = int(n / 16) } printf "%s", s }'
  done
}

first_configuration() {
  printf 'sentinel myid %s\n' "$(my_id)"
  # These two come before the masters they are about.
  printf 'sentinel resolve-hostnames %s\nsentinel announce-hostnames %s\n' "$hostnames" "$hostnames"
  printf 'sentinel announce-ip %s\nsentinel announce-port %s\n' "$SENTINEL_HOST" "$port"
  printf 'sentinel deny-scripts-reconfig yes\n'
  if [ -n "${REDIS_USERS:-}" ]; then
    printf 'sentinel sentinel-user sentinel\nsentinel sentinel-pass "%s"\n' "$(password_of sentinel)"
  fi
  for group in $SENTINEL_MONITOR; do
    address=${group#*=}
    printf 'sentinel monitor %s %s %s %s\n' "${group%%=*}" "${address%:*}" "${address##*:}" "${SENTINEL_QUORUM:-2}"
    printf 'sentinel down-after-milliseconds %s %s\n' "${group%%=*}" "$down_after"
    if [ -n "${REDIS_USERS:-}" ]; then
      printf 'sentinel auth-user %s sentinel\n' "${group%%=*}"
      printf 'sentinel auth-pass %s "%s"\n' "${group%%=*}" "$(password_of sentinel)"
    elif [ -n "${REDIS_PASSWORD:-}" ]; then
      printf 'sentinel auth-pass %s "%s"\n' "${group%%=*}" "$REDIS_PASSWORD"
    fi
  done
}

# A list for `ask`, one to a line.
settings() {
  for group in $SENTINEL_MONITOR; do
    name=${group%%=*}
    # down-after: above three times the longest function call and any pause of the disk; 500 ms gave false alarms.
    echo "SENTINEL SET $name down-after-milliseconds $down_after"
    # An election that nobody wins (two of three Sentinels left, each votes for itself) is tried again after twice this:
    # with 15 s the log had no master for 34 s. Promoting a replica takes 1 to 2 s.
    echo "SENTINEL SET $name failover-timeout ${SENTINEL_FAILOVER_TIMEOUT_MS:-5000}"
    echo "SENTINEL SET $name parallel-syncs 1"
    echo "SENTINEL SET $name quorum ${SENTINEL_QUORUM:-2}"
    echo "SENTINEL SET $name master-reboot-down-after-period $down_after"
    # It may have been changed since the file was written.
    if [ -n "${REDIS_USERS:-}" ]; then echo "SENTINEL SET $name auth-pass \"$(password_of sentinel)\""; fi
  done
  if [ -n "${REDIS_USERS:-}" ]; then echo "SENTINEL CONFIG SET sentinel-pass \"$(password_of sentinel)\""; fi
  # Redis 7.0 and newer; who does not know it answers with an error and is only slower. Measured with 7.0.15:
  # a replica that has just synced counts as promotable after 1 s instead of up to 10 s (info-period), and a master deposed
  # by SENTINEL FAILOVER follows the new one after 2.5 s instead of 11.2 s (four times the publish-period, and an INFO):
  # for so long it takes writes that will be lost.
  echo "SENTINEL DEBUG info-period 1000"
  echo "SENTINEL DEBUG publish-period 500"
}

# Set on the running server: SENTINEL DEBUG cannot stand in the file, and the file belongs to Sentinel.
apply_settings() {
  until ask "$own" PING | grep -q PONG; do
    kill -0 $$ 2>/dev/null || return
    sleep 0.05
  done
  ask "$own" "$(settings)" >/dev/null
}

# Its own command line, as far as users and TLS go.
set_access() {
  access=''
  if [ -n "${REDIS_USERS:-}" ]; then access="--aclfile $dir/users.acl"; fi
  if [ -z "${REDIS_TLS:-}" ]; then
    access="$access --port $port"
  else
    access="$access --port 0 --tls-port $port --tls-replication yes --tls-auth-clients no"
    access="$access --tls-ca-cert-file $REDIS_TLS/ca.crt --tls-cert-file $REDIS_TLS/tls.crt --tls-key-file $REDIS_TLS/tls.key"
  fi
}

become sentinel
(umask 077 && write_users sentinel "$dir/users.acl") || fail "cannot write $dir/users.acl"
if [ ! -s "$conf" ]; then
  (umask 077 && first_configuration >"$conf.new" && mv "$conf.new" "$conf") || fail "cannot write $conf"
fi
apply_settings </dev/null >/dev/null &
set_access
# shellcheck disable=SC2086 # several words
exec redis-server "$conf" --sentinel $access --dir "$dir" --bind "${SENTINEL_BIND:-* -::*}" --protected-mode no "$@"
