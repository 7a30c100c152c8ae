/**
 * What the differential test does, one entry for each kind of operation, with how often it is chosen. An entry does one
 * thing to one world and compares; another kind of operation is another entry.
 */
import { isDeepStrictEqual } from "node:util";
import { waitFor } from "../harness/wait-for.ts";
import type { Condition, Expiry } from "./model.ts";
import type { World } from "./world.ts";

export interface OperationKind {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  readonly run: (world: World) => Promise<void>;
}

const VALUES = ["", "text", "ü 鍵\n", "0", "41", "-7", "9223372036854775807", "-9223372036854775808", "1.5", "007"];
const DOCUMENTS = ["{}", "[]", '{"a":1}', '{"a":{"b":[1,2]},"c":"x"}', '"text"', "null", '{"e":{},"f":[]}'];
const PATCHES = [
  '{"a":2}',
  '{"a":null}',
  '{"a":{"b":null,"d":[]}}',
  '{"c":{"x":{"y":null}}}',
  "[1]",
  '"s"',
  '{"z":"\u00fc"}',
];
const TYPES = ["text/plain", "application/json", "X/y; z=1"];
const METADATA = ['{"user":7}', '"m"', "[1, 2]"];
const STEPS = ["1", "-1", "5", "9223372036854775807", "-9223372036854775808", "0"];
const LONG_S = 3600;
const FAR_S = 4_102_444_800;

/** Most of the time somebody waits. */
const waits = ({ random }: World): boolean => random.chance(0.7);

/** None, one that holds, or one that does not. */
function someCondition(world: World, key: string, waiting: boolean): Condition | undefined {
  const { random, revisions } = world;
  if (random.chance(0.6)) return undefined;
  const kind = random.pick(["match", "none-match"] as const);
  const own = revisions.get(key) ?? [];
  const current = world.model.get(key)?.revision;
  // Of another key: where it is of another partition, too, there may be no command, so nobody can wait for one later.
  const foreign = waiting ? [revisions.get(random.pick(world.keys))?.at(-1)] : [];
  const known = ["*", current, current, own.at(-1), own[0], ...foreign].filter((one) => one !== undefined);
  return { kind, revision: random.pick(known) };
}

/** None, some time from now, a moment, or as before: for the query and for the model. */
function someExpiry({ random }: World): { readonly query: readonly string[]; readonly expiry?: Expiry | "keep" } {
  switch (random.integer(0, 9)) {
    case 0:
      return { query: [`ttl=${LONG_S}`], expiry: { ttlS: LONG_S } };
    case 1: {
      const atS = FAR_S + random.integer(0, 8) / 8;
      return { query: [`expires_at=${atS}`], expiry: { atS } };
    }
    case 2:
      return { query: ["keep_ttl"], expiry: "keep" };
    default:
      return { query: [] };
  }
}

const queryOf = (parts: readonly string[]): string => (parts.length === 0 ? "" : `?${parts.join("&")}`);

export const OPERATIONS: readonly OperationKind[] = [
  {
    name: "put",
    weight: 30,
    run: async (world) => {
      const { random } = world;
      const key = random.pick(world.keys);
      const value = random.pick(random.chance(0.5) ? VALUES : DOCUMENTS);
      const contentType = random.pick(TYPES);
      const metadata = random.chance(0.2) ? random.pick(METADATA) : undefined;
      const { query, expiry } = someExpiry(world);
      const waiting = waits(world);
      await world.write({
        method: "PUT",
        key,
        query: queryOf(query),
        headers: { "content-type": contentType, ...(metadata !== undefined && { "millrace-metadata": metadata }) },
        body: value,
        write: {
          op: "put",
          value,
          contentType,
          ...(metadata !== undefined && { metadata }),
          ...(expiry !== undefined && { expiry }),
        },
        condition: someCondition(world, key, waiting),
        waits: waiting,
      });
    },
  },
  {
    name: "delete",
    weight: 10,
    run: async (world) => {
      const key = world.random.pick(world.keys);
      const waiting = waits(world);
      const condition = someCondition(world, key, waiting);
      await world.write({ method: "DELETE", key, write: { op: "delete" }, condition, waits: waiting });
    },
  },
  {
    name: "increment",
    weight: 15,
    run: async (world) => {
      const key = world.random.pick(world.keys);
      const by = world.random.pick(STEPS);
      const { query, expiry } = someExpiry(world);
      const waiting = waits(world);
      await world.write({
        method: "POST",
        key,
        query: queryOf([`increment=${by}`, ...query]),
        write: { op: "increment", by, ...(expiry !== undefined && { expiry }) },
        condition: someCondition(world, key, waiting),
        waits: waiting,
      });
    },
  },
  {
    name: "patch",
    weight: 12,
    run: async (world) => {
      const key = world.random.pick(world.keys);
      const patch = world.random.pick(PATCHES);
      const { query, expiry } = someExpiry(world);
      const waiting = waits(world);
      await world.write({
        method: "PATCH",
        key,
        query: queryOf(query),
        headers: { "content-type": "application/merge-patch+json" },
        body: patch,
        write: { op: "patch", patch, ...(expiry !== undefined && { expiry }) },
        condition: someCondition(world, key, waiting),
        waits: waiting,
      });
    },
  },
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
  {
    name: "outlive a key",
    weight: 0.1,
    run: async (world) => {
      const key = world.random.pick(world.keys);
      await world.write({
        method: "PUT",
        key,
        query: "?ttl=1",
        headers: { "content-type": "text/plain" },
        body: "short",
        write: { op: "put", value: "short", contentType: "text/plain", expiry: { ttlS: 1 } },
        waits: true,
      });
      const gone = async (): Promise<boolean> => (await world.send("GET", world.pathOf(key), {})).status === 404;
      await waitFor(gone, { timeoutMs: 20_000, intervalMs: 100, what: `${key} expires` });
      world.model.expire(key);
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

/** One of them, by weight. */
export function pickOperation({ random }: World): OperationKind {
  let at = random.next() * OPERATIONS.reduce((sum, { weight }) => sum + weight, 0);
  for (const kind of OPERATIONS) {
    at -= kind.weight;
    if (at < 0) return kind;
  }
  return OPERATIONS[0] as OperationKind;
}
