/** The StatefulSets of infra/redis as a cluster gets them, as far as a kubelet needs them. */
import { execFileSync, spawnSync } from "node:child_process";
import { parseAllDocuments } from "yaml";
import { redisFolder } from "../../../infra/local/redis-process.ts";

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly periodSeconds?: number;
  readonly timeoutSeconds?: number;
}

export interface Container {
  readonly name: string;
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: FromField }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle?: { readonly preStop?: { readonly exec?: { readonly command: readonly string[] } } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

interface FromField {
  readonly fieldRef?: { readonly fieldPath: string };
}

interface SecretItems {
  readonly secret: { readonly optional?: boolean; readonly items: readonly { key: string; path: string }[] };
}

export interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string };
  readonly projected?: { readonly sources: readonly SecretItems[] };
}

export interface StatefulSet {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName: string;
    readonly template: {
      readonly spec: {
        readonly containers: readonly Container[];
        readonly volumes: readonly Volume[];
        readonly terminationGracePeriodSeconds: number;
        readonly securityContext: { readonly runAsUser: number; readonly runAsGroup: number };
      };
    };
  };
}

export interface ConfigMap {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

export interface Rendered {
  readonly sets: readonly StatefulSet[];
  readonly configMaps: readonly ConfigMap[];
}

export const canRender = (): boolean => spawnSync("kubectl", ["version", "--client"]).status === 0;

export function renderRedis(): Rendered {
  const text = execFileSync("kubectl", ["kustomize", redisFolder], { encoding: "utf8" });
  const objects = parseAllDocuments(text).map((document) => document.toJS() as StatefulSet | ConfigMap);
  return {
    sets: objects.filter((one): one is StatefulSet => one.kind === "StatefulSet"),
    configMaps: objects.filter((one): one is ConfigMap => one.kind === "ConfigMap"),
  };
}

/** What the container's process finds: `$(NAME)` is replaced by what stands before, as Kubernetes does. */
export function environmentOf(container: Container, pod: string, namespace: string): Record<string, string> {
  const fields: Record<string, string> = { "metadata.name": pod, "metadata.namespace": namespace };
  const environment: Record<string, string> = {};
  for (const { name, value, valueFrom } of container.env) {
    const given = value ?? fields[valueFrom?.fieldRef?.fieldPath ?? ""] ?? "";
    environment[name] = given.replace(/\$\(([A-Z_]+)\)/g, (whole, known: string) => environment[known] ?? whole);
  }
  return environment;
}
