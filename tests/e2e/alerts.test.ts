import { beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { type Alerting, startAlerting, whyNoAlerting } from "../harness/alerting.ts";
import { httpClient, revisionOf, WAIT } from "../harness/http.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";
import { panelExpressions } from "../manifests/monitoring/dashboard-file.ts";
import { namedIn } from "../manifests/monitoring/expressions.ts";
import { rules } from "../manifests/monitoring/rules-file.ts";

const PARTITIONS = 4;
const PATIENT = { timeoutMs: 60_000, intervalMs: 100 };
const TEST_TIMEOUT_MS = 180_000;

/** Needs Sentinels, exporters, a job, or something that goes wrong. */
const NOT_HERE =
  /\bredis_|redis_(confirm_replicas|replicas_in_sync|epoch|failovers|topology)|jobs_ended|admission_closed|append_failures|ALERTS/;

const missing = whyNoAlerting();
const told = missing === "" ? "" : ` (skipped: ${missing} is not installed)`;

let stack: Stack;
let alerting: Alerting;

beforeAll(async () => {
  if (missing !== "") return;
  stack = await startStack({ partitions: PARTITIONS });
  const opsUrls = (processes: readonly { opsUrl: string }[]) => processes.map(({ opsUrl }) => opsUrl);
  alerting = await startAlerting({
    "millrace-api": opsUrls(stack.apis),
    "millrace-consumer": opsUrls(stack.consumers),
  });
}, 120_000);

const postOf = (alertname: string, status: string) =>
  alerting.posts
    .flatMap(({ alerts }) => alerts)
    .find((alert) => alert.labels.alertname === alertname && alert.status === status);
const isFiring = async (alertname: string) =>
  (await alerting.firing()).some(({ labels }) => labels.alertname === alertname);

describe.skipIf(missing !== "")(`with a real Prometheus and a real Alertmanager${told}`, () => {
  test(
    "nothing is called for while all is well",
    async () => {
      await waitFor(async () => (await alerting.valueOf('count(up{job=~"millrace-.+"} == 1)')) === 2, PATIENT);
      await waitFor(
        async () => (await alerting.valueOf("count(millrace_partition_has_owner == 1)")) === PARTITIONS,
        PATIENT,
      );
      await waitFor(async () => (await alerting.firing()).length === 0, { ...PATIENT, what: "no alert that fires" });
    },
    TEST_TIMEOUT_MS,
  );

  test("every metric that rules and dashboard name is really told, by a Millrace without Sentinels", async () => {
    const names = [...rules, ...panelExpressions].flatMap(({ expr }) => namedIn(expr).metrics);
    const pages = await Promise.all(
      [...stack.apis, ...stack.consumers].map(async ({ opsUrl }) => (await fetch(`${opsUrl}/metrics`)).text()),
    );
    const declared = new Set(pages.flatMap((page) => [...page.matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1])));
    const ours = names.filter((name) => /^(millrace|process|nodejs)_/.test(name));
    const untold = ours.filter(
      (name) => !declared.has(name) && !declared.has(name.replace(/_(bucket|count|sum)$/, "")),
    );
    expect(untold).toEqual([]);
  });

  test(
    "a dead letter is told to Prometheus, Alertmanager, the webhook and Telegram, and so is its end",
    async () => {
      const client = httpClient(stack.url);
      const store = readStore(stack.store, PARTITIONS);
      const key = store.keys(partitionOf("n", "k", PARTITIONS)).value("n", "k");
      await store.redis.set(key, "rubbish");
      const answer = await client.put("n", "k", "v", WAIT);
      expect(answer.status).toBe(422);

      await waitFor(() => isFiring("MillraceDeadLetters"), { ...PATIENT, what: "the alert in Prometheus" });
      const [held] = await waitFor(async () => {
        const all = await alerting.held("MillraceDeadLetters");
        return all.length > 0 && all;
      }, PATIENT);
      expect(held?.labels).toMatchObject({ severity: "warning", concern: "letters" });
      const post = await waitFor(() => postOf("MillraceDeadLetters", "firing"), { ...PATIENT, what: "the post" });
      expect(post.annotations).toMatchObject({
        summary: "Dead letters that wait for somebody: 1",
        runbook_url: "docs/runbook.md#millracedeadletters",
      });
      await waitFor(() => alerting.messages.find((text) => text.startsWith("🟠 <b>MillraceDeadLetters</b>")), PATIENT);

      const discarded = await client.send("DELETE", `/v1/dead-letters/${revisionOf(answer).text}`, WAIT);
      expect(discarded.status).toBeLessThan(300);
      await waitFor(() => postOf("MillraceDeadLetters", "resolved"), { ...PATIENT, what: "the post that it is over" });
      await waitFor(
        () => alerting.messages.find((text) => text.includes("✓ over: Dead letters that wait for somebody: 1")),
        PATIENT,
      );
      expect(await isFiring("MillraceDeadLetters")).toBe(false);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "every panel has something to show of a Millrace that runs",
    async () => {
      const everywhere = (expr: string) => expr.replaceAll(/\$(namespace|job)/g, ".*");
      const shown = panelExpressions.filter(({ expr }) => !NOT_HERE.test(expr));
      // Rates take two looks at what there is.
      await waitFor(async () => {
        const values = await Promise.all(shown.map(({ expr }) => alerting.valueOf(everywhere(expr))));
        const empty = shown.filter((_, index) => values[index] === null);
        if (empty.length > 0) throw new Error(empty.map(({ title, expr }) => `${title}: ${expr}`).join("\n"));
        return true;
      }, PATIENT);
    },
    TEST_TIMEOUT_MS,
  );

  test(
    "no consumer: that is told, and what follows from it is not",
    async () => {
      await Promise.all(stack.consumers.map((consumer) => consumer.kill()));
      await waitFor(() => postOf("MillraceConsumerDown", "firing"), { ...PATIENT, what: "the post" });
      const silenced = async () =>
        (await alerting.held("MillracePartitionUnowned")).filter(({ status }) => status.inhibitedBy.length > 0);
      await waitFor(async () => (await silenced()).length === PARTITIONS, {
        ...PATIENT,
        what: "partitions without an owner, known and silenced",
      });
      await waitFor(() => alerting.messages.find((text) => text.startsWith("🔴 <b>MillraceConsumerDown</b>")), PATIENT);
    },
    TEST_TIMEOUT_MS,
  );
});
