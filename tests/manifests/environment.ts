/**
 * What the api's and the consumers' processes would find in their environment: the very check that they make of it at
 * their start, and that every name means something to somebody.
 */
import type { V1ConfigMap, V1Container } from "@kubernetes/client-node";
import { apiConfigSchema } from "../../api/config.ts";
import { consumerConfigSchema } from "../../consumer/config.ts";
import { parseConfig } from "../../core/config.ts";
import { describeError } from "../../core/errors.ts";
import { find, type Manifest, titleOf, type Workload, workloadsOf } from "./manifest.ts";
import { runsSources } from "./pod-policies.ts";

export const SCHEMAS = { api: apiConfigSchema, consumer: consumerConfigSchema } as const;

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/, of it what a deployment may want. */
const OPENTELEMETRY = new Set([
  "OTEL_SDK_DISABLED",
  "OTEL_SERVICE_NAME",
  "OTEL_RESOURCE_ATTRIBUTES",
  "OTEL_LOG_LEVEL",
  "OTEL_TRACES_EXPORTER",
  "OTEL_TRACES_SAMPLER",
  "OTEL_TRACES_SAMPLER_ARG",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
  "OTEL_EXPORTER_OTLP_HEADERS",
  "OTEL_EXPORTER_OTLP_PROTOCOL",
  "OTEL_EXPORTER_OTLP_TIMEOUT",
  "OTEL_EXPORTER_OTLP_CERTIFICATE",
  "OTEL_BSP_SCHEDULE_DELAY",
  "OTEL_BSP_MAX_QUEUE_SIZE",
  "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
  "OTEL_BSP_EXPORT_TIMEOUT",
]);

/** Node's own. */
const NODE = new Set(["NODE_ENV", "NODE_OPTIONS", "NODE_EXTRA_CA_CERTS"]);

/** They name files, which are not here but in the pod. */
const FILES = ["MILLRACE_TOKENS_FILE", "MILLRACE_REDIS_CA_FILE"];

/** Any password that `openssl rand -hex` would make. */
const SECRET = "5ec2e7";

export interface Environment {
  readonly values: Readonly<Record<string, string>>;
  /** Names that others are put together from. */
  readonly parts: ReadonlySet<string>;
  readonly faults: readonly string[];
}

/** Puts together what the kubelet would: envFrom first, then env in order, `$(NAME)` replaced by what stands before it. */
export function environmentOf(manifests: readonly Manifest[], container: V1Container): Environment {
  const values: Record<string, string> = {};
  const parts = new Set<string>();
  const faults: string[] = [];
  const map = (name: string | undefined) => (find(manifests, "ConfigMap", name) as V1ConfigMap | undefined)?.data ?? {};
  for (const { configMapRef, prefix = "" } of container.envFrom ?? []) {
    for (const [key, value] of Object.entries(map(configMapRef?.name))) values[prefix + key] = value;
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (valueFrom?.secretKeyRef) values[name] = SECRET;
    else if (valueFrom?.configMapKeyRef) {
      values[name] = map(valueFrom.configMapKeyRef.name)[valueFrom.configMapKeyRef.key] ?? "";
    } else if (valueFrom) values[name] = "1";
    else {
      values[name] = (value ?? "").replaceAll(/\$\(([^)]+)\)/g, (whole, part: string) => {
        parts.add(part);
        const found = values[part];
        if (found === undefined) faults.push(`${name}: ${whole} does not stand before it, and stays as it is`);
        return found ?? whole;
      });
    }
  }
  return { values, parts, faults };
}

export function checkEnvironments(manifests: readonly Manifest[]): string[] {
  return workloadsOf(manifests).flatMap((workload) => {
    const component = workload.labels["app.kubernetes.io/component"];
    const container = workload.pod.containers[0];
    if ((component !== "api" && component !== "consumer") || container === undefined) return [];
    return faultsOf(manifests, workload, container, component).map(
      (fault) => `${titleOf(workload.manifest)}: ${fault}`,
    );
  });
}

function faultsOf(
  manifests: readonly Manifest[],
  workload: Workload,
  container: V1Container,
  component: keyof typeof SCHEMAS,
): string[] {
  const { values, parts, faults: unresolved } = environmentOf(manifests, container);
  const schema = SCHEMAS[component];
  const faults = [...unresolved];
  for (const name of Object.keys(values)) {
    const known = name in schema.shape || OPENTELEMETRY.has(name) || NODE.has(name) || parts.has(name);
    if (!known) faults.push(`${name}: the ${component} knows no such variable`);
  }
  try {
    // A certificate is read at the start.
    parseConfig(schema, { ...values, MILLRACE_REDIS_CA_FILE: undefined });
  } catch (error) {
    faults.push(describeError(error));
  }
  if (values.OTEL_SERVICE_NAME !== `millrace-${component}`) faults.push("OTEL_SERVICE_NAME is not its name");
  if (values.MILLRACE_ALLOW_ANONYMOUS !== undefined) faults.push("lets in whoever has no token");
  const command = (container.command ?? []).join(" ");
  const expected = runsSources(workload)
    ? `node --watch-path=core --watch-path=otel --watch-path=${component} --import ./otel/bootstrap.ts ${component}/main.ts`
    : `node --import ./dist/otel/bootstrap.js dist/${component}/main.js`;
  if (command !== expected) {
    faults.push(`its first process is not node, with traces: ${command}`);
  }
  return [...faults, ...fileFaults(workload, container, values), ...portFaults(container, values)];
}

/** A variable that names a file names one that is mounted. */
function fileFaults({ pod }: Workload, container: V1Container, values: Environment["values"]): string[] {
  return FILES.flatMap((variable) => {
    const path = values[variable];
    if (path === undefined) return [];
    const mount = container.volumeMounts?.find(({ mountPath }) => path.startsWith(`${mountPath}/`));
    if (mount?.subPath !== undefined) return [`${variable} is mounted by subPath: a changed Secret would not reach it`];
    const source = pod.volumes?.find(({ name }) => name === mount?.name);
    const items = source?.secret?.items ?? source?.configMap?.items;
    const there = items === undefined || items.some((item) => `${mount?.mountPath}/${item.path}` === path);
    return source !== undefined && there ? [] : [`${variable}: nothing is mounted at ${path}`];
  });
}

function portFaults({ ports = [] }: V1Container, values: Environment["values"]): string[] {
  const number = (name: string) => String(ports.find((port) => port.name === name)?.containerPort ?? "");
  const pairs = [
    ["ops", values.OPS_PORT ?? "9464"],
    ...(values.PORT === undefined ? [] : [["http", values.PORT]]),
  ] as const;
  return pairs
    .filter(([name, value]) => number(name ?? "") !== value)
    .map(([name, value]) => `its port ${name} is not the ${value} that it listens on`);
}
