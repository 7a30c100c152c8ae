import { describe, expect, test } from "vitest";
import { OperatingError } from "../core/errors.ts";
import type { First } from "../core/idempotency.ts";
import { idempotencyOf } from "../core/idempotency.ts";
import { IDEMPOTENCY_FLIGHTS_MAX, OUTCOME_RETENTION_MS } from "../core/limits.ts";
import type { Flight } from "./idempotency.ts";
import { parseIdempotencyKey, Repeats } from "./idempotency.ts";
import { IdempotencyCounts } from "./idempotency-counts.ts";

describe("the header", () => {
  test.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["kG5LkhR+/A==", "kG5LkhR+/A=="],
    ['"a \\"b\\" \\\\ c"', 'a "b" \\ c'],
    [`"${"x".repeat(256)}"`, "x".repeat(256)],
  ])("%s is a key", (header, key) => {
    expect(parseIdempotencyKey(header)).toBe(key);
  });

  test.each(["", '""', '"a', 'a"', "a b", '"a\\b"', '"a", "b"', "a,b", '"a";p=1', "é", '"é"', "a\tb"])(
    "%s is none",
    (header) => expect(() => parseIdempotencyKey(header)).toThrow("An idempotency key is"),
  );

  test.each(["x".repeat(257), `"${"x".repeat(257)}"`])("is not longer than 256 characters", (header) => {
    expect(() => parseIdempotencyKey(header)).toThrow("1 to 256");
  });
});

describe("what travels with a command", () => {
  const value = new TextEncoder().encode("v");
  const put = { op: "put", contentType: "text/plain", value } as const;
  const scope = ["anonymous", "n", "k", "key"];
  const first = idempotencyOf(scope, { key: "k", operation: put }, null);

  test("has the size that the log takes, and is the same for the same", () => {
    expect(first).toEqual({
      key: expect.stringMatching(/^[\w-]{22}$/),
      fingerprint: expect.stringMatching(/^[\w-]{22}$/),
    });
    expect(idempotencyOf([...scope], { key: "k", operation: { ...put, value: Uint8Array.from(value) } }, null)).toEqual(
      first,
    );
  });

  test.each([
    { operation: { ...put, value: new Uint8Array() } },
    { operation: { ...put, contentType: "text/html" } },
    { operation: { ...put, metadata: "1" } },
    { operation: { ...put, expiry: { ttlMs: 1000 } } },
    { operation: { ...put, expiry: { atMs: 1000 } } },
    { operation: { op: "patch", value } },
    { operation: { op: "delete" } },
    { operation: { op: "increment", by: "1" } },
    { operation: { op: "increment", by: "2" } },
    { operation: put, condition: { kind: "match", id: "*" } },
    { operation: put, condition: { kind: "none-match", id: "*" } },
  ] as const)("tells it from another request: %j", (said) => {
    const other = idempotencyOf(scope, { key: "k", ...said }, null);
    expect(other.key).toBe(first.key);
    expect(other.fingerprint).not.toBe(first.fingerprint);
  });

  test("tells one grade from another, and one caller, key and place in a batch from another", () => {
    expect(idempotencyOf(scope, { key: "k", operation: put }, "disk").fingerprint).not.toBe(first.fingerprint);
    const keys = [scope, ["other", "n", "k", "key"], ["anonymous", "nk", "", "key"], [...scope, 0], [...scope, 1]].map(
      (each) => idempotencyOf(each, { key: "k", operation: put }, null).key,
    );
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe("what is known of a key", () => {
  const idempotency = { key: "k".repeat(22), fingerprint: "f".repeat(22) };
  const open = (first: () => Promise<First | null>) => new Repeats({ first }, () => false);
  const flight: Flight = { accepted: new Promise(() => undefined), before: "0-0" };

  test.each([
    ["is away", () => Promise.reject(new OperatingError("store-unavailable", ""))],
    ["hangs", () => new Promise<never>(() => undefined)],
  ])("a store that %s hinders no write: nothing is known", async (_, first) => {
    expect(await open(first).find(0, idempotency)).toBeNull();
  });

  test("a repeat with another fingerprint is told so, by the store and on the way", async () => {
    const repeats = open(async () => ({ id: "5-0", fingerprint: "g".repeat(22) }));
    await expect(repeats.find(3, idempotency)).rejects.toMatchObject({ slug: "idempotency-mismatch" });
    await expect(repeats.find(3, idempotency)).rejects.toThrow("03-5-0");
    repeats.depart({ ...idempotency, fingerprint: "g".repeat(22) }, flight);
    expect(() => repeats.onTheWay(idempotency)).toThrow("Another request");
  });

  test("what is on its way is forgotten when it is there, and bounded", () => {
    const repeats = open(async () => null);
    const land = repeats.depart(idempotency, flight);
    expect(repeats.onTheWay(idempotency)).toMatchObject(flight);
    land();
    expect(repeats.onTheWay(idempotency)).toBeUndefined();
    for (let i = 0; i < IDEMPOTENCY_FLIGHTS_MAX; i += 1) repeats.depart({ ...idempotency, key: String(i) }, flight);
    repeats.depart(idempotency, flight)();
    expect(repeats.onTheWay(idempotency)).toBeUndefined();
    expect(repeats.onTheWay({ ...idempotency, key: "0" })).toBeDefined();
  });
});

test("a partition is full of keys while none of them is so old that the next one makes room", async () => {
  let now = 1_000;
  let keys = 9;
  const changes: unknown[] = [];
  const counts = new IdempotencyCounts(
    { idempotencyCounts: async () => [{ keys, oldestMs: 1_000 }] },
    10,
    () => now,
    () => true,
    (partition, full) => changes.push([partition, full]),
  );
  expect(counts.full(0)).toBe(false);
  for (const [count, ms, full] of [
    [9, 1_000, false],
    [10, 1_000, true],
    [10, 999 + OUTCOME_RETENTION_MS, true],
    [10, 1_000 + OUTCOME_RETENTION_MS, false],
  ] as const) {
    keys = count;
    now = ms;
    await counts.poll();
    expect(counts.full(0)).toBe(full);
  }
});
