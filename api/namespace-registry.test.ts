import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SETTINGS_FIRST_WAIT_MS } from "../core/limits.ts";
import { NamespaceRegistry } from "./namespace-registry.ts";
import type { SystemDocument } from "./system-values.ts";

const PARTITION = 3;
let stored: Record<string, unknown>;
let reads: number;
let away: boolean;
let faults: string[];
let standing: { accepted: number; ordinal: number };
let registry: NamespaceRegistry;

beforeEach(async () => {
  vi.useFakeTimers();
  [stored, reads, away, faults] = [{ orders: { parking: "block" } }, 0, false, []];
  standing = { accepted: 9, ordinal: 7 };
  registry = new NamespaceRegistry({
    values: {
      partition: PARTITION,
      all: async () => {
        reads += 1;
        if (away) throw new Error("away");
        return Object.entries(stored).map(([name, document]): SystemDocument => {
          return { key: `ns/${name}`, id: "1-1", revision: "03-1-1", document };
        });
      },
    },
    report: async () => Array.from({ length: 4 }, () => standing),
    usable: () => true,
    onFault: (fault) => faults.push(fault),
  });
  await registry.start();
});

afterEach(async () => {
  await registry.stop();
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

describe("before they were ever read", () => {
  test("nobody is given the defaults, which may be less than what was promised", () => {
    expect(() => registry.settingsOf("orders")).toThrow(expect.objectContaining({ slug: "settings-unknown" }));
  });

  test("a write waits for them, and goes on when they are there", async () => {
    const waiting = registry.untilKnown();
    await pass(300);
    await expect(waiting).resolves.toBeUndefined();
    expect(registry.untilKnown()).toBeNull();
    expect(registry.settingsOf("orders").parking).toBe("block");
    expect(registry.settingsOf("constructor").parking).toBe("skip");
  });

  test("a store that holds nothing while the log does is not believed", async () => {
    standing = { accepted: 1, ordinal: 0 };
    stored = {};
    await pass(1_000);
    expect(registry.known).toBeNull();
    standing = { accepted: 1, ordinal: 1 };
    await pass(300);
    expect(registry.known?.size).toBe(0);
  });

  test("a write waits only so long, and the fault is told once", async () => {
    away = true;
    const waiting = expect(registry.untilKnown()).rejects.toMatchObject({ slug: "settings-unknown" });
    await pass(SETTINGS_FIRST_WAIT_MS + 1);
    await waiting;
    expect(faults).toEqual(["settings are not read yet: away"]);
  });
});

describe("afterwards", () => {
  beforeEach(() => pass(300));

  test("a change is in effect soon after it is heard of, and within little more than a second when it is not", async () => {
    stored.orders = { parking: "skip" };
    registry.heard(PARTITION);
    await pass(250);
    expect(registry.settingsOf("orders").parking).toBe("skip");
    stored.orders = { parking: "block" };
    registry.heard(PARTITION + 1);
    await pass(1_500);
    expect(registry.settingsOf("orders").parking).toBe("block");
  });

  test("a store that is away, or that went back, takes no settings away", async () => {
    away = true;
    stored = {};
    await pass(10_000);
    expect(reads).toBeGreaterThan(5);
    expect(registry.settingsOf("orders").parking).toBe("block");
    expect(registry.untilKnown()).toBeNull();
  });

  test("settings that cannot be read leave those that were", async () => {
    stored = { orders: { parking: 7 }, others: { parking: 7 } };
    await pass(5_000);
    expect(registry.settingsOf("orders").parking).toBe("block");
    expect(registry.settingsOf("others").parking).toBe("skip");
    expect(faults).toEqual(["the settings of others cannot be read: it has the defaults"]);
  });
});
