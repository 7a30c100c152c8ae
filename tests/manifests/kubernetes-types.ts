/**
 * Holds objects to the types of Kubernetes: unknown fields, values of another type, required fields that are missing.
 *
 * The types are those of Kubernetes' own JavaScript client, made from its OpenAPI description: each model lists its fields
 * with their types, and its declaration file says which of them must be there.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as all from "@kubernetes/client-node/dist/gen/models/all.js";
import { type Manifest, titleOf } from "./manifest.ts";

interface Field {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
}

const folder = dirname(createRequire(import.meta.url).resolve("@kubernetes/client-node/dist/gen/models/all.js"));
const models = all as unknown as Record<string, { readonly attributeTypeMap?: readonly Field[] }>;
const requiredFields = new Map<string, ReadonlySet<string>>();

/** The kinds that we know, and what must be there although Kubernetes' description leaves it open. */
const KINDS: Readonly<Record<string, readonly [model: string, ...required: string[]]>> = {
  "v1 Namespace": ["V1Namespace"],
  "v1 ServiceAccount": ["V1ServiceAccount"],
  "v1 ConfigMap": ["V1ConfigMap"],
  "v1 Secret": ["V1Secret"],
  "v1 Service": ["V1Service", "spec"],
  "v1 PersistentVolumeClaim": ["V1PersistentVolumeClaim", "spec"],
  "apps/v1 Deployment": ["V1Deployment", "spec"],
  "apps/v1 StatefulSet": ["V1StatefulSet", "spec"],
  "apps/v1 DaemonSet": ["V1DaemonSet", "spec"],
  "batch/v1 Job": ["V1Job", "spec"],
  "batch/v1 CronJob": ["V1CronJob", "spec"],
  "policy/v1 PodDisruptionBudget": ["V1PodDisruptionBudget", "spec"],
  "autoscaling/v2 HorizontalPodAutoscaler": ["V2HorizontalPodAutoscaler", "spec"],
  "networking.k8s.io/v1 Ingress": ["V1Ingress", "spec"],
  "networking.k8s.io/v1 NetworkPolicy": ["V1NetworkPolicy", "spec"],
  "rbac.authorization.k8s.io/v1 Role": ["V1Role", "rules"],
  "rbac.authorization.k8s.io/v1 RoleBinding": ["V1RoleBinding", "subjects"],
  "rbac.authorization.k8s.io/v1 ClusterRole": ["V1ClusterRole", "rules"],
  "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ["V1ClusterRoleBinding", "subjects"],
};

/** A quantity is a text to the client, and may be a number to Kubernetes. */
const QUANTITIES = new Set(["V1ResourceRequirements.limits", "V1ResourceRequirements.requests"]);

/** What a text may be where the description says no more than "string". */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  "V1Container.imagePullPolicy": ["Always", "IfNotPresent", "Never"],
  "V1ContainerPort.protocol": ["TCP", "UDP", "SCTP"],
  "V1DeploymentStrategy.type": ["RollingUpdate", "Recreate"],
  "V1HTTPIngressPath.pathType": ["Prefix", "Exact", "ImplementationSpecific"],
  "V1LabelSelectorRequirement.operator": ["In", "NotIn", "Exists", "DoesNotExist"],
  "V1NetworkPolicyPort.protocol": ["TCP", "UDP", "SCTP"],
  "V1PersistentVolumeClaimSpec.accessModes": ["ReadWriteOnce", "ReadWriteOncePod", "ReadOnlyMany", "ReadWriteMany"],
  "V1PodDisruptionBudgetSpec.unhealthyPodEvictionPolicy": ["AlwaysAllow", "IfHealthyBudget"],
  "V1PodSpec.restartPolicy": ["Always", "OnFailure", "Never"],
  "V1SeccompProfile.type": ["RuntimeDefault", "Localhost", "Unconfined"],
  "V1ServicePort.protocol": ["TCP", "UDP", "SCTP"],
  "V1ServiceSpec.type": ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
  "V1StatefulSetSpec.podManagementPolicy": ["OrderedReady", "Parallel"],
  "V1TopologySpreadConstraint.nodeTaintsPolicy": ["Honor", "Ignore"],
  "V1TopologySpreadConstraint.whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
  "V1NetworkPolicySpec.policyTypes": ["Ingress", "Egress"],
};

/** @returns null for a kind that Kubernetes itself does not have, or that we do not use */
export function checkKubernetesTypes(manifest: Manifest): string[] | null {
  const kind = KINDS[`${manifest.apiVersion} ${manifest.kind}`];
  if (kind === undefined) return null;
  const [model, ...required] = kind;
  const missing = required.filter((name) => manifest[name] === undefined).map((name) => `${name}: is missing`);
  return [...missing, ...checkValue(manifest, model, "")].map((fault) => `${titleOf(manifest)}: ${fault}`);
}

function checkValue(value: unknown, type: string, path: string): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path}: must be a list`];
    return value.flatMap((item, index) => checkValue(item, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    if (!isObject(value)) return [`${path}: must be an object`];
    return Object.entries(value).flatMap(([key, item]) => checkValue(item, map, `${path}.${key}`));
  }
  switch (type) {
    case "any":
      return [];
    case "string":
    case "number":
    case "boolean":
      return typeof value === type ? [] : [`${path}: must be a ${type}, not ${JSON.stringify(value)}`];
    case "IntOrString":
      return typeof value === "string" || Number.isInteger(value) ? [] : [`${path}: must be a number or a text`];
    case "Date":
      return Number.isNaN(Date.parse(String(value))) ? [`${path}: must be a time`] : [];
    default:
      return checkModel(value, type, path);
  }
}

function checkModel(value: unknown, type: string, path: string): string[] {
  const fields = models[type]?.attributeTypeMap;
  if (fields === undefined) throw new Error(`no model ${type}`);
  if (!isObject(value)) return [`${path}: must be an object`];
  const required = requiredOf(type);
  const missing = fields.filter(({ name, baseName }) => required.has(name) && value[baseName] === undefined);
  const known = new Map(fields.map((field) => [field.baseName, field]));
  return [
    ...missing.map(({ baseName }) => `${placeOf(path, baseName)}: is missing`),
    ...Object.entries(value).flatMap(([key, item]) => {
      const field = known.get(key);
      const place = placeOf(path, key);
      if (field === undefined) return [`${place}: is unknown`];
      if (QUANTITIES.has(`${type}.${key}`) && isObject(item)) return checkQuantities(item, place);
      return [...checkValue(item, field.type, place), ...checkWords(item, WORDS[`${type}.${key}`], place)];
    }),
  ];
}

function checkQuantities(quantities: Record<string, unknown>, path: string): string[] {
  return Object.entries(quantities).flatMap(([name, quantity]) =>
    /^\d+(\.\d+)?(m|[kMGTPE]i?|Ki)?$/.test(String(quantity))
      ? []
      : [`${path}.${name}: is no quantity: ${String(quantity)}`],
  );
}

function checkWords(value: unknown, words: readonly string[] | undefined, path: string): string[] {
  if (words === undefined) return [];
  const given = Array.isArray(value) ? value : [value];
  return given.filter((word) => !words.includes(word)).map((word) => `${path}: ${word} is none of ${words.join(", ")}`);
}

function requiredOf(type: string): ReadonlySet<string> {
  let required = requiredFields.get(type);
  if (required === undefined) {
    const declaration = readFileSync(join(folder, `${type}.d.ts`), "utf8");
    required = new Set([...declaration.matchAll(/^ {4}'(\w+)': /gm)].map((match) => match[1] ?? ""));
    requiredFields.set(type, required);
  }
  return required;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function placeOf(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
