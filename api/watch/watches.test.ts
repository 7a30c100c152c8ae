import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { OperatingError } from "../../core/errors.ts";
import { WATCH_BUFFER_MAX_BYTES, WATCH_HEARTBEAT_MS, WATCH_READS_MAX, WATCHERS_MAX } from "../../core/limits.ts";
import { type Cursor, decodePosition } from "./position.ts";
import { Watches, type WatchesDependencies } from "./watches.ts";

const SUBJECT = { namespace: "n", prefix: "", values: false, partitions: [0] };
const BEGIN: Cursor = { id: "10-0", place: 0, era: 0 };

let headers: WatchesDependencies["log"]["headers"];
let outcomes: WatchesDependencies["store"]["outcomes"];
let watermark: number;
let reported: unknown[];
let watches: Watches;

/** A log without end: every read finds the entries after the one it asks for. */
const commands = (after: string, to: string, count: number) => {
  const [first, last] = [after, to].map((id) => Number(id.slice("10-".length))) as [number, number];
  return Array.from({ length: Math.min(count, last - first) }, (_, index) => {
    const ordinal = first + 1 + index;
    const command = {
      namespace: "n",
      key: `k${ordinal}`,
      operation: { op: "delete" as const },
      awaited: false,
      acceptedMs: 1,
    };
    return {
      kind: "command" as const,
      id: `10-${ordinal}`,
      ordinal,
      stamp: { producer: "p", sequence: ordinal },
      header: "",
      command,
    };
  });
};

beforeEach(() => {
  watermark = 0;
  reported = [];
  outcomes = async () => {
    const id = `10-${watermark}`;
    return { watermark: { id, ordinal: watermark }, losses: 0, outcomes: new Map(), through: id };
  };
  headers = async (_, { after, to, entries }) => {
    const found = commands(after, to, entries);
    const [atWatermark = null] = commands(`10-${watermark - 1}`, `10-${watermark}`, 1);
    const partial = found.at(-1)?.id !== to;
    return {
      floor: "0-0",
      era: 0,
      fenced: false,
      reconciled: null,
      before: null,
      atWatermark,
      partial,
      entries: found,
    };
  };
  watches = new Watches({
    log: {
      headers: (...about) => headers(...about),
      confirmedPosition: async () => ({ floor: "0-0", era: 0 }) as never,
    },
    store: { outcomes: (...about) => outcomes(...about), revisions: async () => [] },
    partitions: 1,
    usable: () => true,
    report: (error) => reported.push(error),
  });
});

afterEach(() => {
  watches.stop();
  vi.useRealTimers();
});

const decoder = new TextDecoder();
async function take(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value } = await reader.read();
  return decoder.decode(value);
}

describe("bounds:", () => {
  test("a stream that is one too many is refused, and taken again when one has ended", async () => {
    const streams = await Promise.all(Array.from({ length: WATCHERS_MAX }, () => watches.open(SUBJECT, [BEGIN])));
    expect(watches.count).toBe(WATCHERS_MAX);
    await expect(watches.open(SUBJECT, [BEGIN])).rejects.toMatchObject({ code: "overloaded" });
    await streams[0]?.cancel();
    await watches.open(SUBJECT, [BEGIN]);
    expect(watches.count).toBe(WATCHERS_MAX);
  });

  test("for a client that takes nothing, nothing is read once its buffer is full", async () => {
    watermark = 20_000;
    const stream = await watches.open(SUBJECT, [BEGIN]);
    let before = -1;
    await expect
      .poll(() => {
        const now = watches.events;
        const still = now > 0 && now === before;
        before = now;
        return still;
      })
      .toBe(true);
    expect(before * 100).toBeLessThan(2 * WATCH_BUFFER_MAX_BYTES);
    const reader = stream.getReader();
    for (let chunks = 0; chunks < 10; chunks += 1) await take(reader);
    await expect.poll(() => watches.events).toBeGreaterThan(before);
    await reader.cancel();
    expect(watches.count).toBe(0);
  });

  test("so many read by range at once; the others wait for their turn", async () => {
    watermark = 3;
    let [reading, most] = [0, 0];
    const read = headers;
    headers = async (...about) => {
      reading += 1;
      most = Math.max(most, reading);
      await new Promise((resolve) => setTimeout(resolve, 1));
      reading -= 1;
      return read(...about);
    };
    const readers = await Promise.all(
      Array.from({ length: 40 }, async () => (await watches.open(SUBJECT, "oldest")).getReader()),
    );
    for (const reader of readers) {
      await take(reader);
      expect(await take(reader)).toContain("10-3");
    }
    expect(most).toBeGreaterThan(1);
    // And the tail's own.
    expect(most).toBeLessThanOrEqual(WATCH_READS_MAX + 1);
  });
});

test("a stream says where it begins, and every 15 s that it is still there, and where it is by then", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const reader = (await watches.open({ ...SUBJECT, prefix: "none" }, [BEGIN])).getReader();
  const positionIn = (text: string) => decodePosition(/^id: (.*)$/m.exec(text)?.[1] ?? "", 1)?.[0]?.id;
  const first = await take(reader);
  expect([first.startsWith(": "), positionIn(first)]).toEqual([true, "10-0"]);
  watermark = 5;
  const second = take(reader);
  await vi.advanceTimersByTimeAsync(WATCH_HEARTBEAT_MS + 1000);
  const text = await second;
  expect(text).toMatch(/^: /);
  expect(text).not.toContain("data:");
  expect(positionIn(text)).toBe("10-5");
});

test("log or store away: a position is taken, nothing ends, and all is told when they are back", async () => {
  watermark = 2;
  const read = headers;
  headers = () => Promise.reject(new OperatingError("log-unavailable", "away"));
  const reader = (await watches.open(SUBJECT, [BEGIN])).getReader();
  await expect(watches.open(SUBJECT, "now")).resolves.toBeDefined();
  await take(reader);
  headers = read;
  expect(await take(reader)).toMatch(/k1"(.|\n)*k2"/);
  expect(reported).toEqual([]);
});

test("an error that should not be ends the stream, and is told", async () => {
  watermark = 2;
  const read = headers;
  let calls = 0;
  // The first is the check of the position.
  headers = (...about) => {
    calls += 1;
    return calls === 1 ? read(...about) : Promise.reject(new Error("broken"));
  };
  const reader = (await watches.open(SUBJECT, [BEGIN])).getReader();
  while (!(await reader.read()).done);
  await expect.poll(() => reported).toMatchObject([{ message: "broken" }]);
  expect(watches.count).toBe(0);
});

test("after a stop every stream ends, and one that comes then is told where it is first", async () => {
  const open = (await watches.open(SUBJECT, [BEGIN])).getReader();
  await take(open);
  watches.stop();
  expect((await open.read()).done).toBe(true);
  const late = (await watches.open(SUBJECT, [BEGIN])).getReader();
  expect(await take(late)).toContain("id: ");
  expect((await late.read()).done).toBe(true);
  expect(watches.count).toBe(0);
});
