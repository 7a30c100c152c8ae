#!/usr/bin/env bash
# Builds the images that the manifests name: millrace-api, millrace-consumer and millrace-smoke, with the version of package.json.
#
#   infra/docker/build.sh [<registry>/]
#
# Given a registry, their names begin with it: push them, and name them in an overlay of your own (k8s/README.md).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
revision=$(git rev-parse HEAD 2>/dev/null || echo unknown)
time=$(git log -1 --format=%ct 2>/dev/null || echo 0)

for target in api consumer smoke; do
  docker build --file infra/docker/Dockerfile --target "$target" --tag "${1:-}millrace-$target:$version" \
    --build-arg VERSION="$version" --build-arg REVISION="$revision" --build-arg SOURCE_DATE_EPOCH="$time" .
done
