#!/bin/sh
# Is this data node of use: its role is known, and a replica is in sync? Exit code 0 when it is. To be run every second,
# as readiness probe, health check or by a local supervisor.
#
# It also says whether Sentinel may promote the node: a replica starts with priority 0 and gets 100, as all have, once it
# is in sync; back to 0 while a full sync runs. A replica that lost its master keeps what it has: it may be needed now.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"

REDIS_PORT=${REDIS_PORT:-6379}
server=$(own_server)

# "<ready|not> <the priority it should have, empty: as it is> <the one it has>"
state=$(
  ask "$server" 'INFO persistence' 'INFO replication' 'CONFIG GET replica-priority' | awk -F: '
    { said[$1] = $2 }
    previous == "replica-priority" { has = $0 }
    { previous = $0 }
    END {
      in_sync = said["role"] == "master" || said["master_link_status"] == "up"
      if (said["master_sync_in_progress"] == "1") print "not", 0, has
      else if (said["loading"] == "0" && in_sync) print "ready", 100, has
      else print "not"
    }'
)
# shellcheck disable=SC2086 # up to three words
set -- $state
if [ "${2:-}" != "${3:-}" ]; then ask "$server" "CONFIG SET replica-priority $2" >/dev/null; fi
[ "${1:-not}" = ready ]
