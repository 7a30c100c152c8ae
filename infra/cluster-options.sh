# shellcheck shell=bash
# What deploy.sh, undeploy.sh and dev-secrets.sh have in common: their options, and kubectl with the context asked for.
# Sourced, not run, from the top of the repository.

say() { printf '%s: %s\n' "${0##*/}" "$*"; }
fail() {
  say "$@" >&2
  exit 1
}

overlay=dev namespace=millrace context='' flags=''

# read_options "<the script's own options, one with a value ends in =>" <argument> ...
read_options() {
  local known=" $1 --namespace= --context= " usage
  usage="usage: ${0##*/} [$(echo "$known" | xargs | sed 's/ /] [/g')]"
  shift
  while [[ $# -gt 0 ]]; do
    if [[ $known == *" $1= "* && -n "${2:-}" ]]; then
      printf -v "${1#--}" %s "$2"
      shift
    elif [[ $known == *" $1 "* ]]; then
      flags+=" $1 "
    else
      fail "$usage"
    fi
    shift
  done
  [[ $known == *" --overlay= "* ]] || return 0
  if [[ $overlay != */* ]]; then overlay=k8s/overlays/$overlay; fi
  [[ -f $overlay/kustomization.yaml ]] || fail "$overlay has no kustomization.yaml"
}

given() { [[ $flags == *" $1 "* ]]; }

kube() { kubectl ${context:+--context "$context"} --namespace "$namespace" "$@"; }

# is_there <kind> <name>. Fails as a whole where the cluster does not answer: that is not the same as "it is not there".
is_there() {
  local found
  found=$(kube get "$1" "$2" --ignore-not-found --output name) || fail "the cluster does not answer"
  [[ -n $found ]]
}

# Whoever asks for a namespace that the overlay is not for is told so before anything is made or deleted there.
check_namespace() {
  local its_own
  its_own=$(sed -n 's/^  namespace: //p' | sort -u | xargs)
  [[ -z $its_own || $its_own == "$namespace" ]] || fail "$overlay is for the namespace $its_own, not for $namespace"
}
