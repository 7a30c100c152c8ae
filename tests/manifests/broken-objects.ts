/**
 * Slips in the types of objects, and in what every pod keeps to. What is set where, and what must be told of it.
 */

export interface Break {
  readonly name: string;
  readonly of: string;
  /** Path to what is changed. */
  readonly at: string;
  /** Left out: what is there is taken away. */
  readonly to?: unknown;
  readonly told: RegExp;
}

export const API = "Deployment/millrace-api";

export const CONTAINER = "spec.template.spec.containers.0";

export const brokenObjects: readonly Break[] = [
  // Types.
  {
    name: "an unknown field",
    of: API,
    at: "spec.template.spec.container",
    to: [],
    told: /spec\.template\.spec\.container: is unknown/,
  },
  {
    name: "an unknown field deep inside",
    of: API,
    at: `${CONTAINER}.securityContext.runAsNonroot`,
    to: true,
    told: /runAsNonroot: is unknown/,
  },
  {
    name: "a number that is a text",
    of: API,
    at: `${CONTAINER}.ports.0.containerPort`,
    to: "9464",
    told: /containerPort: must be a number/,
  },
  {
    name: "a text that is a number",
    of: "ConfigMap/millrace-config",
    at: "data.OPS_PORT",
    to: 9464,
    told: /OPS_PORT: must be a string/,
  },
  {
    name: "a word that Kubernetes does not know",
    of: API,
    at: `${CONTAINER}.imagePullPolicy`,
    to: "Sometimes",
    told: /Sometimes is none of/,
  },
  {
    name: "a quantity that is none",
    of: API,
    at: `${CONTAINER}.resources.limits.memory`,
    to: "1 GB",
    told: /is no quantity/,
  },
  { name: "a required field that is missing", of: API, at: "spec.selector", told: /spec\.selector: is missing/ },
  {
    name: "a required field of a list's item",
    of: API,
    at: `${CONTAINER}.name`,
    told: /containers\[0\]\.name: is missing/,
  },
  { name: "no specification at all", of: "Service/millrace-api", at: "spec", told: /spec: is missing/ },
  {
    name: "a kind of another group",
    of: API,
    at: "apiVersion",
    to: "apps/v1beta1",
    told: /there is no Deployment in apps\/v1beta1/,
  },
  {
    name: "an unknown field of a custom resource",
    of: "ScaledObject/millrace-consumer",
    at: "spec.minReplicas",
    to: 1,
    told: /Unrecognized key: "minReplicas"/,
  },
  {
    name: "a KEDA that takes silence for zero",
    of: "ScaledObject/millrace-consumer",
    at: "spec.triggers.0.metadata.ignoreNullValues",
    told: /ignoreNullValues/,
  },
  { name: "a KEDA without fallback", of: "ScaledObject/millrace-consumer", at: "spec.fallback", told: /fallback/ },
  // Pods.
  { name: "an image that moves", of: API, at: `${CONTAINER}.image`, to: "millrace-api:latest", told: /is not pinned/ },
  {
    name: "an image without a tag",
    of: API,
    at: `${CONTAINER}.image`,
    to: "localhost:5000/millrace-api",
    told: /has no tag/,
  },
  { name: "root", of: API, at: "spec.template.spec.securityContext.runAsUser", to: 0, told: /runs as root/ },
  {
    name: "a root that may be written",
    of: API,
    at: `${CONTAINER}.securityContext.readOnlyRootFilesystem`,
    to: false,
    told: /readOnlyRootFilesystem/,
  },
  {
    name: "a capability too many",
    of: API,
    at: `${CONTAINER}.securityContext.capabilities.add`,
    to: ["SYS_PTRACE"],
    told: /SYS_PTRACE/,
  },
  { name: "the node's own network", of: API, at: "spec.template.spec.hostNetwork", to: true, told: /hostNetwork/ },
  {
    name: "a folder of the node's",
    of: API,
    at: "spec.template.spec.volumes.0",
    to: { name: "tokens", hostPath: { path: "/etc" } },
    told: /hostPath is not allowed/,
  },
  { name: "no limit of memory", of: API, at: `${CONTAINER}.resources.limits`, told: /has no limit of memory/ },
  { name: "no request of processor time", of: API, at: `${CONTAINER}.resources.requests.cpu`, told: /requests no cpu/ },
  { name: "no probe", of: API, at: `${CONTAINER}.readinessProbe`, told: /has no readinessProbe/ },
  {
    name: "a probe of the public port",
    of: API,
    at: `${CONTAINER}.livenessProbe.httpGet.port`,
    to: "http",
    told: /not asked on the ops port/,
  },
  {
    name: "too short a time to stop",
    of: API,
    at: "spec.template.spec.terminationGracePeriodSeconds",
    to: 30,
    told: /terminationGracePeriodSeconds must be 35/,
  },
  {
    name: "a strategy without its type",
    of: API,
    at: "spec.strategy.type",
    to: undefined,
    told: /its strategy has no type/,
  },
];
