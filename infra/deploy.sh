#!/usr/bin/env bash
# Puts Millrace on the cluster that kubectl points at, waits until all of it runs, and says where it is.
#
#   infra/deploy.sh [--overlay dev|prod|<folder>] [--namespace millrace] [--context <kubectl's>] [--dry-run]
#
# Needs kubectl, and images that the cluster can get: infra/docker/build.sh makes them. --overlay dev (the default) makes the
# secrets for development where they are missing; any other one needs them there (k8s/README.md). --dry-run prints what would
# be applied, and asks no cluster. Doing it again changes only what has changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=infra/cluster-options.sh
. infra/cluster-options.sh
read_options '--overlay= --dry-run' "$@"

readonly rollout_seconds=300

documents=$(kubectl kustomize "$overlay")
if given --dry-run; then
  printf '%s\n' "$documents"
  exit 0
fi
check_namespace <<<"$documents"

if [[ $overlay == k8s/overlays/dev ]]; then
  infra/dev-secrets.sh --namespace "$namespace" ${context:+--context "$context"}
elif ! is_there secret millrace-secrets; then
  fail "the Secret millrace-secrets is missing in the namespace $namespace: k8s/README.md says how to make it"
fi

say "applying $overlay"
kube apply --filename - <<<"$documents"

# From the bottom up: an API is ready when its log and its store are.
for kind in statefulset deployment; do
  for each in $(kube get "$kind" --selector app.kubernetes.io/part-of=millrace --output name); do
    kube rollout status "$each" --timeout="${rollout_seconds}s" ||
      fail "$each is not up after $rollout_seconds s: kubectl --namespace $namespace describe $each"
  done
done

host=$(kube get ingress millrace --ignore-not-found --output 'jsonpath={.spec.rules[0].host}')
tls=$(kube get ingress millrace --ignore-not-found --output 'jsonpath={.spec.tls[0].hosts[0]}')
if [[ -n $host ]]; then say "through the cluster's Ingress: http${tls:+s}://$host/docs"; fi
# With a Gateway there is no Ingress. Not every cluster knows what a route is: it is not asked.
route=$(sed -n '/^  hostnames:$/{n;s/^  - //p;q;}' <<<"$documents")
if [[ -n $route ]]; then say "through the cluster's Gateway: https://$route/docs"; fi
say "from this machine: http://localhost:8080/docs, while this runs:"
say "  kubectl --namespace $namespace port-forward service/millrace-api 8080:80"
if is_there secret millrace-dev-token; then
  say "the token to show (Authorization: Bearer ...) is printed by:"
  say "  kubectl --namespace $namespace get secret millrace-dev-token --output 'go-template={{.data.token | base64decode}}'"
fi
