# shellcheck shell=sh
# Who may do what on a data node or a Sentinel, where there are users (REDIS_USERS). Sourced, not run; needs ask.sh.
#
# Each user may do what its part of the system does, and nothing else. A command inside a Redis Function is checked
# against the user who called the function, so the lists name what our functions use, too.
#   api          appends to the log and reads the store; of the store it writes only what "accept a partition's loss" writes
#   consumer     works the log and writes the store
#   probe        is it alive, the exporter of metrics, and KEDA, who asks how long the backlog is: reads no value, and no
#                configuration (passwords stand in it)
#   replication  a replica at its master
#   sentinel     a Sentinel at a data node, and at another Sentinel
#   node         the scripts of this folder
#   backup       a copy of everything, and how far it reaches; exists only where it has a password
#   operator     everything, for an emergency; exists only where it has a password
# The default user, who needs no name, is off: nobody can be him. He keeps all rights, because Redis reads its append-only
# file as him: without them it would leave out every transaction, which is what a function call becomes there, and start
# with what is left (seen with 7.0.15).
#
# Kept in a file beside the data, with hashes of the passwords. Made anew at each start.

# Decimal comparison of versions: is this redis-server at least <major> <minor>?
redis_is() {
  redis-server --version | awk -v major="$1" -v minor="$2" '{
    for (i = 1; i <= NF; i++) if ($i ~ /^v=/) { split(substr($i, 3), v, "."); exit !(v[1] > major || (v[1] == major && v[2] >= minor)) }
  }'
}

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1; }

has_password() { [ -n "$(password_of "$1")" ]; }

# hashes_of <user>: of all that is accepted from him: his password and the one in <user>.also, where there is one. Nobody
# sends that one; while a password is changed it is first the new one, then the old one (../../k8s/README.md).
hashes_of() {
  for file in "$1" "$1.also"; do
    if has_password "$file"; then printf ' #%s' "$(printf '%s' "$(password_of "$file")" | sha256)"; fi
  done
}

# user <name> <rule> ...: a line of the file.
user() {
  name=$1
  shift
  has_password "$name" || fail "no password of the user $name in $REDIS_USERS"
  printf 'user %s reset on%s %s\n' "$name" "$(hashes_of "$name")" "$*"
}

# of_partitions <before> <after>: a pattern for each length that a partition's number has. Digits alone: a pattern that
# took anything there would take keys of clients as well, which may contain what we put behind it.
of_partitions() {
  digit='[0-9]'
  for number in $digit$digit $digit$digit$digit $digit$digit$digit$digit; do
    printf '%smr:{p%s}:%s ' "$1" "$number" "$2"
  done
}

# What every connection of ours does: be ready, load functions that are missing, say what the server can confirm.
connects='+ping +info +client|setname +command|info +function|list +function|load +fcall +fcall_ro +wait'
format='(+get +set ~mr:format)'
# redis-cli asks for the list of commands when it starts.
cli='+ping +command'
# Sentinel leads nodes: SLAVEOF and CONFIG REWRITE in MULTI, and ends functions that hang.
leads='+ping +info +role +publish +subscribe +client|setname +client|kill +multi +exec +slaveof +config|rewrite +script|kill'
looks="$cli +info +client|setname +latency|latest +latency|histogram +slowlog|len"
copies="$cli +info +sync +psync +replconf"

# Commands that only newer servers know; an older one would not start with them in its file.
learn_version() {
  if redis_is 7 2; then
    connects="$connects +client|setinfo +waitaof"
    leads="$leads +client|setinfo"
    looks="$looks +client|setinfo"
  else
    # It has no WAITAOF: whether the disk holds a write is known only from `appendfsync always`.
    connects="$connects +config|get"
  fi
}

log_users() {
  append='+xadd +xlen +hget +hmget +hset +hdel +hgetall +hexists +publish'
  read_log='+xrange +xrevrange +xinfo|stream +exists'
  owners='+hget +hgetall +zrange +zscore +time'
  limits='(+eval +evalsha +set +incrby +expire +pttl ~mr:{limits}:*)'
  coordinate='+hsetnx +zadd +zrem +zremrangebyscore +subscribe'
  group='+xreadgroup +xack +xpending +xinfo|consumers +xgroup|create +xgroup|setid +xgroup|delconsumer'
  reconcile='+xdel +xtrim +xsetid'
  partitions='~mr:{p*}:log ~mr:{p*}:appends &mr:{p*}:log'
  # What an operator gives up after going back to a point in time.
  give_up='+xdel'
  # shellcheck disable=SC2086 # several words
  user api $connects $append $read_log $owners $give_up $partitions '%R~mr:{consumers}:*' "$format" "$limits"
  # shellcheck disable=SC2086
  user consumer $connects $append $read_log $owners $coordinate $group $reconcile $partitions '~mr:{consumers}:*' \
    '&mr:{consumers}:changed' "$format"
  # shellcheck disable=SC2086
  user probe $looks '(+xinfo|groups %R~mr:{p*}:log)'
  # shellcheck disable=SC2086
  if has_password backup; then user backup $copies '(+get %R~mr:format)' '(+hget %R~mr:{p*}:appends)'; fi
}

store_users() {
  reads='+get +mget +exists +strlen +getrange +hget +hmget +hlen +hgetall +zcard +zscore +zrangebyscore +zrangebylex'
  reads="$reads +xrange +xrevrange +xinfo|stream +publish +subscribe"
  writes='+set +del +type +hset +hdel +hincrby +zadd +zrem +xadd +xdel +xtrim'
  channels=$(of_partitions '&' applied)
  accept="(+fcall +get +set +xadd +publish $(of_partitions '~' watermark)$(of_partitions '~' losses)$channels)"
  # shellcheck disable=SC2086
  user api $connects $reads '%R~mr:*' $channels "$format" "$accept"
  # shellcheck disable=SC2086
  user consumer $connects $reads $writes '~mr:{p*' $channels "$format"
  # shellcheck disable=SC2086
  user probe $looks
  # shellcheck disable=SC2086
  if has_password backup; then user backup $copies "(+get %R~mr:format $(of_partitions '%R~' watermark))"; fi
}

# shellcheck disable=SC2086
node_users() {
  # A replica whose PSYNC is answered with an error it does not know asks once more by SYNC.
  user replication +ping +psync +sync +replconf
  user sentinel $leads '&__sentinel__:hello'
  user node $cli +info +role '+config|get' '+config|set' +replicaof '+client|pause' '+client|unpause' '+client|kill'
}

sentinel_users() {
  look="$cli +client|setname +sentinel|master +sentinel|replicas"
  if redis_is 7 2; then look="$look +client|setinfo"; fi
  # shellcheck disable=SC2086
  for name in api consumer; do user "$name" $look; done
  # shellcheck disable=SC2086
  user probe $look +info '+sentinel|masters' '+sentinel|slaves' '+sentinel|sentinels' '+sentinel|ckquorum' \
    '+sentinel|get-master-addr-by-name' +subscribe '&+switch-master' '&+replica-reconf-done'
  # shellcheck disable=SC2086
  user node $look '+sentinel|failover'
  # shellcheck disable=SC2086
  user sentinel $look +info +publish +subscribe +sentinel '&__sentinel__:hello'
}

print_users() {
  learn_version
  echo 'user default reset off +@all ~* &*'
  if has_password operator; then user operator +@all '~*' '&*'; fi
  case $1 in
    log | store)
      node_users
      "$1_users"
      ;;
    sentinel) sentinel_users ;;
    *) fail "there are no users of a $1" ;;
  esac
}

# write_users <log|store|sentinel> <file>. Does nothing where there are no users.
write_users() {
  [ -n "${REDIS_USERS:-}" ] || return 0
  (print_users "$1") >"$2.new" && mv "$2.new" "$2"
}
