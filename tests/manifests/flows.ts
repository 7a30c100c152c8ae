/**
 * Who may talk to whom, by the NetworkPolicies, as Kubernetes has it: a pod that a policy selects for a direction may do
 * there what some policy allows, and a pod that none selects may do everything. Both ends must allow it.
 */
import type { V1LabelSelector, V1NetworkPolicyPeer, V1NetworkPolicyPort } from "@kubernetes/client-node";
import { type Labels, type Manifest, ofKind, selects, workloadsOf } from "./manifest.ts";
import { portsOf } from "./networking.ts";

export interface Party {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly ports: ReturnType<typeof portsOf>;
}

/** As it is written; the client's own type calls `from` otherwise. */
interface Policy {
  readonly spec: {
    readonly podSelector: V1LabelSelector;
    readonly policyTypes?: readonly string[];
    readonly ingress?: readonly { from?: V1NetworkPolicyPeer[]; ports?: V1NetworkPolicyPort[] }[];
    readonly egress?: readonly { to?: V1NetworkPolicyPeer[]; ports?: V1NetworkPolicyPort[] }[];
  };
}

type Direction = "Ingress" | "Egress";

/** Without these it does not work; of what is rendered. */
const NEEDED = [
  ...["api", "consumer"].flatMap((name) => [
    `${name} -> log:6379`,
    `${name} -> store:6379`,
    `${name} -> sentinel:26379`,
    `${name} -> collector:4318`,
  ]),
  ...["log", "store"].flatMap((name) => [
    `${name} -> ${name}:6379`,
    `${name} -> sentinel:26379`,
    `sentinel -> ${name}:6379`,
    `backup -> ${name}:6379`,
  ]),
  "sentinel -> sentinel:26379",
  "collector -> jaeger:4317",
];

/** Who answers questions for names. */
export const DNS: Party = {
  name: "dns",
  namespace: "kube-system",
  labels: { "k8s-app": "kube-dns" },
  ports: new Map([
    ["dns", { number: 53, protocol: "UDP" }],
    ["dns-tcp", { number: 53, protocol: "TCP" }],
  ]),
};

/** What must be allowed and is not. */
export function checkFlows(manifests: readonly Manifest[]): string[] {
  const inside = partiesOf(manifests);
  const names = new Set([...inside, DNS].map(({ name }) => name));
  const flows = new Set(flowsOf(manifests, [...inside, DNS]));
  return [...NEEDED, ...inside.map(({ name }) => `${name} -> dns:53`)]
    .filter((flow) => {
      const [from = "", to = ""] = flow.split(/ -> |:/);
      return names.has(from) && names.has(to) && !flows.has(flow);
    })
    .map((flow) => `the NetworkPolicies forbid ${flow}`);
}

/** The pods of the rendered workloads, by their component. */
export function partiesOf(manifests: readonly Manifest[]): Party[] {
  return workloadsOf(manifests).map((workload) => ({
    name: workload.labels["app.kubernetes.io/component"] ?? workload.manifest.metadata.name,
    namespace: workload.manifest.metadata.namespace ?? "",
    labels: workload.labels,
    ports: portsOf(workload),
  }));
}

/** All that is allowed, as `from -> to:port`, over every port that somebody listens on, and one that nobody does. */
export function flowsOf(manifests: readonly Manifest[], parties: readonly Party[]): string[] {
  const policies = ofKind<Policy>(manifests, "NetworkPolicy");
  return parties.flatMap((from) =>
    parties.flatMap((to) => {
      const ports = [...[...to.ports.values()], { number: 22, protocol: "TCP" }];
      const open = ports.filter(
        ({ number, protocol }) =>
          allows(policies, "Egress", from, to, number, protocol) &&
          allows(policies, "Ingress", to, from, number, protocol, to),
      );
      return [...new Set(open.map(({ number }) => `${from.name} -> ${to.name}:${number}`))];
    }),
  );
}

/** @param own whose policies are asked @param other the other end @param listener whose port it is */
function allows(
  policies: readonly (Manifest & Policy)[],
  direction: Direction,
  own: Party,
  other: Party,
  port: number,
  protocol: string,
  listener = other,
): boolean {
  const about = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === own.namespace &&
      typesOf(spec).includes(direction) &&
      selects(spec.podSelector, own.labels),
  );
  if (about.length === 0) return true;
  return about.some(({ metadata, spec }) => {
    const rules =
      direction === "Ingress"
        ? (spec.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }))
        : (spec.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
    return rules.some(
      ({ peers, ports }) =>
        (peers === undefined || peers.some((peer) => isPeer(peer, other, metadata.namespace))) &&
        (ports === undefined || ports.some((each) => isPort(each, listener, port, protocol))),
    );
  });
}

function typesOf(spec: Policy["spec"]): readonly string[] {
  return spec.policyTypes ?? ["Ingress", ...(spec.egress === undefined ? [] : ["Egress"])];
}

function isPeer(peer: V1NetworkPolicyPeer, party: Party, own: string | undefined): boolean {
  if (peer.ipBlock !== undefined) return false;
  const here =
    peer.namespaceSelector === undefined
      ? party.namespace === own
      : selects(peer.namespaceSelector, { "kubernetes.io/metadata.name": party.namespace });
  return here && selects(peer.podSelector ?? {}, party.labels);
}

function isPort(allowed: V1NetworkPolicyPort, listener: Party, port: number, protocol: string): boolean {
  if ((allowed.protocol ?? "TCP") !== protocol) return false;
  if (allowed.port === undefined) return true;
  const named = allowed.port as unknown as string | number;
  return typeof named === "number" ? named === port : listener.ports.get(named)?.number === port;
}
