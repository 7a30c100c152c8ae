#!/usr/bin/env bash
# Takes away what deploy.sh has put on the cluster. Data and secrets stay, and the next deploy.sh finds them again.
#
#   infra/undeploy.sh [--overlay dev|prod|<folder>] [--namespace millrace] [--context <kubectl's>] [--data] [--dry-run]
#
# --data takes the volumes, the secrets and the namespace, too. --dry-run prints what would be deleted, and asks no cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=infra/cluster-options.sh
. infra/cluster-options.sh
read_options '--overlay= --data --dry-run' "$@"

# The documents of the overlay without those that hold what cannot be made again. A namespace takes all that is in it along.
without_data() {
  awk '
    function tell() { if (document != "" && !kept) printf "---\n%s", document; document = ""; kept = 0 }
    $0 == "---" { tell(); next }
    /^kind: (Namespace|PersistentVolumeClaim|PersistentVolume|Secret)$/ { kept = 1 }
    { document = document $0 "\n" }
    END { tell() }'
}

documents=$(kubectl kustomize "$overlay")
if given --dry-run; then
  if given --data; then printf '%s\n' "$documents"; else without_data <<<"$documents"; fi
  exit 0
fi
check_namespace <<<"$documents"

# Whoever works with the data ends first. In the foreground, because a StatefulSet is otherwise gone before its pods are.
without_data <<<"$documents" | kube delete --ignore-not-found --cascade=foreground --wait --filename -
# Those of earlier versions have other names.
kube delete configmap --selector app.kubernetes.io/part-of=millrace --ignore-not-found
if given --data; then
  # The volumes of StatefulSets are in no document: they go with the namespace, which belongs to none itself.
  kubectl ${context:+--context "$context"} delete namespace "$namespace" --ignore-not-found --wait
  say "nothing of it is left in the cluster"
else
  say "it is gone; data and secrets are still in the namespace $namespace (to take them away, too: --data)"
fi
