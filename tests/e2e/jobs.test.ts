import { beforeAll, describe, expect, test } from "vitest";
import { eachOf, keepDoing } from "../harness/crowd.ts";
import { accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { finished, type JobView, jobOf, readJob, startDelete } from "../harness/jobs.ts";
import { metricOf } from "../harness/metrics.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { JSON_BODY, setNamespace, untilInEffect } from "../harness/settings.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 4;
/** Less than the 10 s that a stopping process gives to answers that do not end. */
const STOP_MAX_MS = 8_000;
let stack: Stack;
let client: HttpClient;
beforeAll(async () => {
  stack = await startStack({ partitions: PARTITIONS, apis: 2, consumers: 2 });
  client = httpClient(stack.url);
});

const fill = async (namespace: string, keys: readonly string[]) => {
  await eachOf(keys, 16, async (key) => accepted(await client.put(namespace, key, "v")));
  await watchPartitions(stack.url).drained();
};
const left = async (namespace: string) => {
  const store = readStore(stack.store, PARTITIONS);
  const indexes = Array.from({ length: PARTITIONS }, (_, partition) =>
    store.redis.zrange(store.keys(partition).index(namespace), "0", "-1"),
  );
  return (await Promise.all(indexes)).flat().toSorted();
};
const numbered = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`);

describe("deleting by prefix", () => {
  test("deletes what begins with it, byte by byte, and nothing else; the job tells how much", async () => {
    const others = ["a", "A/1", "b/1", "a0", "{a/}x", "ü/1", "b/\u{10ffff}"];
    const keys = [...numbered("a/", 300), "a/ü", "a/\u{10ffff}", "a/{tag}/x"];
    await fill("tree", [...keys, ...others]);
    await fill("tree2", ["a/1"]);
    const made = await startDelete(client, "tree", "a/");
    expect(made).toMatchObject({ type: "delete", state: "queued", parameters: { namespace: "tree", prefix: "a/" } });
    const job = await finished(httpClient(stack.apis[1]?.url ?? ""), made.id);
    expect(job).toMatchObject({ state: "done", progress: { deleted: keys.length, kept: 0, failed: 0 }, reason: null });
    expect(job).not.toHaveProperty("basis");
    expect(Date.parse(job.finishedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(job.createdAt));
    expect(await left("tree")).toEqual(others.toSorted());
    expect(await left("tree2")).toEqual(["a/1"]);
    const ended = await Promise.all(
      stack.consumers.map((consumer) => metricOf(consumer, 'millrace_jobs_ended_total{end="done"}')),
    );
    expect(Math.max(...ended)).toBeGreaterThanOrEqual(1);
  });

  test("in a pinned namespace, and where there is nothing", async () => {
    await fill("@pinned", numbered("k", 120));
    expect(await finished(client, (await startDelete(client, "@pinned")).id)).toMatchObject({
      state: "done",
      progress: { deleted: 120 },
    });
    expect(await left("@pinned")).toEqual([]);
    expect(await finished(client, (await startDelete(client, "nothing")).id)).toMatchObject({ state: "done" });
  });

  test("a key that cannot be deleted becomes a dead letter and is counted; the rest goes", async () => {
    await fill("sick", numbered("k", 20));
    await setNamespace(client, "sick", { parking: "block", wait: 5 });
    // It writes a key of its own.
    await untilInEffect(stack.url, "sick");
    const store = readStore(stack.store, PARTITIONS);
    const { partition } = applied(await client.put("sick", "k7", "v", WAIT));
    const key = store.keys(partition).value("sick", "k7");
    const held = await store.redis.getBuffer(key);
    await store.redis.set(key, "rubbish");
    expect((await client.put("sick", "k7", "v", WAIT)).status).toBe(422);
    await store.redis.set(key, held ?? "");
    const job = await finished(client, (await startDelete(client, "sick")).id);
    expect(job).toMatchObject({ state: "done", progress: { deleted: 20, kept: 0, failed: 1 } });
    expect(await left("sick")).toEqual(["k7"]);
  });
});

describe("deleting a namespace", () => {
  test("takes its keys and its settings; what is written after the answer stays, however the writes and the deletion meet", async () => {
    const keys = numbered("k", 2_000);
    await fill("gone", keys);
    await setNamespace(client, "gone", { quota: { keys: 1_000_000 } });
    // Every key again and again, while the deletion goes on.
    const written = new Map<string, string>();
    const answer = await client.send("DELETE", "/v1/namespaces/gone");
    expect([answer.status, answer.headers.location]).toEqual([202, `/v1/jobs/${jobOf(answer).id}`]);
    const load = keepDoing(8, async (n) => {
      const key = n % 2 === 0 ? `k${n % 2_000}` : `new-${n}`;
      accepted(await client.put("gone", key, `after ${n}`));
      written.set(key, `after ${n}`);
    });
    const job = await finished(client, jobOf(answer).id);
    await load.stop();
    expect(job).toMatchObject({ state: "done", parameters: { namespace: "gone", settings: true } });
    await watchPartitions(stack.url).drained();
    expect(await left("gone")).toEqual([...written.keys()].toSorted());
    expect((job.progress.deleted ?? 0) + (job.progress.kept ?? 0)).toBeGreaterThan(0);
    expect(JSON.parse((await client.send("GET", "/v1/namespaces/gone")).text)).toMatchObject({ settings: {} });
  });

  test("settings made after the answer stay; a condition is about the settings", async () => {
    await setNamespace(client, "again", { quota: { keys: 1_000 } });
    const etag = String((await client.send("GET", "/v1/namespaces/again")).headers.etag);
    await setNamespace(client, "again", { quota: { keys: 2_000 } });
    const refused = await client.send("DELETE", "/v1/namespaces/again", { headers: { "if-match": etag } });
    expect(refused.status).toBe(412);
    await fill("again", numbered("k", 500));
    const made = jobOf(await client.send("DELETE", "/v1/namespaces/again"));
    await setNamespace(client, "again", { quota: { keys: 3_000 } });
    expect(await finished(client, made.id)).toMatchObject({ state: "done" });
    expect(JSON.parse((await client.send("GET", "/v1/namespaces/again")).text)).toMatchObject({
      settings: { quota: { keys: 3_000 } },
    });
    expect((await client.send("DELETE", "/v1/namespaces/@millrace")).status).toBe(400);
  });
});

describe("a job", () => {
  test("is cancelled within a second, deletes nothing more, and says so", async () => {
    /** It may be done before it is cancelled: then another one. */
    const cancelled = async (): Promise<JobView> => {
      await fill("long", numbered("k", 6_000));
      const job = await startDelete(client, "long");
      while ((await readJob(client, job.id)).progress.deleted === undefined);
      const answer = await client.send("DELETE", `/v1/jobs/${job.id}`);
      if (answer.status === 409) return cancelled();
      expect([answer.status, jobOf(answer).state]).toEqual([200, "cancelled"]);
      return job;
    };
    const made = await cancelled();
    const atOnce = (await left("long")).length;
    expect(atOnce).toBeGreaterThan(0);
    await watchPartitions(stack.url).drained();
    await finished(client, (await startDelete(client, "nothing")).id);
    const later = (await left("long")).length;
    expect(atOnce - later).toBeLessThanOrEqual(200);
    expect((await client.send("DELETE", `/v1/jobs/${made.id}`)).status).toBe(200);
    expect(await readJob(client, made.id, 5)).toMatchObject({ state: "cancelled" });
    expect((await left("long")).length).toBe(later);
  });

  test("that is finished is not cancelled; one that is none is not found", async () => {
    const made = await startDelete(client, "nothing");
    await finished(client, made.id);
    expect((await client.send("DELETE", `/v1/jobs/${made.id}`)).status).toBe(409);
    for (const id of ["x", "00000000a-00000000", "..%2Fns%2Fx"]) {
      for (const method of ["GET", "DELETE"]) {
        expect((await client.send(method, `/v1/jobs/${id}`)).status).toBe(404);
      }
    }
    expect((await client.send("GET", `/v1/jobs/${made.id}?wait=long`)).status).toBe(400);
  });

  test.each([
    ["no type", { namespace: "n", prefix: "" }],
    ["a type that is none", { type: "destroy", namespace: "n", prefix: "" }],
    ["our own namespace", { type: "delete", namespace: "@millrace", prefix: "" }],
    ["no prefix", { type: "delete", namespace: "n" }],
    ["a prefix that is no text", { type: "delete", namespace: "n", prefix: "\ud800" }],
    ["a prefix longer than a key", { type: "delete", namespace: "n", prefix: "ü".repeat(513) }],
    ["more than is known", { type: "delete", namespace: "n", prefix: "", settings: true }],
  ])("with %s is refused", async (_, body) => {
    const answer = await client.send("POST", "/v1/jobs", { headers: JSON_BODY, body: JSON.stringify(body) });
    expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("/problems/invalid-document")]);
  });

  test("is followed as server-sent events, from how it is to its end; the stream then ends", async () => {
    const follow = async () => {
      await fill("followed", numbered("k", 1_500));
      const job = await startDelete(client, "followed");
      const answer = await client.send("GET", `/v1/jobs/${job.id}/events`, { timeoutMs: 60_000 });
      expect([answer.status, answer.headers["content-type"]]).toEqual([200, "text/event-stream"]);
      const told = answer.text.split("\n\n").flatMap((text) => {
        const [, state, id, data] = /^event: (\w+)\nid: (\S+)\ndata: (.*)$/.exec(text) ?? [];
        return data === undefined ? [] : [{ state, id, job: jobOf({ ...answer, text: data }) }];
      });
      return { made: job, events: told };
    };
    // Until it was followed from early on.
    const { made, events } = await waitFor(async () => [await follow()].find((one) => one.events.length >= 3));
    expect(events.at(-1)).toMatchObject({ state: "done", job: { progress: { deleted: 1_500 } } });
    const counts = events.map(({ job }) => job.progress.deleted ?? 0);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    // One that is finished is told at once.
    expect((await client.send("GET", `/v1/jobs/${made.id}/events`)).text).toMatch(/^event: done\n/);
    expect((await client.send("GET", "/v1/jobs/00000000a-00000000/events")).status).toBe(404);
  });

  test("is listed, the youngest first, page by page", async () => {
    const made = [];
    for (let n = 0; n < 3; n += 1) made.unshift((await startDelete(client, `list-${n}`)).id);
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const answer = await client.send("GET", `/v1/jobs?limit=2${cursor && `&cursor=${cursor}`}`);
      const page = JSON.parse(answer.text) as { jobs: { id: string }[]; cursor: string | null };
      seen.push(...page.jobs.map(({ id }) => id));
      cursor = page.cursor;
    }
    expect(seen.slice(0, 3)).toEqual(made);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

test("a process that stops ends the streams of jobs: nobody holds it up, and the job goes on", async () => {
  const api = await stack.addApi();
  const own = httpClient(api.url);
  await fill("stopping", numbered("k", 6_000));
  const made = await startDelete(own, "stopping");
  const events = own.send("GET", `/v1/jobs/${made.id}/events`, { timeoutMs: 50_000 });
  while ((await readJob(client, made.id)).progress.deleted === undefined);
  // Whoever runs it does not end it meanwhile.
  for (const consumer of stack.consumers) consumer.pause();
  const startMs = performance.now();
  await api.stop();
  expect(performance.now() - startMs).toBeLessThan(STOP_MAX_MS);
  for (const consumer of stack.consumers) consumer.resume();
  const { text } = await events;
  expect(text).toMatch(/^event: /);
  expect(text).not.toMatch(/event: done/);
  expect(await finished(client, made.id)).toMatchObject({ state: "done", progress: { deleted: 6_000 } });
});
