/** What the differential test writes. */
import { waitFor } from "../harness/wait-for.ts";
import type { Condition, Expiry, Write } from "./model.ts";
import type { OperationKind } from "./operations.ts";
import type { World } from "./world.ts";

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

/** Mostly what fits any key: one that does not undoes all of them. */
function someStep({ random }: World): Write {
  switch (random.integer(0, 7)) {
    case 0:
      return { op: "increment", by: random.pick(STEPS) };
    case 1:
      return { op: "patch", patch: random.pick(PATCHES) };
    case 2:
      return { op: "delete" };
    default:
      return { op: "put", value: random.pick(VALUES), contentType: random.pick(TYPES) };
  }
}

const queryOf = (parts: readonly string[]): string => (parts.length === 0 ? "" : `?${parts.join("&")}`);

export const WRITES: readonly OperationKind[] = [
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
  {
    name: "repeat an increment under its idempotency key",
    weight: 3,
    run: async (world) => {
      const { random } = world;
      const key = random.pick(world.keys);
      const by = random.pick(STEPS);
      const headers = { "idempotency-key": `"${random.integer(0, 2 ** 48)}"` };
      const request = { method: "POST", key, query: `?increment=${by}`, headers, waits: true } as const;
      const outcome = await world.write({ ...request, write: { op: "increment", by } });
      if (random.chance(0.5)) await WRITES[0]?.run(world);
      await world.repeat(request, outcome);
    },
  },
  {
    name: "write a batch",
    weight: 6,
    run: async (world) => {
      const { random } = world;
      const items = Array.from({ length: random.integer(1, 6) }, () => {
        const key = random.pick(world.keys);
        return { key, write: someStep(world), condition: someCondition(world, key, true) };
      });
      await world.batch(items);
    },
  },
  {
    name: "commit a transaction, where all keys are of one partition",
    weight: 6,
    run: async (world) => {
      const { random } = world;
      if (!world.namespace.startsWith("@")) return;
      const keys = random.shuffled(world.keys).slice(0, random.integer(1, 4));
      const conditions = keys.flatMap((key) => {
        const condition = random.chance(0.5) ? someCondition(world, key, false) : undefined;
        return condition === undefined ? [] : [{ key, ...condition }];
      });
      await world.commit(
        keys.map((key) => ({ key, write: someStep(world) })),
        conditions,
      );
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
      await waitFor(gone, { intervalMs: 100, what: `${key} expires` });
      world.model.expire(key);
    },
  },
];
