#!/usr/bin/env bash
# Puts a backup in the place of a Redis server's data: restore.sh <backup folder | latest> <store | log> <data folder>
#
# The server must be down, and with Sentinel all of its group: run it for the data folder of each of its nodes, so that whichever
# becomes the master has the same. When they are started the consumers apply what the log holds after the snapshot's watermark;
# with MILLRACE_APPLY_UNTIL up to a point in time. What was there stays beside it, in before-restore-<time>.
#
# Nothing is touched before everything is checked. Exit code 0: restored. 1: not. 3: not, because the log does not reach back to this
# backup: partitions would halt (lost-base); with RESTORE_TRIMMED=yes it is restored all the same.
#
# Environment, beside what nodes.sh names: BACKUP_DIR (for latest: the newest good one), RESTORE_TRIMMED.
set -euo pipefail
# shellcheck source=infra/backup/nodes.sh
. "$(dirname "$0")/nodes.sh"

[ $# = 3 ] || fail 1 "usage: restore.sh <backup folder | latest> <store | log> <data folder>"
backup=$1 kind=$2 data=$3
case $kind in
  store) nodes=${STORE_NODES:-} ;;
  log) nodes=${LOG_NODES:-} ;;
  *) fail 1 "$kind is neither store nor log" ;;
esac
[ -d "$data" ] || fail 1 "there is no folder $data"

if [ "$backup" = latest ]; then
  backup=''
  for manifest in "${BACKUP_DIR:?the folder of the backups}"/*/manifest; do
    # They come in the order of their times.
    if [ "$(noted "$manifest" good)" = yes ]; then backup=$(dirname "$manifest"); fi
  done
  [ -n "$backup" ] || fail 1 "there is no good backup in $BACKUP_DIR"
fi
manifest=$backup/manifest
snapshot=$backup/$kind.rdb
[ -f "$manifest" ] || fail 1 "$backup is not a backup: it has no manifest"
[ -f "$snapshot" ] || fail 1 "$backup has no snapshot of the $kind"

checksum_of() { sha256sum <"$1" | cut -d' ' -f1; }
checksum=$(noted "$manifest" "${kind}_sha256")
[ "$(checksum_of "$snapshot")" = "$checksum" ] || fail 1 "REFUSED: $snapshot is damaged: its checksum is not that of the manifest"
redis-check-rdb "$snapshot" >/dev/null 2>&1 || fail 1 "REFUSED: $snapshot is damaged: redis-check-rdb says so"

for node in $(each_node "$nodes"); do
  ! ask "$node" PING >/dev/null || fail 1 "REFUSED: $node answers. Stop all nodes of the $kind first"
done

if [ "$kind" = store ] && [ -n "${LOG_NODES:-}" ]; then
  partitions=$(noted "$manifest" partitions)
  if floors=$(floors_seen "$partitions"); then
    for node in $(each_node "$LOG_NODES"); do
      read -r _ installation <<<"$(format_of "$node")" || true
      [ "${installation:-}" = "" ] || [ "$installation" = "$(noted "$manifest" installation)" ] ||
        fail 1 "REFUSED: the log is of another installation than this backup"
    done
    trimmed=$(trimmed_past "$manifest" "$floors")
    if [ -n "$trimmed" ]; then
      say "the log does not hold what comes after this backup any more. These partitions will halt (lost-base), and" \
        "GET /v1/partitions/{n} will say what is lost:"
      printf '%s\n' "$trimmed" >&2
      [ "${RESTORE_TRIMMED:-no}" = yes ] || fail 3 "not restored. With RESTORE_TRIMMED=yes it is"
    fi
  else
    say "no node of the log answers: whether it reaches back to this backup was not checked"
  fi
fi

# Redis reads its append-only files alone where it has them, and a snapshot may be the base of them.
umask 077
new=$data/.restoring
rm -rf "$new"
mkdir "$new"
cp "$snapshot" "$new/appendonly.aof.1.base.rdb"
[ "$(checksum_of "$new/appendonly.aof.1.base.rdb")" = "$checksum" ] || fail 1 "the copy in $new is damaged"
printf 'file appendonly.aof.1.base.rdb seq 1 type b\n' >"$new/appendonly.aof.manifest"
sync "$new"/*

aside=$data/before-restore-$(date -u +%Y%m%dT%H%M%SZ)
for old in "$data/appendonlydir" "$data/dump.rdb"; do
  [ -e "$old" ] || continue
  mkdir -p "$aside"
  mv "$old" "$aside/"
done
mv "$new" "$data/appendonlydir"
sync "$data"
if [ -d "$aside" ]; then say "what was there before is in $aside"; fi
say "the $kind in $data is that of $(noted "$manifest" time): start it"
