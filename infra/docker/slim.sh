#!/bin/sh
# Takes out of a folder what no process reads at run time (source maps and types), and gives what is left one time, so that
# the same sources make the same image: slim.sh <folder>. Environment: SOURCE_DATE_EPOCH, in seconds.
set -eu
folder=${1:?a folder}
find "$folder" -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -exec rm {} +
find "$folder" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
