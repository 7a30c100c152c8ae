import { expect, test } from "vitest";
import { ReplicaCount } from "./replica-count.ts";
import type { Agreement } from "./sentinel-view.ts";

const DOWN_AFTER_MS = 2000;
/** Three times down-after. */
const QUIET_MS = 6000;

function seen(promotable: number, more: Partial<Agreement> = {}): Agreement {
  return {
    master: "a:1",
    epoch: 1,
    quiet: true,
    downAfterMs: DOWN_AFTER_MS,
    promotable,
    known: 2,
    inSync: [],
    ...more,
  };
}

test("before anything is agreed nothing can be confirmed", () => {
  const count = new ReplicaCount();
  count.observe(null, 0);
  expect(count.count).toBeNull();
});

test("a process that starts counts the dead ones too: they may have died a moment ago", () => {
  const count = new ReplicaCount();
  count.observe(seen(1), 0);
  expect(count.count).toBe(2);
  count.observe(seen(1), QUIET_MS - 1);
  expect(count.count).toBe(2);
  count.observe(seen(1), QUIET_MS);
  expect(count.count).toBe(1);
});

test("it grows at once", () => {
  const count = new ReplicaCount();
  count.observe(seen(1, { known: 1 }), 0);
  count.observe(seen(3, { known: 3, quiet: false }), 1);
  expect(count.count).toBe(3);
});

test.each([
  ["a Sentinel sees a fault of the master", seen(1, { quiet: false })],
  ["no majority agrees", null],
  ["there is another master", seen(1, { master: "b:1" })],
  ["there is another epoch", seen(1, { epoch: 2 })],
])("the quiet time begins anew when %s", (_, disturbance) => {
  const count = new ReplicaCount();
  count.observe(seen(2), 0);
  count.observe(seen(1), 100);
  count.observe(disturbance, QUIET_MS - 1);
  count.observe(seen(1), QUIET_MS);
  count.observe(seen(1), 2 * QUIET_MS - 2);
  expect(count.count).toBe(2);
  count.observe(seen(1), 3 * QUIET_MS);
  expect(count.count).toBe(1);
});

test("a replica that was seen for a moment in the quiet time still counts until a whole one has passed without it", () => {
  const count = new ReplicaCount();
  count.observe(seen(2), 0);
  count.observe(seen(1), 1000);
  count.observe(seen(2), 5000);
  count.observe(seen(1), QUIET_MS);
  count.observe(seen(1), QUIET_MS + 4999);
  expect(count.count).toBe(2);
  count.observe(seen(1), QUIET_MS + 5000);
  expect(count.count).toBe(1);
});

test("it never falls to none: without a replica nothing is confirmed", () => {
  const count = new ReplicaCount();
  count.observe(seen(0), 0);
  for (let at = 0; at < 10 * QUIET_MS; at += 250) count.observe(seen(0, { known: 0 }), at);
  expect(count.count).toBe(1);
});

test("a short down-after does not make it hasty", () => {
  const count = new ReplicaCount();
  count.observe(seen(1, { downAfterMs: 100 }), 0);
  count.observe(seen(1, { downAfterMs: 100 }), 2999);
  expect(count.count).toBe(2);
  count.observe(seen(1, { downAfterMs: 100 }), 3000);
  expect(count.count).toBe(1);
});
