#!/bin/sh
# Moves the master away from this node without losing a write: for a preStop hook, or by hand. Exit code 0 when this node
# is not the master (any more), 1 when it has given up; then it is the master as before and takes writes again.
#
#   writes are paused -> every replica that could be promoted has all -> SENTINEL FAILOVER -> this node follows the new one
#
# A bare SENTINEL FAILOVER loses what the old master accepts until it is told, seconds later.
# Crash windows: killed at any point, the pause ends by itself, later than Sentinel needs to finish or to give up.
# A paused server looks dead to Sentinel (its PUBLISH is a write, and blocks the PINGs behind it), so a failover can begin
# without being asked for: before writes go on, the Sentinels are asked whether one runs.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"

: "${REDIS_KIND:?log or store}" "${REDIS_HOST:?the address of this node}" "${SENTINELS:?host:port,...}"
REDIS_PORT=${REDIS_PORT:-6379}
me=$REDIS_HOST:$REDIS_PORT
server=$(own_server)
pause_ms=10000
# Looks at the replicas, while no failover has been asked for; they have been found close behind before.
looks=10
# Looks at a failover that runs: longer than Sentinel's failover-timeout of 15 s.
failover_looks=200

# The offset of a server that is `role` and, as a replica, linked; nothing otherwise.
offset_of() {
  ask "$1" 'INFO replication' | awk -F: -v role="$2" '
    { said[$1] = $2 }
    END {
      if (said["role"] != role) exit
      if (role == "master") print said["master_repl_offset"]
      else if (said["master_link_status"] == "up") print said["slave_repl_offset"]
    }'
}
pause_writes() { ask "$server" "CLIENT PAUSE $pause_ms WRITE" >/dev/null; }
has_offset() {
  theirs=$(offset_of "$1" slave)
  [ -n "$theirs" ] && [ "$theirs" -ge "$2" ]
}

# Is there a replica to promote, and has each of them reached this offset? Whichever Sentinel takes is right then.
all_reached() {
  candidates=$(ask_sentinels | replicas_seen yes)
  [ -n "$candidates" ] || return 1
  for candidate in $candidates; do has_offset "$candidate" "$1" || return 1; done
}

# wait_for_replicas: up to `looks` times.
wait_for_replicas() {
  left=$looks
  until all_reached "$1"; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 0.05
  done
}

ask_for_failover() {
  for sentinel in $(sentinel_list); do
    case $(ask "$sentinel" "SENTINEL FAILOVER $REDIS_KIND") in OK*) return 0 ;; esac
  done
  return 1
}

# As Sentinel does it to a deposed master, which takes it 2 to 10 s: clients must look for the master anew.
follow() {
  ask "$server" "REPLICAOF ${1%:*} ${1##*:}" 'CLIENT KILL TYPE normal SKIPME yes' 'CLIENT KILL TYPE pubsub' \
    'CLIENT UNPAUSE' >/dev/null
}

# Returns when another node is the master, or when no failover runs any more.
see_failover_through() {
  left=$failover_looks
  while [ $left -gt 0 ]; do
    left=$((left - 1))
    answers=$(ask_sentinels)
    master=$(printf '%s\n' "$answers" | agreed_master)
    if [ -n "$master" ] && [ "$master" != "$me" ] && [ -n "$(offset_of "$master" master)" ]; then
      follow "$master"
      say "$master is the master of $REDIS_KIND now"
      return 0
    fi
    if [ "$master" = "$me" ] && ! printf '%s\n' "$answers" | failover_seen; then return 1; fi
    pause_writes
    sleep 0.05
  done
  return 1
}

give_up() {
  # One may have begun by itself meanwhile: writes that were let through now would be lost by it.
  see_failover_through && exit 0
  ask "$server" 'CLIENT UNPAUSE' >/dev/null
  fail "$me stays the master: $*"
}

offset=$(offset_of "$server" master)
if [ -z "$offset" ]; then
  say "$me is not the master"
  exit 0
fi
# Without a pause first: who is far behind, or away, is not waited for with the writes stopped.
wait_for_replicas "$offset" || fail "$me stays the master: its replicas cannot follow (or there are none, or no Sentinel answers)"
trap 'give_up "it was interrupted"' INT TERM HUP
pause_writes
offset=$(offset_of "$server" master)
wait_for_replicas "${offset:?it has ceased to answer}" || give_up "a replica did not get the last writes in time"
ask_for_failover || give_up "no Sentinel would start a failover"
see_failover_through || give_up "the Sentinels did not complete the failover"
