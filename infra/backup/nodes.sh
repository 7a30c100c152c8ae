# shellcheck shell=bash
# What backup.sh and restore.sh share: asking the Redis servers, and what is written down of them. Sourced, not run.
#
# Environment: STORE_NODES and LOG_NODES (all data nodes of each: host:port, separated by commas), REDIS_USER, REDIS_TLS (a folder with
# ca.crt: then TLS is spoken). The password comes in REDISCLI_AUTH, which redis-cli reads by itself, or in the file
# REDIS_PASSWORD_FILE; never on a command line, where everybody could read it.

# A server that is frozen must not hold anybody up.
ask_seconds=5
access=()
if [ -n "${REDIS_USER:-}" ]; then access+=(--user "$REDIS_USER"); fi
if [ -n "${REDIS_TLS:-}" ]; then access+=(--tls --cacert "$REDIS_TLS/ca.crt"); fi
if [ -n "${REDIS_PASSWORD_FILE:-}" ]; then
  REDISCLI_AUTH=$(<"$REDIS_PASSWORD_FILE")
  export REDISCLI_AUTH
fi

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# fail <exit code> <words>
fail() {
  local code=$1
  shift
  say "$@"
  exit "$code"
}

# ask <host:port> <command>: its answer; fails when there is none, or an error.
ask() {
  local address=$1
  shift
  timeout "$ask_seconds" redis-cli "${access[@]}" -e -h "${address%:*}" -p "${address##*:}" "$@" 2>/dev/null | tr -d '\r'
}

each_node() { tr ',' '\n' <<<"$1"; }

# field <name>: of what INFO says on standard input.
field() { awk -F: -v name="$1" '$1 == name { print $2; exit }'; }

# id_below <a> <b>: is entry id a older than entry id b?
id_below() {
  local a_ms=${1%-*} b_ms=${2%-*}
  [ "$a_ms" -lt "$b_ms" ] || { [ "$a_ms" -eq "$b_ms" ] && [ "${1#*-}" -lt "${2#*-}" ]; }
}

# format_of <host:port>: "<number of partitions> <id of the installation>", as core/format-record.ts writes it.
format_of() {
  ask "$1" GET mr:format | sed -n 's/.*"partitions":\([0-9]*\).*"id":"\([^"]*\)".*/\1 \2/p'
}

# ask_each <host:port> <partitions> <pattern of an answer> <command, %02d for the partition>: an answer for each partition, in order,
# on one connection. Fails when one is missing or not like that.
ask_each() {
  local partition answers
  # shellcheck disable=SC2059 # the command is the format
  answers=$(for ((partition = 0; partition < $2; partition++)); do printf "$4\n" "$partition"; done |
    timeout "$ask_seconds" redis-cli "${access[@]}" -h "${1%:*}" -p "${1##*:}" 2>/dev/null | tr -d '\r' | sed 's/^$/none/')
  [ "$(grep -cE "^(none|$3)\$" <<<"$answers")" = "$2" ] && printf '%s\n' "$answers"
}

# watermarks_of <host:port> <partitions>: a line "<id> <ordinal>" for each partition, in order.
watermarks_of() {
  ask_each "$1" "$2" '[0-9]+-[0-9]+ [0-9]+' 'GET mr:{p%02d}:watermark' | sed 's/^none$/0-0 0/'
}

# floors_seen <partitions>: a line for each partition: up to that id its log may be trimmed, as the node that has trimmed most
# says. Fails when no node of the log answers: nobody knows then.
floors_seen() {
  local node floors floor partition highest=() answered=no
  for node in $(each_node "$LOG_NODES"); do
    floors=$(ask_each "$node" "$1" '[0-9]+-[0-9]+' 'HGET mr:{p%02d}:appends @floor' | sed 's/^none$/0-0/') || continue
    answered=yes
    partition=0
    while read -r floor; do
      if id_below "${highest[partition]:-0-0}" "$floor"; then highest[partition]=$floor; fi
      partition=$((partition + 1))
    done <<<"$floors"
  done
  [ $answered = yes ] || return 1
  for ((partition = 0; partition < $1; partition++)); do printf '%s\n' "${highest[partition]:-0-0}"; done
}

# trimmed_past <manifest> <floors>: the partitions whose log does not hold any more what comes after this backup's watermark.
trimmed_past() {
  local partition=0 floor watermark
  while read -r floor; do
    watermark=$(noted "$1" "watermark $partition")
    if id_below "${watermark%% *}" "$floor"; then
      printf 'partition %s: the backup is at %s (command %s), the log begins after %s\n' \
        "$partition" "${watermark%% *}" "${watermark##* }" "$floor"
    fi
    partition=$((partition + 1))
  done <<<"$2"
}

# noted <manifest> <name>: what a manifest says of it.
noted() {
  local name=$2 line
  while IFS= read -r line; do
    if [[ $line == "$name "* ]]; then
      printf '%s\n' "${line#"$name "}"
      return
    fi
  done <"$1"
}
