#!/bin/sh
# redis-cli in a pod, for a person: as the user `probe`, or as REDIS_AS, by TLS where there is TLS. For example:
#
#   kubectl -n millrace exec millrace-sentinel-0 -- sh /etc/millrace/redis/cli.sh -p 26379 SENTINEL MASTER log
#
# The password is read where the container has it, and stands in no command.
set -u
# shellcheck source=infra/redis/ask.sh
. "$(dirname "$0")/ask.sh"
become "${REDIS_AS:-probe}"
ask_redis "$@"
