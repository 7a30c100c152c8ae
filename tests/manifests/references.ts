/**
 * Whatever an object names must be there: ConfigMaps and their keys, Secrets (those that k8s/README.md tells people to make),
 * volumes, claims, service accounts, what is scaled, what is kept from being evicted.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type {
  V1ConfigMap,
  V1Container,
  V1EnvVar,
  V1KeyToPath,
  V1PersistentVolumeClaim,
  V1PodDisruptionBudget,
  V1SecretProjection,
  V1StatefulSet,
  V2HorizontalPodAutoscaler,
} from "@kubernetes/client-node";
import { containersOf, find, type Manifest, ofKind, selects, titleOf, type Workload, workloadsOf } from "./manifest.ts";

const REDIS_PASSWORD = /^redis-(\w+)-password$/;

/** The Secrets that a person makes, with their keys: the rows of the table in k8s/README.md, `<user>` for each Redis user. */
export function documentedSecrets(root = join(import.meta.dirname, "../..")): ReadonlyMap<string, readonly string[]> {
  const secrets = new Map<string, string[]>();
  const rows = readFileSync(join(root, "k8s/README.md"), "utf8").matchAll(/^\| `([\w-]+)` \| `([\w.<>-]+)` \|/gm);
  for (const [, secret = "", key = ""] of rows) {
    const known = secrets.get(secret) ?? [];
    const users = known.flatMap((one) => REDIS_PASSWORD.exec(one)?.slice(1) ?? []);
    const keys = key.includes("<user>") ? users.map((user) => key.replace("<user>", user)) : [key];
    secrets.set(secret, [...known, ...keys]);
  }
  return secrets;
}

const secrets = documentedSecrets();

export function checkReferences(manifests: readonly Manifest[]): string[] {
  return [
    ...workloadsOf(manifests).flatMap((workload) =>
      [
        ...volumeFaults(manifests, workload),
        ...variableFaults(manifests, workload),
        ...accountFaults(manifests, workload),
      ].map((fault) => `${titleOf(workload.manifest)}: ${fault}`),
    ),
    ...ofKind(manifests, "Secret").map((secret) => `${titleOf(secret)}: no Secret may stand in the repository`),
    ...claimFaults(manifests),
    ...budgetFaults(manifests),
    ...scalerFaults(manifests),
    ...authenticationFaults(manifests),
    ...encryptionFaults(manifests),
  ];
}

/** What is wrong with naming this key, or these keys, of a ConfigMap or Secret. */
export function sourceFaults(
  manifests: readonly Manifest[],
  kind: "ConfigMap" | "Secret",
  name: string | undefined,
  keys: readonly string[],
): string[] {
  const config = find(manifests, "ConfigMap", name) as (Manifest & V1ConfigMap) | undefined;
  const known =
    kind === "Secret"
      ? secrets.get(name ?? "")
      : config && [...Object.keys(config.data ?? {}), ...Object.keys(config.binaryData ?? {})];
  if (known === undefined) {
    return [kind === "Secret" ? `the Secret ${name} is not in k8s/README.md` : `there is no ConfigMap ${name}`];
  }
  return keys.filter((key) => !known.includes(key)).map((key) => `the ${kind} ${name} has no key ${key}`);
}

function volumeFaults(manifests: readonly Manifest[], workload: Workload): string[] {
  const keysOf = (items: readonly V1KeyToPath[] | undefined) => (items ?? []).map(({ key }) => key);
  const mounted = new Set(
    containersOf(workload).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name)),
  );
  const volumes = workload.pod.volumes ?? [];
  const made = [...volumes.map(({ name }) => name), ...workload.claims.map(({ metadata }) => metadata?.name ?? "")];
  const faults = volumes.flatMap(({ configMap, secret, persistentVolumeClaim: claim, projected }) => [
    ...(configMap ? sourceFaults(manifests, "ConfigMap", configMap.name, keysOf(configMap.items)) : []),
    ...(secret ? sourceFaults(manifests, "Secret", secret.secretName, keysOf(secret.items)) : []),
    ...(claim && !find(manifests, "PersistentVolumeClaim", claim.claimName)
      ? [`there is no claim ${claim.claimName}`]
      : []),
    ...(projected?.sources ?? []).flatMap(({ configMap: map, secret: hidden }) => [
      ...(map ? sourceFaults(manifests, "ConfigMap", map.name, keysOf(map.items)) : []),
      ...(hidden ? sourceFaults(manifests, "Secret", hidden.name, keysOf(hidden.items)) : []),
    ]),
    ...passwordFaults((projected?.sources ?? []).flatMap(({ secret: hidden }) => hidden ?? [])),
  ]);
  for (const name of mounted) if (!made.includes(name)) faults.push(`there is no volume ${name} to mount`);
  for (const name of made) if (!mounted.has(name)) faults.push(`the volume ${name} is mounted nowhere`);
  return faults;
}

/** Where a Redis is told of its users, it is told what it accepts beside a password, too: without it none can be changed. */
function passwordFaults(sources: readonly V1SecretProjection[]): string[] {
  const spare = sources.flatMap(({ optional, items = [] }) => (optional ? items : []));
  return sources
    .flatMap(({ items = [] }) => items)
    .filter(({ key }) => REDIS_PASSWORD.test(key))
    .filter(({ key, path }) => !spare.some((one) => one.key === `${key}-also` && one.path === `${path}.also`))
    .map(({ key, path }) => `${key}-also is not there as ${path}.also, optional`);
}

function variableFaults(manifests: readonly Manifest[], workload: Workload): string[] {
  const ofContainer = ({ env = [], envFrom = [] }: V1Container) => [
    ...env.flatMap(({ valueFrom }) => [
      ...(valueFrom?.configMapKeyRef
        ? sourceFaults(manifests, "ConfigMap", valueFrom.configMapKeyRef.name, [valueFrom.configMapKeyRef.key])
        : []),
      ...(valueFrom?.secretKeyRef
        ? sourceFaults(manifests, "Secret", valueFrom.secretKeyRef.name, [valueFrom.secretKeyRef.key])
        : []),
    ]),
    ...envFrom.flatMap(({ configMapRef, secretRef }) => [
      ...(configMapRef ? sourceFaults(manifests, "ConfigMap", configMapRef.name, []) : []),
      ...(secretRef ? sourceFaults(manifests, "Secret", secretRef.name, []) : []),
    ]),
  ];
  return containersOf(workload).flatMap((container) =>
    ofContainer(container).map((fault) => `${container.name}: ${fault}`),
  );
}

function accountFaults(manifests: readonly Manifest[], { pod }: Workload): string[] {
  const name = pod.serviceAccountName;
  return name === undefined || find(manifests, "ServiceAccount", name) ? [] : [`there is no ServiceAccount ${name}`];
}

function claimFaults(manifests: readonly Manifest[]): string[] {
  const sized = ({ spec }: V1PersistentVolumeClaim) => spec?.resources?.requests?.storage !== undefined;
  return [
    ...workloadsOf(manifests).flatMap(({ manifest, claims }) =>
      claims
        .filter((claim) => !sized(claim))
        .map(({ metadata }) => `${titleOf(manifest)}: the claim ${metadata?.name} has no size`),
    ),
    ...ofKind<V1PersistentVolumeClaim>(manifests, "PersistentVolumeClaim")
      .filter((claim) => !sized(claim))
      .map((claim) => `${titleOf(claim)}: has no size`),
    ...ofKind<V1StatefulSet>(manifests, "StatefulSet")
      .filter(({ spec }) => !find(manifests, "Service", spec?.serviceName))
      .map((set) => `${titleOf(set)}: there is no Service ${set.spec?.serviceName}`),
  ];
}

function budgetFaults(manifests: readonly Manifest[]): string[] {
  return ofKind<V1PodDisruptionBudget>(manifests, "PodDisruptionBudget").flatMap((budget) => {
    const { selector, minAvailable } = budget.spec ?? {};
    const kept = workloadsOf(manifests).filter(({ labels }) => selects(selector, labels));
    return [
      ...(kept.length === 1 ? [] : [`${titleOf(budget)}: selects the pods of ${kept.length} workloads, not of one`]),
      ...(minAvailable === undefined
        ? []
        : [`${titleOf(budget)}: minAvailable blocks a node for ever when there is one pod`]),
    ];
  });
}

function scalerFaults(manifests: readonly Manifest[]): string[] {
  const seen = new Map<string, string>();
  const scalers = [...ofKind(manifests, "HorizontalPodAutoscaler"), ...ofKind(manifests, "ScaledObject")];
  return scalers.flatMap((scaler) => {
    const { scaleTargetRef: target } = (scaler as unknown as V2HorizontalPodAutoscaler).spec ?? {};
    const kind = target?.kind ?? "Deployment";
    const scaled = find(manifests, kind, target?.name);
    const name = `${kind}/${target?.name}`;
    const other = seen.get(name);
    seen.set(name, titleOf(scaler));
    const faults: string[] = [];
    if (scaled === undefined) faults.push(`there is no ${name} to scale`);
    if (other !== undefined) faults.push(`${name} is scaled by ${other}, too`);
    if ((scaled as { spec?: { replicas?: number } } | undefined)?.spec?.replicas !== undefined) {
      faults.push(`${name} says itself how many there are: each apply would undo what the scaler did`);
    }
    return faults.map((fault) => `${titleOf(scaler)}: ${fault}`);
  });
}

function redisTakesTlsAlone(manifests: readonly Manifest[]): boolean {
  return ofKind<V1StatefulSet>(manifests, "StatefulSet").some(({ spec }) =>
    (spec?.template.spec?.containers ?? []).some(({ env = [] }) => env.some(({ name }) => name === "REDIS_TLS")),
  );
}

/** Variables that say where a Redis or a Sentinel is, and those that say that it is spoken to by TLS. */
const REDIS_PLACES = ["LOG_URL", "STORE_URL", "LOG_NODES", "STORE_NODES", "SENTINELS", "REDIS_ADDR"];
const speaksTls = ({ name, value = "" }: V1EnvVar) => name === "REDIS_TLS" || value.startsWith("rediss");

function encryptionFaults(manifests: readonly Manifest[]): string[] {
  if (!redisTakesTlsAlone(manifests)) return [];
  return workloadsOf(manifests).flatMap((workload) =>
    containersOf(workload)
      .filter(({ env = [] }) => env.some(({ name }) => REDIS_PLACES.includes(name)) && !env.some(speaksTls))
      .map(({ name }) => `${titleOf(workload.manifest)}: ${name}: speaks plainly to a Redis that takes TLS alone`),
  );
}

function authenticationFaults(manifests: readonly Manifest[]): string[] {
  type Trigger = { type: string; authenticationRef?: { name: string }; metadata: { enableTLS?: string } };
  type Triggers = { spec: { triggers: Trigger[] } };
  const tls = redisTakesTlsAlone(manifests);
  const plain = ({ type, metadata }: Trigger) => type.startsWith("redis-") && metadata.enableTLS !== "true";
  type Authentication = { spec: { secretTargetRef: { name: string; key: string }[] } };
  return [
    ...ofKind<Triggers>(manifests, "ScaledObject")
      .filter(({ spec }) => tls && spec.triggers.some(plain))
      .map((scaler) => `${titleOf(scaler)}: speaks plainly to a Redis that takes TLS alone`),
    ...ofKind<Triggers>(manifests, "ScaledObject").flatMap((scaler) =>
      scaler.spec.triggers.flatMap(({ authenticationRef }) =>
        authenticationRef && !find(manifests, "TriggerAuthentication", authenticationRef.name)
          ? [`${titleOf(scaler)}: there is no TriggerAuthentication ${authenticationRef.name}`]
          : [],
      ),
    ),
    ...ofKind<Authentication>(manifests, "TriggerAuthentication").flatMap((manifest) =>
      manifest.spec.secretTargetRef
        .flatMap(({ name, key }) => sourceFaults(manifests, "Secret", name, [key]))
        .map((fault) => `${titleOf(manifest)}: ${fault}`),
    ),
  ];
}
