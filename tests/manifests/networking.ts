/**
 * Whoever leads to something must lead to something that is there: Services to pods and their ports, Ingress and routes to
 * Services, monitors to Services' ports, network policies to ports. And nothing public leads to an ops port.
 */
import type { V1Deployment, V1Ingress, V1NetworkPolicy, V1Service, V1ServicePort } from "@kubernetes/client-node";
import {
  containersOf,
  find,
  type Manifest,
  ofKind,
  selects,
  selectsByPairs,
  titleOf,
  type Workload,
  workloadsOf,
} from "./manifest.ts";

type Port = string | number;

export function checkNetworking(manifests: readonly Manifest[]): string[] {
  return [
    ...workloadsOf(manifests).flatMap(selectorFaults),
    ...ofKind<V1Service>(manifests, "Service").flatMap((service) => serviceFaults(manifests, service)),
    ...ofKind<V1Ingress>(manifests, "Ingress").flatMap((ingress) => ingressFaults(manifests, ingress)),
    ...ofKind<HttpRoute>(manifests, "HTTPRoute").flatMap((route) => routeFaults(manifests, route)),
    ...ofKind<Gateway>(manifests, "Gateway").flatMap(gatewayFaults),
    ...ofKind<ServiceMonitor>(manifests, "ServiceMonitor").flatMap((monitor) => monitorFaults(manifests, monitor)),
    ...ofKind<V1NetworkPolicy>(manifests, "NetworkPolicy").flatMap((policy) => policyFaults(manifests, policy)),
  ];
}

function selectorFaults({ manifest, labels }: Workload): string[] {
  const selector = (manifest as unknown as V1Deployment).spec?.selector;
  if (manifest.kind === "Job" || manifest.kind === "CronJob" || selects(selector, labels)) return [];
  return [`${titleOf(manifest)}: its selector does not match its own pods`];
}

/** Ports that a pod says it has, by name and by number. */
export function portsOf(workload: Workload): ReadonlyMap<Port, { readonly number: number; readonly protocol: string }> {
  const ports = containersOf(workload).flatMap(({ ports: own = [] }) => own);
  const found = new Map<Port, { number: number; protocol: string }>();
  for (const { name, containerPort, protocol = "TCP" } of ports) {
    const port = { number: containerPort, protocol };
    found.set(containerPort, port);
    if (name !== undefined) found.set(name, port);
  }
  return found;
}

/** The workloads whose pods a Service leads to. */
function behind(manifests: readonly Manifest[], service: V1Service): Workload[] {
  return workloadsOf(manifests).filter(({ labels }) => selectsByPairs(service.spec?.selector, labels));
}

function serviceFaults(manifests: readonly Manifest[], service: Manifest & V1Service): string[] {
  if (service.spec?.type === "ExternalName") return [];
  const workloads = behind(manifests, service);
  if (workloads.length !== 1)
    return [`${titleOf(service)}: selects the pods of ${workloads.length} workloads, not of one`];
  return (service.spec?.ports ?? []).flatMap(({ port, targetPort = port }) =>
    workloads.every((workload) => portsOf(workload).has(targetPort as Port))
      ? []
      : [`${titleOf(service)}: its pods have no port ${targetPort}`],
  );
}

/** The Service's port, when it is one that the public may be led to. */
function publicFaults(manifests: readonly Manifest[], name: string | undefined, port: Port | undefined): string[] {
  const service = find(manifests, "Service", name) as (Manifest & V1Service) | undefined;
  if (service === undefined) return [`there is no Service ${name}`];
  const found: V1ServicePort | undefined = service.spec?.ports?.find(
    (each) => each.name === port || each.port === port,
  );
  if (found === undefined) return [`the Service ${name} has no port ${port}`];
  const target = (found.targetPort ?? found.port) as Port;
  const ops = behind(manifests, service).some((workload) => {
    const ports = portsOf(workload);
    return ports.has("ops") && ports.get(target)?.number === ports.get("ops")?.number;
  });
  return ops ? [`leads to the ops port of ${name}`] : [];
}

function ingressFaults(manifests: readonly Manifest[], ingress: Manifest & V1Ingress): string[] {
  const { rules = [], tls = [], ingressClassName, defaultBackend } = ingress.spec ?? {};
  const hosts = rules.map(({ host }) => host);
  const backends = [defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))];
  const faults = backends.flatMap((backend) => {
    if (backend === undefined) return [];
    return publicFaults(manifests, backend.service?.name, backend.service?.port?.name ?? backend.service?.port?.number);
  });
  if (!ingressClassName) faults.push("has no class");
  for (const host of tls.flatMap(({ hosts: own = [] }) => own)) {
    if (!hosts.includes(host)) faults.push(`the certificate is for ${host}, which is no host of it`);
  }
  const foreign = Object.keys(ingress.metadata.annotations ?? {}).filter((key) => !key.startsWith("cert-manager.io/"));
  if (foreign.length > 0) faults.push(`has annotations of a controller: ${foreign.join()}`);
  return faults.map((fault) => `${titleOf(ingress)}: ${fault}`);
}

interface HttpRoute {
  readonly spec: {
    readonly parentRefs: { name: string; sectionName?: string }[];
    readonly hostnames?: string[];
    readonly rules: { backendRefs?: { name: string; port: number }[] }[];
  };
}

interface Gateway {
  readonly spec: { readonly listeners: { name: string; protocol: string; hostname?: string; tls?: unknown }[] };
}

function routeFaults(manifests: readonly Manifest[], route: Manifest & HttpRoute): string[] {
  const faults = route.spec.rules.flatMap(({ backendRefs = [] }) =>
    backendRefs.flatMap(({ name, port }) => publicFaults(manifests, name, port)),
  );
  for (const { name, sectionName } of route.spec.parentRefs) {
    const gateway = find(manifests, "Gateway", name) as (Manifest & Gateway) | undefined;
    const listener = gateway?.spec.listeners.find((each) => each.name === sectionName);
    if (listener === undefined) faults.push(`there is no listener ${sectionName} of a Gateway ${name}`);
    else if (listener.protocol === "HTTP" && route.spec.rules.some(({ backendRefs }) => backendRefs !== undefined)) {
      faults.push("serves without TLS");
    } else if (listener.hostname !== undefined && !route.spec.hostnames?.includes(listener.hostname)) {
      faults.push(`is not for ${listener.hostname}, the host of its listener`);
    }
  }
  return faults.map((fault) => `${titleOf(route)}: ${fault}`);
}

function gatewayFaults(gateway: Manifest & Gateway): string[] {
  return gateway.spec.listeners
    .filter(({ protocol, tls }) => protocol !== "HTTP" && tls === undefined)
    .map(({ name }) => `${titleOf(gateway)}: the listener ${name} has no certificate`);
}

interface ServiceMonitor {
  readonly spec: {
    readonly selector: Parameters<typeof selects>[0];
    readonly namespaceSelector?: { matchNames?: string[] };
    readonly endpoints: { port: string }[];
  };
}

function monitorFaults(manifests: readonly Manifest[], monitor: Manifest & ServiceMonitor): string[] {
  const services = ofKind<V1Service>(manifests, "Service").filter(({ metadata }) =>
    selects(monitor.spec.selector, metadata.labels ?? {}),
  );
  const ports = services.flatMap(({ spec }) => (spec?.ports ?? []).map(({ name }) => name));
  const faults = monitor.spec.endpoints
    .filter(({ port }) => !ports.includes(port))
    .map(({ port }) => `no Service that it selects has a port ${port}`);
  for (const name of monitor.spec.namespaceSelector?.matchNames ?? []) {
    if (services.some(({ metadata }) => metadata.namespace !== name)) faults.push(`looks for its Services in ${name}`);
  }
  return faults.map((fault) => `${titleOf(monitor)}: ${fault}`);
}

function policyFaults(manifests: readonly Manifest[], policy: Manifest & V1NetworkPolicy): string[] {
  const workloads = workloadsOf(manifests);
  const { podSelector, ingress = [], egress = [] } = policy.spec ?? {};
  const selected = workloads.filter(({ labels }) => selects(podSelector, labels));
  // A policy about everybody names ports that only some have.
  const everybody = JSON.stringify(podSelector) === "{}";
  const faults = everybody ? [] : ingress.flatMap(({ ports = [] }) => missingPorts(selected, ports));
  for (const { to = [], ports = [] } of egress) {
    if (to.some(({ podSelector: peers, namespaceSelector }) => peers === undefined || namespaceSelector !== undefined))
      continue;
    const peers = workloads.filter(({ labels }) => to.some((peer) => selects(peer.podSelector, labels)));
    faults.push(...missingPorts(peers, ports));
  }
  return faults.map((fault) => `${titleOf(policy)}: ${fault}`);
}

/** Where none of the pods is there (a component that was not asked for), nothing can be said. */
function missingPorts(workloads: readonly Workload[], ports: readonly { port?: unknown }[]): string[] {
  if (workloads.length === 0) return [];
  return ports
    .filter(({ port }) => port !== undefined && !workloads.some((workload) => portsOf(workload).has(port as Port)))
    .map(({ port }) => `none of the pods it is about has a port ${String(port)}`);
}
