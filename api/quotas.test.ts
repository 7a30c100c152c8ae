import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Operation } from "../core/command.ts";
import type { Usage } from "../core/store.ts";
import type { Quota } from "./namespaces.ts";
import { Quotas } from "./quotas.ts";

const PUT: Operation = { op: "put", contentType: "text/plain", value: new Uint8Array() };
let usage: Usage;
let asked: string[];
let quota: Quota | undefined;
let quotas: Quotas;
beforeEach(() => {
  [usage, asked, quota] = [{ keys: 0, bytes: 0 }, [], { keys: 8 }];
  quotas = new Quotas({
    store: {
      usage: async (partition, namespace) => {
        asked.push(`${namespace} ${partition}`);
        return usage;
      },
    },
    partitions: 4,
    settingsOf: () => ({ parking: "skip", quota }),
    usable: () => true,
  });
});

const refused = (operation: Operation) => {
  try {
    quotas.admit("n", operation);
    return false;
  } catch (error) {
    expect(error).toMatchObject({ slug: "quota-exceeded" });
    return true;
  }
};

describe("at its bound a namespace", () => {
  test.each([
    ["keys", { keys: 8 }, { keys: 2, bytes: 0 }],
    ["bytes", { bytes: 100 }, { keys: 0, bytes: 25 }],
    ["no keys at all", { keys: 0 }, { keys: 0, bytes: 0 }],
  ])("of %s takes nothing that might grow it, and every delete", async (_, given, inEachPartition) => {
    [quota, usage] = [given, inEachPartition];
    expect(refused(PUT)).toBe(false);
    await quotas.poll();
    expect(
      [PUT, { op: "increment", by: "1" } as const, { op: "patch", value: new Uint8Array() } as const].map(refused),
    ).toEqual([true, true, true]);
    expect(refused({ op: "delete" })).toBe(false);
    expect(refused({ op: "discard", letter: "1-1" })).toBe(false);
  });

  test("takes writes again when it holds less, or may hold more", async () => {
    usage = { keys: 2, bytes: 0 };
    refused(PUT);
    await quotas.poll();
    expect(refused(PUT)).toBe(true);
    quota = { keys: 9 };
    expect(refused(PUT)).toBe(false);
    quota = { keys: 8 };
    usage = { keys: 1, bytes: 0 };
    await quotas.poll();
    expect(refused(PUT)).toBe(false);
  });
});

test("only namespaces with a quota that were written to lately are looked at; what was known of others stays", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  quota = undefined;
  refused(PUT);
  quotas.admit("@pinned", PUT);
  await quotas.poll();
  expect(asked).toEqual([]);
  quota = { keys: 8 };
  quotas.admit("@pinned", PUT);
  await quotas.poll();
  expect(asked).toHaveLength(1);
  usage = { keys: 2, bytes: 0 };
  refused(PUT);
  await quotas.poll();
  vi.advanceTimersByTime(10 * 60_000);
  asked = [];
  await quotas.poll();
  expect(asked).toEqual([]);
  expect(refused(PUT)).toBe(true);
  vi.useRealTimers();
});
