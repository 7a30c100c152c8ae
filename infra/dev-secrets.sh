#!/usr/bin/env bash
# Makes what is secret in a cluster for development, random, where it is missing; what is there stays as it is.
#
#   infra/dev-secrets.sh [--namespace millrace] [--context <kubectl's>]
#
# The Secret millrace-secrets as ../k8s/README.md describes it, and millrace-dev-token with a token that may do everything.
# For anything but development make them yourself: a token that lies in the cluster is everybody's who may read Secrets there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=infra/cluster-options.sh
. infra/cluster-options.sh
read_options '' "$@"

readonly users=(api consumer node probe replication sentinel)

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }

# They are files on the way, because everybody can read the arguments of a command.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
umask 077

if is_there secret millrace-secrets; then exit 0; fi
# Kept as kubectl apply keeps it: the overlay brings the same namespace, and adds to it.
if ! is_there namespace "$namespace"; then kube create namespace "$namespace" --save-config >/dev/null; fi

# The token first: whoever was interrupted in between finds it again, and the other one is made from it.
if ! is_there secret millrace-dev-token; then
  mkdir "$folder/token"
  random >"$folder/token/token"
  kube create secret generic millrace-dev-token --from-file="$folder/token" >/dev/null
fi
digest=$(kube get secret millrace-dev-token --output 'go-template={{.data.token | base64decode}}' | sha256)

mkdir "$folder/secrets"
for user in "${users[@]}"; do random >"$folder/secrets/redis-$user-password"; done
printf '{"tokens":[{"name":"dev","sha256":"%s","scopes":[{"namespaces":["*"],"prefix":"","actions":["read","write","admin"]}]}]}\n' \
  "$digest" >"$folder/secrets/tokens.json"
kube create secret generic millrace-secrets --from-file="$folder/secrets" >/dev/null

say "made the Secrets millrace-secrets and millrace-dev-token in the namespace $namespace"
