/** What the differential test reads. */
import { isDeepStrictEqual } from "node:util";
import type { OperationKind } from "./operations.ts";
import type { World } from "./world.ts";

export const READS: readonly OperationKind[] = [
  { name: "read", weight: 30, run: (world) => read(world, world.random.pick(world.keys)) },
  {
    name: "read what has not changed",
    weight: 4,
    run: async (world) => {
      const key = world.random.pick(world.keys);
      const entry = world.model.get(key);
      if (entry === undefined) return;
      const { random } = world;
      const tag = random.pick([entry.revision, world.revisions.get(key)?.[0] ?? entry.revision]);
      const method = random.pick(["GET", "HEAD"]);
      const answer = await world.send(method, world.pathOf(key), {
        headers: { "if-none-match": `"${tag}"`, ...needed(world, key) },
      });
      const same = tag === entry.revision;
      const headers = { ...world.headersOf(entry), "content-type": same ? undefined : entry.contentType };
      const body = same || method === "HEAD" ? "" : entry.value;
      world.compare(answer, { status: same ? 304 : 200, body, headers });
      world.compareExpiry(answer.headers["millrace-expires-at"], entry.expiry);
    },
  },
  {
    name: "list",
    weight: 2,
    run: async (world) => {
      const { random, model } = world;
      const prefix = random.pick(["", "k", "k1", "k1/", "x"]);
      const values = random.chance(0.5);
      const limit = random.pick([3, 100]);
      const needs = world.keys.map((key) => world.needs(key)).filter((one) => one !== undefined);
      const headers = needs.length === 0 ? {} : { "millrace-min-revision": needs.join(","), prefer: "wait=15" };
      const told: ListedKey[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const query = `prefix=${encodeURIComponent(prefix)}&limit=${limit}&values=${values}`;
        const from: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
        const answer = await world.send("GET", `/v1/kv/${world.namespace}?${query}${from}`, { headers });
        world.compare(answer, { status: 200 });
        const page = JSON.parse(answer.text) as { keys: ListedKey[]; cursor: string | null };
        told.push(...page.keys);
        cursor = page.cursor;
      }
      const wanted = model.keys().filter((key) => key.startsWith(prefix));
      if (told.map(({ key }) => key).join() !== wanted.join()) world.fail(`expected ${wanted.join()}`);
      for (const listed of told) compareListed(world, listed, values);
    },
  },
  {
    name: "ask what became of a command",
    weight: 8,
    run: async (world) => {
      const asked = world.accepted.shift();
      if (asked === undefined) return;
      const { revision, key, outcome, op } = asked;
      const answer = await world.send("GET", `/v1/commands/${revision}?wait=15`, {});
      world.compare(answer, { status: 200, headers: { "content-type": "application/json" } });
      const told = JSON.parse(answer.text) as Record<string, unknown>;
      const rejected = outcome.kind === "rejected";
      const reason = (told.result as { reason?: string } | undefined)?.reason;
      const said = [told.id, told.status, told.namespace, told.key, told.operation, rejected ? reason : "-"];
      const wanted = [
        revision,
        rejected ? "rejected" : "applied",
        world.namespace,
        key,
        op,
        rejected ? outcome.reason : "-",
      ];
      if (said.join() !== wanted.join()) world.fail(`expected ${wanted.join()}, got ${said.join()}`);
    },
  },
];

interface ListedKey {
  readonly key: string;
  readonly expires_at?: number;
}

function compareListed(world: World, { expires_at: expiresAt, ...listed }: ListedKey, values: boolean): void {
  const entry = world.model.get(listed.key);
  if (entry === undefined) world.fail(`${listed.key} is not there`);
  const { revision, contentType, value, metadata, expiry } = entry;
  const wanted = {
    key: listed.key,
    revision,
    content_type: contentType,
    size: Buffer.byteLength(value),
    ...(values && { value, encoding: "text" }),
    ...(metadata !== undefined && { metadata: JSON.parse(metadata) as unknown }),
  };
  if (!isDeepStrictEqual(listed, wanted))
    world.fail(`expected ${JSON.stringify(wanted)}, got ${JSON.stringify(listed)}`);
  world.compareExpiry(expiresAt === undefined ? undefined : String(expiresAt), expiry);
}

/** One key, as the model knows it. */
export async function read(world: World, key: string): Promise<void> {
  const method = world.random.chance(0.1) ? "HEAD" : "GET";
  const answer = await world.send(method, world.pathOf(key), { headers: needed(world, key) });
  const entry = world.model.get(key);
  if (entry === undefined) {
    world.compare(answer, { status: 404, ...(method === "GET" && { problem: "key-not-found" }) });
    return;
  }
  const length = String(Buffer.byteLength(entry.value));
  const headers = { ...world.headersOf(entry), "content-type": entry.contentType, "content-length": length };
  world.compare(answer, { status: 200, body: method === "HEAD" ? "" : entry.value, headers });
  world.compareExpiry(answer.headers["millrace-expires-at"], entry.expiry);
}

function needed(world: World, key: string): Record<string, string> {
  const revision = world.needs(key);
  return revision === undefined ? {} : { "millrace-min-revision": revision, prefer: "wait=15" };
}
