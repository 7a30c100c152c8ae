#!/bin/sh
# Is this data node of use: its role is known, and a replica is in sync? Exit code 0 when it is. To be run every second,
# as readiness probe, health check or by a local supervisor.
#
# It also says whether Sentinel may promote the node: a replica starts with priority 0 and gets 100, as all have, once it
# is in sync; back to 0 while a full sync runs. A replica that lost its master keeps what it has: it may be needed now.
#
# And it takes a stray home: Sentinel leads only those replicas to a new master that it had heard of before the old one
# died. Another one would follow the old master for ever, be a replica of a replica, and count for nobody.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"

: "${REDIS_KIND:?log or store}" "${REDIS_HOST:?the address of this node}" "${SENTINELS:?host:port,...}"
REDIS_PORT=${REDIS_PORT:-6379}
server=$(own_server)

# "<ready|not> <the priority it should have, or -: as it is> <the one it has> <the master it follows, or ->"
state=$(
  ask "$server" 'INFO persistence' 'INFO replication' 'CONFIG GET replica-priority' | awk -F: '
    { said[$1] = $2 }
    previous == "replica-priority" { has = $0 }
    { previous = $0 }
    END {
      follows = said["role"] == "slave" ? said["master_host"] ":" said["master_port"] : "-"
      in_sync = said["role"] == "master" || said["master_link_status"] == "up"
      if (said["master_sync_in_progress"] == "1") print "not", 0, has, follows
      else if (said["loading"] == "0" && in_sync) print "ready", 100, has, follows
      else print "not - -", follows
    }'
)
# shellcheck disable=SC2086 # four words
set -- $state
ready=${1:-not} wanted=${2:--} has=${3:--} follows=${4:--}
if [ "$wanted" != "$has" ]; then ask "$server" "CONFIG SET replica-priority $wanted" >/dev/null; fi

# One question a second; the Sentinels are asked only when the answer is not that of a master.
if [ "$follows" != - ] && [ "$(ask "$follows" ROLE | head -n 1)" != master ]; then
  ready=not
  answers=$(ask_sentinels)
  master=$(printf '%s\n' "$answers" | agreed_master)
  me=$REDIS_HOST:$REDIS_PORT
  case $master in '' | "$me" | "$follows") master='' ;; esac
  if [ -n "$master" ] && ! printf '%s\n' "$answers" | replicas_seen '' | grep -qxF "$me"; then
    say "$me follows $follows, and no Sentinel knows it: it follows $master now"
    ask "$server" "REPLICAOF ${master%:*} ${master##*:}" >/dev/null
  fi
fi
[ "$ready" = ready ]
