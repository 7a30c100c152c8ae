/**
 * The NetworkPolicies of a whole system, evaluated: who may talk to whom, to the last flow.
 */
import { describe, expect, it } from "vitest";
import { APPLY_GROUP, partitionKeys } from "../../core/keys.ts";
import { METRICS } from "../../core/telemetry.ts";
import { DNS, flowsOf, type Party, partiesOf } from "./flows.ts";
import { type Manifest, ofKind } from "./manifest.ts";
import { renderWith, withoutKubectl } from "./render.ts";

const TIMEOUT_MS = 120_000;

/** Who is outside, by the facts of the site. */
function outsider(name: string, namespace: string, labels = {}): Party {
  return { name, namespace, labels, ports: new Map() };
}

const OUTSIDE = [
  outsider("ingress", "traefik"),
  outsider("prometheus", "monitoring"),
  outsider("keda", "keda"),
  outsider("stranger", "default", { "app.kubernetes.io/name": "millrace", "app.kubernetes.io/component": "api" }),
  DNS,
];

const SCRAPED = ["api:9464", "consumer:9464", "log:9121", "store:9121", "collector:8888", "jaeger:8888"];

const FLOWS = [
  "ingress -> api:8080",
  ...SCRAPED.map((target) => `prometheus -> ${target}`),
  ...["api", "consumer"].flatMap((name) =>
    ["log:6379", "store:6379", "sentinel:26379", "collector:4318"].map((target) => `${name} -> ${target}`),
  ),
  // Replication, elections, and the question who is the master.
  ...["log", "store"].flatMap((name) => [
    `${name} -> ${name}:6379`,
    `${name} -> sentinel:26379`,
    `sentinel -> ${name}:6379`,
  ]),
  "sentinel -> sentinel:26379",
  "backup -> log:6379",
  "backup -> store:6379",
  "collector -> jaeger:4317",
];

/** Without the questions for names, and what others do among themselves. */
async function flows(components: readonly string[]): Promise<string[]> {
  const manifests = await renderWith("prod", components, "kv.example.test");
  const inside = partiesOf(manifests);
  return flowsOf(manifests, [...inside, ...OUTSIDE])
    .filter((flow) => !flow.endsWith("dns:53"))
    .filter((flow) => inside.some(({ name }) => flow.startsWith(`${name} -> `) || flow.includes(` -> ${name}:`)))
    .sort();
}

describe.skipIf(withoutKubectl !== null)(
  `flows${withoutKubectl === null ? "" : ` (skipped: ${withoutKubectl})`}`,
  () => {
    it("nobody reaches anybody but where a flow is named", { timeout: TIMEOUT_MS }, async () => {
      expect(await flows(["backup", "monitoring"])).toEqual([...FLOWS, "prometheus -> alloy:12345"].sort());
    });

    it("KEDA reaches the log and its Sentinels where it asks them, and nothing else", {
      timeout: TIMEOUT_MS,
    }, async () => {
      const expected = [...FLOWS, "keda -> log:6379", "keda -> sentinel:26379"].filter(
        (flow) => !flow.startsWith("backup"),
      );
      expect(await flows(["keda-redis"])).toEqual(expected.sort());
    });

    it("every pod asks for names, and for nothing else there", { timeout: TIMEOUT_MS }, async () => {
      const manifests = await renderWith("prod", ["backup"], "kv.example.test");
      const inside = partiesOf(manifests);
      const asked = flowsOf(manifests, [...inside, ...OUTSIDE]).filter((flow) => flow.includes("-> dns:"));
      expect(asked.filter((flow) => inside.some(({ name }) => flow.startsWith(`${name} `))).sort()).toEqual(
        inside.map(({ name }) => `${name} -> dns:53`).sort(),
      );
    });

    it("KEDA asks for what the api tells, and for every partition's stream", { timeout: TIMEOUT_MS }, async () => {
      const query = triggersOf(await renderWith("prod", ["keda"], "kv.example.test"))[0]?.query;
      const [, metric] = /max by \(partition\) \((\w+)\{namespace="millrace"\}\)/.exec(query ?? "") ?? [];
      expect(JSON.stringify(METRICS.partitionBacklog)).toContain(`"${metric}"`);

      const manifests = await renderWith("prod", ["keda-redis"], "kv.example.test");
      const config = manifests.find(({ metadata }) => metadata.name.startsWith("millrace-config-"));
      const partitions = Number((config as { data?: Record<string, string> } | undefined)?.data?.MILLRACE_PARTITIONS);
      const triggers = triggersOf(manifests);
      expect(triggers.map(({ stream }) => stream)).toEqual(partitionKeys(partitions).map(({ log }) => log));
      expect(new Set(triggers.map(({ consumerGroup }) => consumerGroup))).toEqual(new Set([APPLY_GROUP]));
    });
  },
);

function triggersOf(manifests: readonly Manifest[]): Readonly<Record<string, string>>[] {
  type Scaler = { spec: { maxReplicaCount: number; triggers: { metadata: Record<string, string> }[] } };
  return ofKind<Scaler>(manifests, "ScaledObject").flatMap(({ spec }) => spec.triggers.map(({ metadata }) => metadata));
}
