/**
 * What every pod keeps to: Pod Security "restricted", a read-only root, probes, requests and limits, pinned images,
 * and a stop that has the time it needs.
 */
import type { V1Container, V1Deployment } from "@kubernetes/client-node";
import { STOP_MAX_MS } from "../../core/service.ts";
import { containersOf, type Manifest, titleOf, type Workload, workloadsOf } from "./manifest.ts";

/** What a stop may take longer than our own deadline for it, before the kubelet ends it. */
const SPARE_S = 5;

/** Of volumes, those that "restricted" allows. */
const VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
];

export function checkPods(manifests: readonly Manifest[]): string[] {
  return workloadsOf(manifests).flatMap((workload) => {
    const title = titleOf(workload.manifest);
    return [
      ...podFaults(workload),
      ...containersOf(workload).flatMap((container) =>
        containerFaults(workload, container).map((fault) => `${container.name}: ${fault}`),
      ),
    ].map((fault) => `${title}: ${fault}`);
  });
}

function podFaults(workload: Workload): string[] {
  const { pod, labels } = workload;
  const faults = strategyFaults(workload);
  for (const field of ["hostNetwork", "hostPID", "hostIPC"] as const) {
    if (pod[field]) faults.push(`${field} is not allowed`);
  }
  for (const { name, ...source } of pod.volumes ?? []) {
    if (!Object.keys(source).every((kind) => VOLUMES.includes(kind))) {
      faults.push(`volume ${name}: ${Object.keys(source).join()} is not allowed`);
    }
  }
  if (pod.securityContext?.sysctls !== undefined) faults.push("sysctls are not allowed");
  if (!labels["app.kubernetes.io/component"]) faults.push("has no label app.kubernetes.io/component");
  if (pod.automountServiceAccountToken !== false && pod.serviceAccountName === undefined) {
    faults.push("mounts the default service account's token");
  }
  if (isOurs(workload)) {
    // Services named millrace-… would come as variables MILLRACE_…
    if (pod.enableServiceLinks !== false) faults.push("enableServiceLinks is not off");
    const pause = pod.containers[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
    const needed = pause + STOP_MAX_MS / 1000 + SPARE_S;
    if (pod.terminationGracePeriodSeconds !== needed) {
      faults.push(
        `terminationGracePeriodSeconds must be ${needed}: the pause, the longest stop, and ${SPARE_S} s to spare`,
      );
    }
  }
  return faults;
}

/** Kubernetes adds the type, and `kubectl apply` then wants to take it away, each time. */
function strategyFaults({ manifest }: Workload): string[] {
  const { strategy } = (manifest as unknown as V1Deployment).spec ?? {};
  return strategy !== undefined && strategy.type === undefined ? ["its strategy has no type"] : [];
}

/** The api and the consumers, wherever their image comes from. */
export function isOurs({ labels }: Workload): boolean {
  return ["api", "consumer"].includes(labels["app.kubernetes.io/component"] ?? "");
}

/** Sources that start again when they change (components/live-reload): they must be writable. */
export function runsSources({ template }: Workload): boolean {
  return template.metadata?.annotations?.["millrace/runs"] === "sources";
}

function containerFaults(workload: Workload, container: V1Container): string[] {
  const lasting = workload.lasting && workload.pod.containers.includes(container);
  return [
    ...securityFaults(workload, container),
    ...imageFaults(container.image),
    ...resourceFaults(container),
    ...maxmemoryFaults(container),
    ...(lasting ? probeFaults(workload, container) : []),
  ];
}

/** https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and the root's own file system beside it. */
function securityFaults(workload: Workload, { securityContext: own = {} }: V1Container): string[] {
  const around = workload.pod.securityContext ?? {};
  const faults: string[] = [];
  if (own.privileged) faults.push("is privileged");
  if (own.allowPrivilegeEscalation !== false) faults.push("allowPrivilegeEscalation is not false");
  if (own.readOnlyRootFilesystem !== true && !runsSources(workload)) faults.push("readOnlyRootFilesystem is not true");
  if (!own.capabilities?.drop?.includes("ALL")) faults.push("does not drop ALL capabilities");
  const added = (own.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
  if (added.length > 0) faults.push(`adds capabilities: ${added.join()}`);
  if ((own.runAsNonRoot ?? around.runAsNonRoot) !== true) faults.push("runAsNonRoot is not true");
  const user = own.runAsUser ?? around.runAsUser;
  if (user === undefined) faults.push("has no runAsUser");
  if (user === 0) faults.push("runs as root");
  const seccomp = (own.seccompProfile ?? around.seccompProfile)?.type;
  if (seccomp !== "RuntimeDefault" && seccomp !== "Localhost") faults.push("has no seccomp profile");
  if (own.procMount !== undefined && own.procMount !== "Default") faults.push("has a procMount");
  return faults;
}

function imageFaults(image = ""): string[] {
  const [, tag, digest] = /^[^@]*?(?::([\w.-]+))?(@sha256:[0-9a-f]{64})?$/.exec(image) ?? [];
  if (digest === undefined && tag === undefined) return [`the image ${image} has no tag`];
  if (digest === undefined && !/\d/.test(tag ?? "")) return [`the image ${image} is not pinned: its tag moves`];
  return [];
}

/** No limit of processor time is asked for: it makes what waits wait longer, and gives nobody anything. */
function resourceFaults({ resources = {} }: V1Container): string[] {
  const faults: string[] = [];
  if (resources.requests?.cpu === undefined) faults.push("requests no cpu");
  if (resources.requests?.memory === undefined) faults.push("requests no memory");
  if (resources.limits?.memory === undefined) faults.push("has no limit of memory");
  return faults;
}

/** Redis copies what it holds while it writes it out, so its own bound is well below the container's. */
const MAXMEMORY_SHARE = 0.6;

function maxmemoryFaults({ args = [], resources = {} }: V1Container): string[] {
  const at = args.indexOf("--maxmemory");
  if (at < 0) return [];
  const own = bytesOf(args[at + 1] ?? "");
  const limit = bytesOf(String(resources.limits?.memory));
  return own <= limit * MAXMEMORY_SHARE
    ? []
    : [`its maxmemory is more than ${MAXMEMORY_SHARE} of the container's memory`];
}

/** Of Redis (`3gb`) and of Kubernetes (`5Gi`). NaN for what is neither. */
function bytesOf(quantity: string): number {
  const [, number, unit = ""] = /^(\d+)(mb|gb|Mi|Gi)$/.exec(quantity) ?? [];
  return Number(number) * 1024 ** (unit.toLowerCase().startsWith("g") ? 3 : 2);
}

/** Sources that do not compile are no reason to end a container: with it, what was changed in it would be gone. */
function probesOf(workload: Workload): readonly ("startupProbe" | "livenessProbe" | "readinessProbe")[] {
  if (runsSources(workload)) return ["readinessProbe"];
  return isOurs(workload) ? ["startupProbe", "livenessProbe", "readinessProbe"] : ["livenessProbe", "readinessProbe"];
}

function probeFaults(workload: Workload, container: V1Container): string[] {
  const faults: string[] = [];
  const probes = probesOf(workload);
  const ports = new Set((container.ports ?? []).flatMap(({ name, containerPort }) => [name, containerPort]));
  for (const name of probes) {
    const probe = container[name];
    if (probe === undefined) {
      faults.push(`has no ${name}`);
      continue;
    }
    const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port;
    if (port !== undefined && !ports.has(port as string | number)) faults.push(`${name}: there is no port ${port}`);
    if (isOurs(workload) && port !== "ops") faults.push(`${name}: is not asked on the ops port`);
  }
  return faults;
}
