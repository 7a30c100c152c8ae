# shellcheck shell=sh
# What the scripts of this folder share: asking servers, never longer than a bound, and what the Sentinels agree on.
# Sourced, not run. POSIX sh, awk and redis-cli: it works in Debian's and Alpine's images and on macOS.
#
# Environment: REDIS_KIND (log or store: the name of the group, too), REDIS_HOST and REDIS_PORT (where others reach this
# node), REDIS_BIND (where it listens, when not everywhere), SENTINELS (host:port, separated by commas).
# Who may connect: REDIS_USERS (a folder with a file for each user in users.sh, his password: then nobody else may), or
# REDIS_PASSWORD (one for everybody, of the data nodes only), or neither. REDIS_TLS (a folder with ca.crt, tls.crt and
# tls.key: then everything speaks TLS).

# A server that is frozen, or behind a cut link, must not hold anybody up.
ask_seconds=1
if [ -n "${REDIS_PASSWORD:-}" ]; then export REDISCLI_AUTH="$REDIS_PASSWORD"; fi
# The user to ask as, where there are users.
ask_as=''

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
fail() {
  say "$@"
  exit 1
}

# password_of <user>: the one that is sent as this user. What is accepted from him beside it, users.sh knows.
password_of() { head -n 1 "$REDIS_USERS/$1" 2>/dev/null; }

# become <user>: what is asked from here on is asked as this user, where there are users.
become() {
  [ -n "${REDIS_USERS:-}" ] || return 0
  ask_as=$1
  REDISCLI_AUTH=$(password_of "$1")
  export REDISCLI_AUTH
}

# Replaces the shell it runs in: whoever ends that ends redis-cli.
ask_redis() {
  exec redis-cli ${ask_as:+--user "$ask_as"} ${REDIS_TLS:+--tls --cacert "$REDIS_TLS/ca.crt"} "$@"
}

# bounded <seconds> <command> ...: runs the command and ends it after this time. Leaves no process behind.
bounded() {
  bound=$1
  shift
  # Named, because the input of a background command is otherwise /dev/null.
  { "$@" <&3 3<&- & } 3<&0
  asking=$!
  (
    trap 'kill $! 2>/dev/null; wait; exit 0' TERM
    sleep "$bound" &
    wait $!
    kill "$asking"
  ) >/dev/null 2>&1 </dev/null 3<&- &
  watchdog=$!
  wait "$asking" 2>/dev/null
  code=$?
  kill "$watchdog" 2>/dev/null
  wait "$watchdog" 2>/dev/null
  return $code
}

# ask <host:port> <command> ...: sends these commands on one connection and prints the answers.
ask() {
  address=$1
  shift
  printf '%s\n' "$@" | bounded "$ask_seconds" ask_redis -h "${address%:*}" -p "${address##*:}" 2>/dev/null | tr -d '\r'
}

# The server of this node, from beside it.
own_server() {
  own_host=${REDIS_BIND:-127.0.0.1}
  printf '%s:%s\n' "${own_host%% *}" "$REDIS_PORT"
}

sentinel_list() { printf '%s\n' "$SENTINELS" | tr ',' ' '; }

# How many Sentinels are more than half of them.
majority() {
  # shellcheck disable=SC2046 # one word for each
  set -- $(sentinel_list)
  echo $(($# / 2 + 1))
}

# group_seen_by <sentinel>: one line of what it knows of our group, nothing when it does not answer:
#   <master> <config epoch> <flags of the master> <down-after ms> <replica>=<yes|no> ...
# "yes": Sentinel could promote it. The rule is Sentinel's own (sentinelSelectSlave): present, of a priority above 0, and
# not cut off from its master for longer than the master has been down and ten times down-after.
group_seen_by() {
  ask "$1" "SENTINEL MASTER $REDIS_KIND" "SENTINEL REPLICAS $REDIS_KIND" | awk '
    NR % 2 { key = $0; records += key == "name"; next }
    { value[records, key] = $0 }
    END {
      if (!((1, "config-epoch") in value)) exit
      line = value[1, "ip"] ":" value[1, "port"] " " value[1, "config-epoch"] " " value[1, "flags"]
      line = line " " value[1, "down-after-milliseconds"]
      cut_off_max = value[1, "s-down-time"] + 10 * value[1, "down-after-milliseconds"]
      for (i = 2; i <= records; i++) {
        present = value[i, "flags"] !~ /s_down|o_down|disconnected/
        fresh = value[i, "master-link-down-time"] + 0 <= cut_off_max
        promotable = present && fresh && value[i, "slave-priority"] + 0 > 0
        line = line " " value[i, "ip"] ":" value[i, "port"] "=" (promotable ? "yes" : "no")
      }
      print line
    }'
}

# What all Sentinels know, a line for each that answers; all are asked at once.
ask_sentinels() {
  for sentinel in $(sentinel_list); do group_seen_by "$sentinel" & done
  wait
}

# The functions below read such lines.

# The master that a majority names at the highest epoch anybody knows; nothing when there is none.
agreed_master() {
  awk -v need="$(majority)" '
    $2 + 0 > top { top = $2 + 0; split("", votes) }
    $2 + 0 == top { votes[$1] += 1 }
    END { for (master in votes) if (votes[master] >= need) print master }'
}

# Every replica that any of them knows, or only those that one could promote (yes).
replicas_seen() {
  awk -v wanted="${1:-}" '
    { for (i = 5; i <= NF; i++) { split($i, part, "="); if (wanted == "" || part[2] == wanted) seen[part[1]] = 1 } }
    END { for (replica in seen) print replica }'
}
failover_seen() { grep -q failover_in_progress; }

become node
