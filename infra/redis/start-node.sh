#!/bin/sh
# Starts a data node of a Sentinel group: start-node.sh [more settings for redis-server]
#
# The guard: a node never makes itself the master. One that was the master and is back before the Sentinels noticed, with
# an empty disk or an older file, would have all replicas copy that: confirmed writes would be gone everywhere. So it asks
# all Sentinels first.
#   a majority names another node   -> it starts as a replica of that one
#   a majority names this node      -> while another could be promoted it waits until that has happened, and follows it;
#                                      only when nobody else could, it starts as the master; not when its folder is empty
#                                      and a replica holds data, or cannot be asked
#   no majority                     -> it waits
#
# Environment, beside what ask.sh names: REDIS_DIR (the data folder, also for the configuration that Sentinel has the
# server rewrite: it is written anew at each start, so it neither grows nor keeps what was true once),
# REDIS_START_EMPTY=yes (an operator's word that an empty master may be copied over the replicas).
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=infra/redis/ask.sh
. "$here/ask.sh"
# shellcheck source=infra/redis/users.sh
. "$here/users.sh"

: "${REDIS_KIND:?log or store}" "${REDIS_HOST:?the address of this node}" "${SENTINELS:?host:port,...}"
REDIS_PORT=${REDIS_PORT:-6379}
dir=${REDIS_DIR:-/data}
me=$REDIS_HOST:$REDIS_PORT
poll_seconds=0.2
tell_every_polls=50
told=''
polls=0

# wait_for <reason>: the pause between two looks; says the reason when it is new, and once in a while.
wait_for() {
  polls=$((polls + 1))
  if [ "$told" != "$1" ] || [ $((polls % tell_every_polls)) = 0 ]; then say "$me waits: $1"; fi
  told=$1
  sleep $poll_seconds
}

# Is there nothing in the files of the node? A server that never held a key has files, too.
is_empty() {
  for file in "$dir"/appendonlydir/* "$dir"/dump.rdb; do
    case $file in *.manifest) continue ;; esac
    [ -s "$file" ] || continue
    case $file in
      # Only a short one is worth reading: it may be a snapshot of nothing.
      *.rdb) [ "$(wc -c <"$file")" -lt 1000 ] && redis-check-rdb "$file" | grep -q ' 0 keys read' && continue ;;
    esac
    return 1
  done
}

# What a replica has: "data", "nothing", or "unknown" when it does not answer. One that is loading has data.
holding_of() {
  ask "$1" 'INFO persistence' 'INFO keyspace' | awk '
    /^loading:/ { answered = 1 }
    /^loading:1/ || /^db0:keys=/ { data = 1 }
    END { print !answered ? "unknown" : data ? "data" : "nothing" }'
}

# May a node with an empty folder be the master? Returns when it may; the replicas would copy it.
check_empty() {
  [ "${REDIS_START_EMPTY:-no}" != yes ] || return 0
  for replica in $1; do
    case $(holding_of "$replica") in
      data) fail "REFUSED: $me is the master to the Sentinels and its folder $dir is empty, but its replica $replica" \
        "holds data that would be erased. Nobody else can be promoted. Either restore the folder, or make that replica" \
        "the master: CONFIG SET replica-priority 100 on it" ;;
      unknown)
        wait_for "its folder is empty, and its replica $replica does not say whether it holds data (to start all the same: REDIS_START_EMPTY=yes)"
        return 1
        ;;
    esac
  done
}

# Sets `master`: the node to follow, empty for being the master.
find_master() {
  while :; do
    answers=$(ask_sentinels)
    master=$(printf '%s\n' "$answers" | agreed_master)
    if [ -z "$master" ]; then
      wait_for "no majority of the Sentinels ($SENTINELS) names a master of $REDIS_KIND"
      continue
    fi
    [ "$master" = "$me" ] || return 0
    promotable=$(printf '%s\n' "$answers" | replicas_seen yes | tr '\n' ' ')
    if [ -n "$promotable" ]; then
      wait_for "it was the master; the Sentinels can promote $promotable"
    elif printf '%s\n' "$answers" | failover_seen; then
      wait_for "a failover is under way"
    elif ! is_empty || check_empty "$(printf '%s\n' "$answers" | replicas_seen)"; then
      master=''
      return 0
    fi
  done
}

# Written aside and renamed: there is never half of it.
write_configuration() {
  {
    printf 'include "%s/common.conf"\ninclude "%s/%s.conf"\n' "$here" "$here" "$REDIS_KIND"
    printf 'dir "%s"\n' "$dir"
    if [ -z "${REDIS_TLS:-}" ]; then
      printf 'port %s\n' "$REDIS_PORT"
    else
      printf 'port 0\ntls-port %s\ntls-replication yes\ntls-auth-clients no\n' "$REDIS_PORT"
      printf 'tls-ca-cert-file "%s/ca.crt"\ntls-cert-file "%s/tls.crt"\ntls-key-file "%s/tls.key"\n' "$REDIS_TLS" "$REDIS_TLS" "$REDIS_TLS"
    fi
    printf 'bind %s\n' "${REDIS_BIND:-* -::*}"
    # Who may connect is decided by bind, the network and the password.
    printf 'protected-mode no\n'
    printf 'replica-announce-ip %s\nreplica-announce-port %s\n' "$REDIS_HOST" "$REDIS_PORT"
    # A log that is cut off from all its replicas stops taking writes that nobody could keep.
    if [ "$REDIS_KIND" = log ]; then printf 'min-replicas-to-write 1\n'; fi
    if [ -n "${REDIS_USERS:-}" ]; then
      printf 'aclfile "%s/users.acl"\nmasteruser replication\nmasterauth "%s"\n' "$dir" "$(password_of replication)"
    elif [ -n "${REDIS_PASSWORD:-}" ]; then
      printf 'requirepass "%s"\nmasterauth "%s"\n' "$REDIS_PASSWORD" "$REDIS_PASSWORD"
    fi
    # Not to be promoted before its first sync: node-ready.sh gives it its priority.
    if [ -n "$master" ]; then printf 'replicaof %s %s\nreplica-priority 0\n' "${master%:*}" "${master##*:}"; fi
  } >"$dir/node.conf.new" && mv "$dir/node.conf.new" "$dir/node.conf"
}

# The first process of a container does not end on a signal that it has not asked for: without this a node that waits
# would be in the way until it is killed.
trap 'exit 143' TERM INT
find_master
say "$me starts as ${master:+a replica of }${master:-the master} of $REDIS_KIND"
(umask 077 && write_users "$REDIS_KIND" "$dir/users.acl" && write_configuration) || fail "cannot write $dir/node.conf"
trap - TERM INT
exec redis-server "$dir/node.conf" "$@"
