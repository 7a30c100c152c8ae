import { beforeAll, describe, expect, test } from "vitest";
import { partitionOf } from "../../core/partition.ts";
import { METRICS } from "../../core/telemetry.ts";
import { httpClient, WAIT } from "../harness/http.ts";
import { type Family, metricsText, parseMetrics, type Series } from "../harness/metrics.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
/** What a client names: it must be nowhere on the pages. */
const SECRET = { namespace: "ns-5d1c", key: "key-5d1c", value: "value-5d1c" };
const WRITES = 40;

let stack: Stack;
const pages = {} as Record<"api" | "consumer", string>;
const families = {} as Record<"api" | "consumer", ReadonlyMap<string, Family>>;

/** One of each outcome, and some of the common one; the pages are read when all of it is counted. */
beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS });
  const client = httpClient(stack.url);
  const { namespace, key, value } = SECRET;
  await Promise.all(Array.from({ length: WRITES }, (_, at) => client.put(namespace, `${key}-${at}`, value, WAIT)));
  await client.put(namespace, `${key}-0`, value, { headers: { ...WAIT.headers, "if-none-match": "*" } });
  const store = readStore(stack.store, PARTITIONS);
  const partition = partitionOf(namespace, `${key}-bad`, PARTITIONS);
  await store.redis.set(store.keys(partition).value(namespace, `${key}-bad`), "rubbish");
  expect((await client.put(namespace, `${key}-bad`, value, WAIT)).status).toBe(422);
  expect((await client.get(namespace, `${key}-none`)).status).toBe(404);
  const { apis, consumers } = stack;
  await waitFor(async () => {
    for (const [who, [service]] of Object.entries({ api: apis, consumer: consumers })) {
      if (service) pages[who as "api"] = await metricsText(service);
    }
    const count = (who: "api" | "consumer", line: RegExp) => (pages[who].match(line) ?? []).length;
    return (
      count("api", /^millrace_dead_letters\{.*\} 1$/gm) === 1 &&
      count("api", /^millrace_partition_has_owner\{.*\} 1$/gm) === PARTITIONS &&
      count("api", /^millrace_partition_oldest_unapplied_seconds\{.*\} 0$/gm) === PARTITIONS &&
      // Whoever waited may have been told before the consumer was.
      count("consumer", /^millrace_commands_dead_total 1$/gm) === 1
    );
  });
  families.api = parseMetrics(pages.api);
  families.consumer = parseMetrics(pages.consumer);
});

const seriesOf = (who: "api" | "consumer", name: string): readonly Series[] => families[who].get(name)?.series ?? [];
const sum = (who: "api" | "consumer", name: string, labels: Record<string, string> = {}) =>
  seriesOf(who, name.replace(/_(?:bucket|sum|count)$/, ""))
    .filter((one) => one.name === name && Object.entries(labels).every(([label, of]) => one.labels[label] === of))
    .reduce((total, { value }) => total + value, 0);

describe.each(["api", "consumer"] as const)("the page of the %s and docs/metrics.md tell the same:", (who) => {
  const told = Object.values(METRICS).filter(({ by }) => by === who || by === "both");

  test("all that the page has of ours is in the table, as told by this process", () => {
    const ours = [...families[who].keys()].filter((name) => name.startsWith("millrace_"));
    expect(ours.toSorted()).toEqual(told.map(({ name }) => name).toSorted());
  });

  test.each(told)("$name has its type, its meaning and no other labels", ({ name, type, help, labels }) => {
    const family = families[who].get(name);
    expect(family).toMatchObject({ type, help });
    for (const one of family?.series ?? []) {
      const names = Object.keys(one.labels).filter((label) => !one.name.endsWith("_bucket") || label !== "le");
      expect(labels).toEqual(expect.arrayContaining(names));
    }
  });

  test("a process tells of Node.js too: CPU, memory, event loop, garbage collection, descriptors", () => {
    for (const name of [
      "process_cpu_user_seconds_total",
      "process_resident_memory_bytes",
      "process_open_fds",
      "nodejs_eventloop_lag_p99_seconds",
      "nodejs_heap_size_used_bytes",
      "nodejs_gc_duration_seconds",
    ]) {
      expect(families[who].get(name), name).toBeDefined();
    }
  });

  test("buckets only grow, and the last one is the count", () => {
    for (const { name, type, series } of families[who].values()) {
      if (type !== "histogram" || !name.startsWith("millrace_")) continue;
      const rows = new Map<string, number[]>();
      for (const one of series.filter((each) => each.name.endsWith("_bucket"))) {
        const key = JSON.stringify({ ...one.labels, le: "" });
        rows.set(key, [...(rows.get(key) ?? []), one.value]);
      }
      for (const row of rows.values()) expect(row).toEqual(row.toSorted((a, b) => a - b));
      const infinite = series.filter(({ labels }) => labels.le === "+Inf").map(({ value }) => value);
      const counts = series.filter((each) => each.name.endsWith("_count")).map(({ value }) => value);
      expect(infinite).toEqual(counts);
    }
  });

  test("nothing that a client names is on it", () => {
    for (const text of Object.values(SECRET)) expect(pages[who]).not.toContain(text);
  });
});

test("every command that was accepted is counted once with what became of it, and once with its age", () => {
  const accepted = sum("api", "millrace_commands_accepted_total") + sum("consumer", "millrace_commands_accepted_total");
  const outcomes = ["applied", "rejected", "dead"].map((outcome) =>
    sum("consumer", `millrace_commands_${outcome}_total`),
  );
  expect(outcomes).toEqual([WRITES, 1, 1]);
  expect(accepted).toBe(WRITES + 2);
  expect(sum("consumer", "millrace_put_to_applied_seconds_count")).toBe(accepted);
  expect(sum("consumer", "millrace_apply_batch_commands_sum")).toBe(accepted);
  expect(sum("api", "millrace_append_batch_commands_sum")).toBe(WRITES + 2);
});

test("requests are told by route and status, the route as a template", () => {
  const put = "PUT /v1/kv/{namespace}/{key}";
  const requests = (labels: Record<string, string>) => sum("api", "millrace_http_requests_total", labels);
  expect(requests({ route: put, status: "201" })).toBe(WRITES);
  expect(requests({ route: put, status: "412" })).toBe(1);
  expect(requests({ route: "GET /v1/kv/{namespace}/{key}", status: "404" })).toBe(1);
  expect(sum("api", "millrace_http_request_duration_seconds_count", { route: put })).toBe(WRITES + 2);
});

test("every partition has an owner, by both accounts, and nothing is left unapplied", () => {
  const partitions = Array.from({ length: PARTITIONS }, (_, at) => String(at));
  for (const partition of partitions) {
    expect(sum("api", "millrace_partition_has_owner", { partition })).toBe(1);
    expect(sum("consumer", "millrace_partition_owner", { partition })).toBe(1);
    expect(sum("api", "millrace_partition_oldest_unapplied_seconds", { partition })).toBe(0);
  }
  expect(seriesOf("consumer", "millrace_partition_owner")).toHaveLength(PARTITIONS);
});

test("without a consumer the oldest unapplied command ages, and its partition has no owner", async () => {
  const [api] = stack.apis;
  await stack.consumers[0]?.stop();
  const { namespace, key, value } = SECRET;
  expect((await httpClient(stack.url).put(namespace, key, value)).status).toBe(202);
  const partition = String(partitionOf(namespace, key, PARTITIONS));
  await waitFor(async () => {
    if (api) families.api = parseMetrics(await metricsText(api));
    return (
      sum("api", "millrace_partition_oldest_unapplied_seconds", { partition }) > 0 &&
      sum("api", "millrace_partition_backlog", { partition }) === 1 &&
      sum("api", "millrace_partition_has_owner") === 0
    );
  });
});
