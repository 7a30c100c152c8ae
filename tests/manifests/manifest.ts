/**
 * Rendered Kubernetes objects, and the ways into them that every check takes. What has been held to the types of
 * Kubernetes (kubernetes-types.ts) may be looked at as what it says it is.
 */
import type {
  V1Container,
  V1CronJob,
  V1Deployment,
  V1Job,
  V1LabelSelector,
  V1PersistentVolumeClaim,
  V1PodSpec,
  V1PodTemplateSpec,
} from "@kubernetes/client-node";
import { parseAllDocuments } from "yaml";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly [field: string]: unknown;
}

export type Labels = Readonly<Record<string, string>>;

/** Something that makes pods. */
export interface Workload {
  readonly manifest: Manifest;
  readonly template: V1PodTemplateSpec;
  readonly pod: V1PodSpec;
  readonly labels: Labels;
  /** It runs until it is told to stop. */
  readonly lasting: boolean;
  readonly claims: readonly V1PersistentVolumeClaim[];
}

const LASTING = ["Deployment", "StatefulSet", "DaemonSet"];

/** @throws Error when the text is no YAML, a document has a key twice, or is no object of Kubernetes */
export function parseManifests(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    const value = document.toJS() as Partial<Manifest> | null;
    if (value === null) return [];
    if (!value.apiVersion || !value.kind || !value.metadata?.name) {
      throw new Error(`not an object of Kubernetes: ${JSON.stringify(value).slice(0, 200)}`);
    }
    return [value as Manifest];
  });
}

/** `Kind/name`: how a fault says where it is. */
export function titleOf({ kind, metadata }: Manifest): string {
  return `${kind}/${metadata.name}`;
}

export function ofKind<Type>(manifests: readonly Manifest[], kind: string): (Manifest & Type)[] {
  return manifests.filter((manifest) => manifest.kind === kind) as (Manifest & Type)[];
}

export function find(manifests: readonly Manifest[], kind: string, name: string | undefined): Manifest | undefined {
  return manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
}

export function workloadsOf(manifests: readonly Manifest[]): Workload[] {
  return manifests.flatMap((manifest) => {
    const template = templateOf(manifest);
    if (!template?.spec) return [];
    const claims = (manifest as { spec?: { volumeClaimTemplates?: V1PersistentVolumeClaim[] } }).spec;
    return [
      {
        manifest,
        template,
        pod: template.spec,
        labels: template.metadata?.labels ?? {},
        lasting: LASTING.includes(manifest.kind),
        claims: claims?.volumeClaimTemplates ?? [],
      },
    ];
  });
}

function templateOf(manifest: Manifest): V1PodTemplateSpec | undefined {
  if (LASTING.includes(manifest.kind)) return (manifest as unknown as V1Deployment).spec?.template;
  if (manifest.kind === "Job") return (manifest as unknown as V1Job).spec?.template;
  if (manifest.kind === "CronJob") return (manifest as unknown as V1CronJob).spec?.jobTemplate.spec?.template;
  return undefined;
}

export function containersOf({ pod }: Workload): readonly V1Container[] {
  return [...(pod.initContainers ?? []), ...pod.containers];
}

/** As Kubernetes does it: an empty selector takes all, none at all takes nothing. */
export function selects(selector: V1LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const alike = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return alike && (selector.matchExpressions ?? []).every((expression) => fulfils(labels, expression));
}

function fulfils(labels: Labels, { key, operator, values = [] }: { key: string; operator: string; values?: string[] }) {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw new Error(`no such operator: ${operator}`);
  }
}

/** A Service's way of selecting: an empty one takes nothing. */
export function selectsByPairs(pairs: Labels | undefined, labels: Labels): boolean {
  const entries = Object.entries(pairs ?? {});
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value);
}
