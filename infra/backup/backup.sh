#!/usr/bin/env bash
# Takes a backup: a snapshot of the store, with the watermark that it carries, and one of the log.
#
# From the store's snapshot and the log after its watermark everything is restored; from both snapshots what was there when the
# log's was taken. The store's is taken first, so that the log's snapshot holds what comes after it.
#
# A backup is a folder named by its time (UTC): store.rdb, log.rdb, and a manifest, which is written last. It is good when both
# files are whole and the log still holds everything after the store's watermark; what the manifest says of the watermarks was read
# just before the snapshot, so the snapshot is at least there. Exit code 0: good. 1: nothing was kept. 2: kept, but not good:
# restored from it, partitions would halt (lost-base).
#
# Environment, beside what nodes.sh names: BACKUP_DIR, BACKUP_KEEP (so many good ones stay; as many that are not good),
# BACKUP_LOG (no: without a snapshot of the log), BACKUP_TIMEOUT_S (for one snapshot).
set -euo pipefail
# shellcheck source=infra/backup/nodes.sh
. "$(dirname "$0")/nodes.sh"

: "${STORE_NODES:?host:port,...}" "${LOG_NODES:?host:port,...}" "${BACKUP_DIR:?the folder of the backups}"
keep=${BACKUP_KEEP:-48}
timeout_s=${BACKUP_TIMEOUT_S:-3600}
[[ $keep =~ ^[1-9][0-9]*$ ]] || fail 1 "BACKUP_KEEP must be a number above 0"
umask 077
mkdir -p "$BACKUP_DIR"
# What a run that was killed has left.
find "$BACKUP_DIR" -mindepth 1 -maxdepth 1 -name '.partial-*' -mmin +1440 -exec rm -rf {} +
# Names are times, and the newest has the highest: each run has its second to itself.
for ((tries = 0; ; tries += 1)); do
  time=$(date -u +%Y%m%dT%H%M%SZ)
  work=$BACKUP_DIR/.partial-$time
  if mkdir "$work" 2>/dev/null; then
    [ -e "$BACKUP_DIR/$time" ] || break
    rmdir "$work"
  fi
  [ "$tries" -lt 100 ] || fail 1 "cannot begin a folder in $BACKUP_DIR"
  sleep 0.1
done
trap 'rm -rf "$work"' EXIT

# source_among <nodes>: the replica in sync that is furthest; the master where there is none. Any node of the store will do: what
# it holds is a beginning of the log.
source_among() {
  local node info best='' best_offset=-1 offset master=''
  for node in $(each_node "$1"); do
    info=$(ask "$node" INFO) || continue
    [ "$(field cluster_enabled <<<"$info")" != 1 ] || fail 1 "$node is of a Redis Cluster: each of its masters holds a part only"
    [ "$(field loading <<<"$info")" = 0 ] || continue
    if [ "$(field role <<<"$info")" = master ]; then
      master=$node
    elif [ "$(field master_link_status <<<"$info")" = up ] && [ "$(field master_sync_in_progress <<<"$info")" = 0 ]; then
      offset=$(field slave_repl_offset <<<"$info")
      if [ "$offset" -gt "$best_offset" ]; then best=$node best_offset=$offset; fi
    fi
  done
  if [ -z "$best" ] && [ "$1" != "$master" ]; then say "no replica among $1 is in sync: the snapshot is taken from the master"; fi
  printf '%s\n' "${best:-$master}"
}

# snapshot <host:port> <file>
snapshot() {
  timeout "$timeout_s" redis-cli "${access[@]}" -h "${1%:*}" -p "${1##*:}" --rdb "$2" >"$work/redis-cli.out" 2>&1 ||
    fail 1 "$1 gave no snapshot: $(tail -n 1 "$work/redis-cli.out")"
  rm "$work/redis-cli.out"
  check_whole "$2"
  sync "$2"
}

check_whole() {
  redis-check-rdb "$1" >"$work/check.out" 2>&1 || fail 1 "the snapshot ${1##*/} is damaged: $(tail -n 1 "$work/check.out")"
  rm "$work/check.out"
}

# Which data a node has: another one when it is started anew, promoted, or follows another history. A master gets a new replication
# id by the snapshot itself when it has no replicas.
history_of() {
  ask "$1" INFO | awk -F: '{ said[$1] = $2 } END { print said["run_id"], said["role"] == "master" ? "master" : said["master_replid"] }'
}

note_file() { printf '%s_from %s\n%s_sha256 %s\n' "$1" "$2" "$1" "$(sha256sum <"$work/$1.rdb" | cut -d' ' -f1)" >>"$work/manifest"; }

store=$(source_among "$STORE_NODES")
[ -n "$store" ] || fail 1 "no node of the store answers: $STORE_NODES"
read -r partitions installation <<<"$(format_of "$store")" || true
[ -n "${installation:-}" ] || fail 1 "$store holds no data of Millrace"
history=$(history_of "$store")
watermarks=$(watermarks_of "$store" "$partitions") || fail 1 "$store does not tell its watermarks"
snapshot "$store" "$work/store.rdb"
# One that was given another history meanwhile may have gone back behind the watermarks just read.
[ "$(history_of "$store")" = "$history" ] || fail 1 "$store got another master meanwhile: take the backup again"

printf 'version 1\ntime %s\ninstallation %s\npartitions %s\n' "$time" "$installation" "$partitions" >"$work/manifest"
note_file store "$store"
partition=0
while read -r watermark; do
  printf 'watermark %s %s\n' "$partition" "$watermark" >>"$work/manifest"
  partition=$((partition + 1))
done <<<"$watermarks"

log=''
if [ "${BACKUP_LOG:-yes}" != no ]; then
  log=$(source_among "$LOG_NODES")
  [ -n "$log" ] || fail 1 "no node of the log answers: $LOG_NODES"
  snapshot "$log" "$work/log.rdb"
  note_file log "$log"
fi

# The log's floor is read last: what was trimmed while the snapshots were taken counts.
good=yes
floors=$(floors_seen "$partitions") || fail 1 "no node of the log says how far it is trimmed: $LOG_NODES"
trimmed=$(trimmed_past "$work/manifest" "$floors")
if [ -n "$trimmed" ]; then
  good=no
  say "NOT GOOD: the log does not hold what comes after this snapshot. Does MILLRACE_LOG_RETENTION_S fit the replicas' lag?"
  printf '%s\n' "$trimmed" >&2
fi
printf 'good %s\n' "$good" >>"$work/manifest"
mv -T "$work" "$BACKUP_DIR/$time" || fail 1 "cannot write $BACKUP_DIR/$time"
sync "$BACKUP_DIR"

# all <good>: names of the backups that are, or are not, good; the newest first.
all() {
  local manifest
  for manifest in "$BACKUP_DIR"/*/manifest; do
    if [ "$(noted "$manifest" good)" = "$1" ]; then basename "$(dirname "$manifest")"; fi
  done | sort -r
}

# Does the log still reach back to the one before? Then there is time to notice that a backup fails.
before=$(all yes | sed -n 2p)
if [ -n "$before" ] && [ -n "$(trimmed_past "$BACKUP_DIR/$before/manifest" "$floors")" ]; then
  say "the log does not reach back to the backup before, $before: MILLRACE_LOG_RETENTION_S is shorter than two intervals"
fi

if [ $good = yes ]; then
  for kind in yes no; do
    for old in $(all "$kind" | tail -n +"$((keep + 1))"); do rm -rf "${BACKUP_DIR:?}/$old"; done
  done
fi
printf '%s\n' "$BACKUP_DIR/$time"
[ $good = yes ] || exit 2
