/**
 * A deployment tried in a few requests: what is written is applied, read back, listed, and told to who watches. It needs
 * `fetch` alone, so that its image holds nothing else. It writes to a namespace with a random name, and deletes that again.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { readEvents } from "./event-lines.ts";

export interface SmokeTarget {
  /** `http://host:port` of the API, or of what stands before it. */
  readonly url: string;
  /** The same of ops ports. */
  readonly ops: readonly string[];
  readonly token: string | undefined;
}

/** What has just been deployed may need so long until its address leads somewhere. */
const FIRST_ANSWER_MAX_MS = 60_000;
const ANSWER_MAX_MS = 15_000;
const KEYS = ["a/1", "a/2", "b/1"];

/** @returns whether all of it works; each step is told in a line */
export async function runSmoke(target: SmokeTarget, say: (line: string) => void): Promise<boolean> {
  const namespace = `smoke-${randomBytes(5).toString("hex")}`;
  const steps: [name: string, step: () => Promise<void>][] = [
    ["the API answers", () => firstAnswer(target)],
    ["each key written is applied, and read back as it was", () => writesAreRead(target, namespace)],
    ["a list holds what has its prefix", () => listHasThem(target, namespace)],
    ["a watcher is told every change once, also after it came back", () => watcherIsTold(target, namespace)],
    ["what was written is deleted again", () => deletesAll(target, namespace)],
    ...target.ops.map((url): [string, () => Promise<void>] => [`${url} is ready and has metrics`, () => isReady(url)]),
  ];
  for (const [name, step] of steps) {
    try {
      await step();
      say(`ok    ${name}`);
    } catch (error) {
      say(`FAIL  ${name}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }
  return true;
}

class UnexpectedAnswer extends Error {
  readonly status: number;

  constructor(what: string, expected: number, status: number, text: string) {
    super(`${what}: expected ${expected}, got ${status} ${text.slice(0, 500)}`);
    this.status = status;
  }
}

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer<ArrayBuffer>;
}

/** One request. What an answer that was not expected says is in the error. */
async function send(target: SmokeTarget, path: string, expected: number, request: Request = {}): Promise<Response> {
  const headers = new Headers(request.headers);
  if (target.token !== undefined) headers.set("authorization", `Bearer ${target.token}`);
  const signal = AbortSignal.timeout(ANSWER_MAX_MS);
  const response = await fetch(`${target.url}${path}`, { ...request, headers, signal });
  if (response.status !== expected) {
    throw new UnexpectedAnswer(`${request.method ?? "GET"} ${path}`, expected, response.status, await response.text());
  }
  return response;
}

async function firstAnswer(target: SmokeTarget): Promise<void> {
  const deadline = performance.now() + FIRST_ANSWER_MAX_MS;
  for (;;) {
    try {
      await (await send(target, "/openapi.json", 200)).arrayBuffer();
      return;
    } catch (error) {
      // Nobody there, or only what stands before it: it may still come.
      const mayCome = !(error instanceof UnexpectedAnswer) || error.status >= 500;
      if (!mayCome || performance.now() > deadline) throw error;
      await sleep(500);
    }
  }
}

const pathOf = (namespace: string, key: string): string => `/v1/kv/${namespace}/${key}`;

/** Different bytes for each key, not all of them text. */
const bytesOf = (key: string): Buffer<ArrayBuffer> => Buffer.concat([Buffer.from(key), Buffer.from([0, 255, 10, 13])]);

async function writesAreRead(target: SmokeTarget, namespace: string): Promise<void> {
  for (const key of KEYS) {
    const path = pathOf(namespace, key);
    const written = await send(target, path, 201, {
      method: "PUT",
      headers: { prefer: "wait=10", "content-type": "application/octet-stream" },
      body: bytesOf(key),
    });
    const revision = written.headers.get("millrace-revision") ?? "";
    // By whatever API process: it waits until it has seen the write.
    const read = await send(target, path, 200, { headers: { "millrace-min-revision": revision } });
    assert.deepEqual(Buffer.from(await read.arrayBuffer()), bytesOf(key), `${key} is not what was written`);
    assert.equal(read.headers.get("etag"), `"${revision}"`);
  }
}

async function listHasThem(target: SmokeTarget, namespace: string): Promise<void> {
  const listed = await send(target, `/v1/kv/${namespace}?prefix=a/`, 200);
  const { keys } = (await listed.json()) as { keys: { key: string }[] };
  assert.deepEqual(
    keys.map(({ key }) => key),
    KEYS.filter((key) => key.startsWith("a/")),
  );
}

async function watcherIsTold(target: SmokeTarget, namespace: string): Promise<void> {
  const seen: string[] = [];
  let lastId = "";
  // Each connection takes one event: the next has to go on right behind it.
  for (const _ of KEYS) {
    const headers: Record<string, string> = lastId === "" ? {} : { "last-event-id": lastId };
    const stream = await send(target, `/v1/watch/${namespace}?from=oldest`, 200, { headers });
    for await (const { id, data } of readEvents(stream)) {
      lastId = id;
      seen.push((JSON.parse(data) as { key: string }).key);
      break;
    }
  }
  assert.deepEqual(seen.toSorted(), KEYS);
}

async function deletesAll(target: SmokeTarget, namespace: string): Promise<void> {
  for (const key of KEYS) {
    const path = pathOf(namespace, key);
    const gone = await send(target, path, 204, { method: "DELETE", headers: { prefer: "wait=10" } });
    const revision = gone.headers.get("millrace-revision") ?? "";
    await (await send(target, path, 404, { headers: { "millrace-min-revision": revision } })).arrayBuffer();
  }
}

async function isReady(url: string): Promise<void> {
  const ops: SmokeTarget = { url, ops: [], token: undefined };
  await (await send(ops, "/healthz/ready", 200)).arrayBuffer();
  assert.match(await (await send(ops, "/metrics", 200)).text(), /^millrace_/m, "no metric of Millrace");
}
