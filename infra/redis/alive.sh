#!/bin/sh
# Does the server on this port answer, whatever it says? For a liveness probe of a data node or a Sentinel: alive.sh <port>
#
# An error is an answer: a node that loads, has lost its master, has a full disk or is busy must not be restarted for it.
# And a frozen one is Sentinel's business first: it is promoted away from long before a probe should give up.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"
# shellcheck disable=SC2034 # read by ask.sh
ask_seconds=3
become probe

[ -n "$(ask "127.0.0.1:$1" PING)" ]
