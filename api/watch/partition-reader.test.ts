import { describe, expect, test } from "vitest";
import type { Entry } from "../../core/codec.ts";
import type { Command, Operation, Result } from "../../core/command.ts";
import { ID_ZERO } from "../../core/entry-id.ts";
import { OperatingError } from "../../core/errors.ts";
import type { HeaderPage } from "../../core/functions/read-headers.ts";
import type { OutcomePage } from "../../core/functions/watch-reads.ts";
import { OUTCOME_RETENTION_MS } from "../../core/limits.ts";
import { join, PartitionReader } from "./partition-reader.ts";
import type { Cursor } from "./position.ts";

const put: Operation = { op: "put", contentType: "text/plain", value: new Uint8Array() };

function command(
  id: string,
  ordinal: number,
  key: string,
  operation: Operation = put,
  more: Partial<Command> = {},
): Entry {
  const stamp = { producer: "p", sequence: ordinal };
  const rest = { namespace: "n", awaited: false, acceptedMs: 1, ...more };
  return { kind: "command", id, ordinal, stamp, header: "", command: { key, operation, ...rest } };
}

const ENTRIES = [command("10-1", 1, "a"), command("10-2", 2, "b"), command("10-3", 3, "a", { op: "delete" })];
const at = (id: string, more: Partial<Cursor> = {}): Cursor => ({ id, place: 0, era: 0, ...more });

function judged(outcomes: Record<string, Result> = {}, more: Partial<OutcomePage> = {}): OutcomePage {
  const watermark = { id: "10-3", ordinal: 3 };
  return { watermark, losses: 0, through: "10-3", outcomes: new Map(Object.entries(outcomes)), ...more };
}

function head(more: Partial<HeaderPage> = {}): HeaderPage {
  const [, , atWatermark = null] = ENTRIES;
  const state = { floor: ID_ZERO, era: 0, fenced: false, reconciled: null, before: null, partial: false };
  return { ...state, atWatermark, entries: ENTRIES, ...more };
}

const told = (cursor: Cursor, page: OutcomePage, log: HeaderPage) => {
  const found = join(cursor, page, log);
  if (found.kind !== "changes") return found.kind;
  return found.changes.map(({ id, event, key }) => `${id} ${event} ${key}`);
};
const NOTHING = { kind: "nothing" };
const ALL = ["10-1 put a", "10-2 put b", "10-3 delete a"];

describe("of the log up to the watermark", () => {
  test("every command is told, in order, and the cursor goes to the watermark", () => {
    expect(told(at(ID_ZERO), judged(), head())).toEqual(ALL);
    const upTo = { id: "10-3", place: 0, era: 0, ordinal: 3 };
    expect(join(at(ID_ZERO), judged(), head())).toMatchObject({ upTo });
    expect(join(at(ID_ZERO), judged({}, { through: "10-4" }), head())).toMatchObject({ upTo: { ...upTo, id: "10-4" } });
    const partial = head({ entries: ENTRIES.slice(0, 2), partial: true });
    expect(join(at(ID_ZERO), judged(), partial)).toMatchObject({ upTo: { id: "10-2", ordinal: 2 } });
  });

  test.each<[string, Result]>([
    ["rejected", { outcome: "rejected", reason: "condition-not-met" }],
    ["dead", { outcome: "dead", reason: "x" }],
    ["of an absent key", { outcome: "applied", effect: "absent" }],
    ["a repeat of its producer", { outcome: "applied", effect: "repeated" }],
    ["a repeat of its client", { outcome: "applied", effect: "duplicate", value: "10-1" }],
  ])("one that was %s is not", (_, result) => {
    expect(told(at(ID_ZERO), judged({ "10-2": result }), head())).toEqual([ALL[0], ALL[2]]);
  });

  test.each<[string, Operation, Result | undefined, string]>([
    ["a counter", { op: "increment", by: "1" }, { outcome: "applied", effect: "counted", value: "1" }, "put"],
    ["a patch", { op: "patch", value: new Uint8Array() }, undefined, "put"],
    ["an expiry", { op: "expire" }, undefined, "expire"],
    ["a put with an idempotency key", put, { outcome: "applied", effect: "created" }, "put"],
  ])("%s is told as what became of its key", (_, operation, result, event) => {
    const page = join(
      at(ID_ZERO),
      judged(result && { "10-1": result }),
      head({ entries: [command("10-1", 1, "k", operation)] }),
    );
    expect(page).toMatchObject({ changes: [{ event, operation: operation.op, key: "k", place: 1, last: true }] });
  });

  test("a replay names its dead letter, and has its own revision; a discard is none; what is no command neither", () => {
    const entries: Entry[] = [
      command("10-1", 1, "k", put, { replays: { letter: "5-0", force: false } }),
      command("10-2", 2, "", { op: "discard", letter: "5-0" }),
      { kind: "malformed", id: "10-3", ordinal: 3, reason: "", header: "", body: Buffer.alloc(0) },
    ];
    const page = join(at(ID_ZERO), judged(), head({ entries }));
    expect(page).toMatchObject({ changes: [{ id: "10-1", replays: "5-0" }], upTo: { id: "10-3" } });
  });

  test("a transaction is told key by key, and gone on with in the middle of it", () => {
    const steps = ["a", "gone", "b", "c"].map((key) => ({
      key,
      operation: key === "a" ? { op: "delete" as const } : put,
    }));
    const txn = command("10-1", 1, "a", { op: "txn", conditions: [], steps, value: new Uint8Array() });
    const effects = (["deleted", "absent", "created", "replaced"] as const).map((effect) => ({ effect }));
    const outcomes = { "10-1": { outcome: "applied", effect: "committed", steps: effects } as const };
    const page = join(at(ID_ZERO), judged(outcomes), head({ entries: [txn, ...ENTRIES.slice(1)] }));
    if (page.kind !== "changes") throw new Error("nothing is told");
    expect(page.changes.slice(0, 3)).toMatchObject([
      { id: "10-1", place: 1, last: false, key: "a", event: "delete" },
      { id: "10-1", place: 2, last: false, key: "b", event: "put", operation: "put" },
      { id: "10-1", place: 3, last: true, key: "c" },
    ]);
    const rest = { before: txn, entries: ENTRIES.slice(1) };
    expect(told(at("10-1", { place: 1 }), judged(outcomes), head(rest))).toEqual([
      "10-1 put b",
      "10-1 put c",
      ...ALL.slice(1),
    ]);
    expect(told(at("10-1"), judged(outcomes), head(rest))).toEqual(ALL.slice(1));
    expect(told(at("10-1", { place: 1 }), judged(outcomes), head({ ...rest, before: null }))).toBe("gone");
  });

  test("a command of a newer version is waited for, behind what comes before it", () => {
    const newer: Entry = { kind: "unsupported", id: "10-2", version: "v2" };
    const [first] = ENTRIES;
    if (!first) throw new Error("no entries");
    expect(join(at(ID_ZERO), judged(), head({ entries: [first, newer] }))).toMatchObject({ upTo: { id: "10-1" } });
    expect(join(at("10-1"), judged(), head({ entries: [newer] }))).toEqual(NOTHING);
  });
});

describe("a log that is not, or not yet, the one that the store has applied is waited for:", () => {
  test.each<[string, Partial<HeaderPage>]>([
    ["it does not hold the command at the watermark", { atWatermark: null, entries: ENTRIES.slice(0, 1) }],
    ["it holds another command there", { atWatermark: command("10-3", 2, "other") }],
    ["it is being brought into line", { fenced: true }],
  ])("%s", (_, more) => expect(join(at(ID_ZERO), judged(), head(more))).toEqual(NOTHING));
});

describe("never a silent gap:", () => {
  const gone = (restart: string) => ({ kind: "gone", restart: { id: restart, place: 0 } });

  test("trimmed beyond the cursor", () => {
    expect(join(at("10-1"), judged(), head({ floor: "10-2" }))).toMatchObject(gone("10-2"));
    expect(told(at("10-2"), judged(), head({ floor: "10-2", entries: ENTRIES.slice(2) }))).toEqual(ALL.slice(2));
  });

  test("a hole behind the cursor, or between two commands", () => {
    const [first, second, third] = ENTRIES as [Entry, Entry, Entry];
    expect(told(at(ID_ZERO), judged(), head({ entries: [second, third] }))).toBe("gone");
    expect(told(at("10-1"), judged(), head({ before: first, entries: [third] }))).toBe("gone");
    expect(told(at("10-1", { ordinal: 1 }), judged(), head({ entries: [third] }))).toBe("gone");
    expect(told(at(ID_ZERO), judged(), head({ entries: [first, third] }))).toBe("gone");
  });

  test("a command whose outcome the store may have forgotten", () => {
    const watermark = { id: `${10 + OUTCOME_RETENTION_MS + 1}-0`, ordinal: 3 };
    const late = judged({}, { watermark, through: watermark.id });
    expect(join(at(ID_ZERO), late, head())).toMatchObject({ kind: "gone" });
    const page = join(at(ID_ZERO), late, head());
    // From where it says one can go on.
    if (page.kind !== "gone") throw new Error("not gone");
    expect(join(page.restart, late, head({ entries: [] }))).toMatchObject({ kind: "changes" });
  });

  test("another history: the log was brought into line, or an operator gave commands up", () => {
    const reconciled = { watermark: { id: "10-2", ordinal: 2 }, lost: 1, reappended: 0, dropped: 0 };
    const other = { era: 1, floor: "10-2", reconciled, entries: ENTRIES.slice(2) };
    expect(told(at("10-1"), judged(), head(other))).toBe("gone");
    expect(told(at("10-2"), judged(), head(other))).toEqual(ALL.slice(2));
    // It had had something that is in neither of the two any more.
    expect(told(at("10-25"), judged({}, { through: "10-30" }), head(other))).toBe("gone");
    expect(told(at("10-1"), judged({}, { losses: 1 }), head())).toBe("gone");
    expect(told(at("10-1", { era: 1 }), judged({}, { losses: 1 }), head({ entries: ENTRIES.slice(1) }))).toEqual(
      ALL.slice(1),
    );
  });
});

describe("reading", () => {
  const away = () => Promise.reject(new OperatingError("log-unavailable", ""));

  test("asks nothing of the log where nothing was applied, or the store went back", async () => {
    const reader = new PartitionReader({
      log: { headers: away, confirmedPosition: away },
      store: { outcomes: async () => judged() },
    });
    expect(await reader.read(0, at("10-3"))).toEqual(NOTHING);
    expect(await reader.read(0, at("11-0"))).toEqual(NOTHING);
    await expect(reader.read(0, at("10-2"))).rejects.toThrow(OperatingError);
  });
});
