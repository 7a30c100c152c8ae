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
# Longer than a look at everything; said again while it is needed.
pause_ms=10000
# How long replicas that were close behind may take for the last writes. A frozen one must not cost the whole pause.
catch_up_seconds=3
# Longer than Sentinel's failover-timeout of 5 s: by then it has given up.
failover_seconds=10
# A replica with much data takes longer to sync; then it is stopped all the same.
stoppable_seconds=10
# The Sentinel that has accepted to start the failover.
asked=''

now() { date +%s; }

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

# all_reached <offset>: is there a replica to promote, and has each of them got this far? Whichever Sentinel takes is right.
all_reached() {
  for candidate in $candidates; do has_offset "$candidate" "$1" || return 1; done
  [ -n "$candidates" ]
}

wait_for_replicas() {
  deadline=$(($(now) + catch_up_seconds))
  until all_reached "$1"; do
    [ "$(now)" -lt $deadline ] || return 1
    sleep 0.05
  done
  # Had it taken longer, the pause could be over before the failover has begun.
  [ "$(now)" -le $deadline ]
}

# A Sentinel that is frozen would carry the command out when it wakes, with no pause: only one that answers is told.
ask_for_failover() {
  for sentinel in $(sentinel_list); do
    [ "$(ask "$sentinel" PING)" = PONG ] || continue
    case $(ask "$sentinel" "SENTINEL FAILOVER $REDIS_KIND") in
      OK*)
        asked=$sentinel
        return 0
        ;;
    esac
  done
  return 1
}

# As Sentinel does it to a deposed master, which takes it 2 to 10 s: clients must look for the master anew.
follow() {
  ask "$server" "REPLICAOF ${1%:*} ${1##*:}" 'CLIENT KILL TYPE normal SKIPME yes' 'CLIENT KILL TYPE pubsub' \
    'CLIENT UNPAUSE' >/dev/null
}

# A replica that writes its first file after a full sync refuses to exit on SIGTERM, and does not think of it again: who
# stops the node after this would wait until it is killed.
wait_until_stoppable() {
  deadline=$(($(now) + stoppable_seconds))
  until ask "$server" 'INFO replication' 'INFO persistence' | awk -F: -v linked="$1" '
    { said[$1] = $2 }
    END {
      busy = said["master_sync_in_progress"] + said["loading"] + said["aof_rewrite_in_progress"] + said["aof_rewrite_scheduled"]
      if (said["master_link_status"] != "up" && linked) busy += 1
      exit said["role"] != "" && busy > 0
    }'; do
    [ "$(now)" -lt $deadline ] || return
    sleep 0.1
  done
}

# Does nobody know of a failover? The Sentinel that was asked for one must say so itself: nobody else may know.
no_failover_runs() {
  ! printf '%s\n' "$answers" | failover_seen || return 1
  [ -n "$asked" ] || return 0
  of_asked=$(group_seen_by "$asked")
  [ -n "$of_asked" ] && ! printf '%s\n' "$of_asked" | failover_seen
}

# Returns when another node is the master, or when no failover runs any more.
see_failover_through() {
  deadline=$(($(now) + failover_seconds))
  while [ "$(now)" -lt $deadline ]; do
    pause_writes
    answers=$(ask_sentinels)
    master=$(printf '%s\n' "$answers" | agreed_master)
    if [ -n "$master" ] && [ "$master" != "$me" ] && [ -n "$(offset_of "$master" master)" ]; then
      follow "$master"
      say "$master is the master of $REDIS_KIND now"
      wait_until_stoppable linked
      return 0
    fi
    if [ "$master" = "$me" ] && no_failover_runs; then return 1; fi
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
  wait_until_stoppable ''
  exit 0
fi
candidates=$(ask_sentinels | replicas_seen yes)
# Without a pause first: who is far behind, or away, is not waited for with the writes stopped.
wait_for_replicas "$offset" || fail "$me stays the master: no replica to promote, or one that does not keep up: ${candidates:-none}"
trap 'give_up "it was interrupted"' INT TERM HUP
pause_writes
offset=$(offset_of "$server" master)
[ -n "$offset" ] || give_up "it has ceased to answer"
wait_for_replicas "$offset" || give_up "a replica did not get the last writes in time"
ask_for_failover || give_up "no Sentinel would start a failover"
see_failover_through || give_up "the Sentinels did not complete the failover"
