import { trace } from "@opentelemetry/api";
import { beforeEach, describe, expect, test } from "vitest";
import { encodeHeader } from "../core/codec.ts";
import type { Command } from "../core/command.ts";
import type { DeadLetter } from "../core/dead-letter.ts";
import { OperatingError } from "../core/errors.ts";
import { WATERMARK_ZERO } from "../core/functions/apply.ts";
import { LETTERS_MAX, LETTERS_MAX_BYTES } from "../core/limits.ts";
import { readPackageFile } from "../core/package-file.ts";
import { createApp } from "./app.ts";
import type { AppDependencies } from "./dependencies.ts";
import { DocsFiles } from "./docs-files.ts";
import { ProblemError } from "./errors.ts";
import { Repeats } from "./idempotency.ts";
import { LetterCounts } from "./letter-counts.ts";
import { RequestIds } from "./problem.ts";

const nothing = () => Promise.reject(new Error("not asked for"));
const IDS = ["10-1", "10-2", "10-3", "10-4"];

const letterOf = (id: string): DeadLetter => {
  const operation = { op: "increment", by: "1" } as const;
  const header = encodeHeader({ namespace: "n", key: "k", operation, awaited: false, acceptedMs: 1 }, "p", 1);
  return { id, reason: "r", attempts: 1, lastReplay: null, lastReason: "r", header, bytes: 0 };
};

let submitted: Command[];
/** The log refuses these: by the letter's id. */
let refused: readonly string[];
let full: boolean;
let deps: AppDependencies;

beforeEach(() => {
  submitted = [];
  refused = [];
  full = false;
  deps = {
    access: { gateOf: () => null },
    cors: null,
    partitions: 1,
    submit: async (partition, command) => {
      if (refused.includes(command.replays?.letter ?? "")) throw new OperatingError("log-unavailable", "");
      submitted.push(command);
      return { partition, id: `20-${submitted.length}`, grade: "memory" };
    },
    log: { find: nothing, position: nothing, confirmedPosition: nothing, gives: () => "yes", defaultGrade: "memory" },
    replicas: { read: nothing, list: nothing },
    store: {
      read: nothing,
      list: nothing,
      first: nothing,
      outcome: nothing,
      watermark: nothing,
      letters: async (_, after) => {
        const from = IDS.indexOf(after) + 1;
        return { letters: IDS.slice(from).map(letterOf), places: IDS.slice(from), next: null };
      },
      letter: async (_, id) => ({ letter: letterOf(id), value: new Uint8Array() }),
      letterCounts: async () => [{ letters: IDS.length, bytes: 0 }],
      foresee: nothing,
      usage: nothing,
    },
    feed: { wait: async () => ({ passed: false }) },
    admission: { admit: () => undefined },
    countProblem: () => undefined,
    floors: { admit: () => true, floor: () => WATERMARK_ZERO },
    watches: { open: nothing },
    losses: { find: async () => null, accept: async () => "not-lost", list: async () => [] },
    monitor: { report: async () => [], lastState: () => null },
    settingsOf: (namespace) => ({ parking: namespace === "orders" ? "block" : "skip" }),
    quotas: { admit: () => undefined },
    namespaces: { known: new Map(), untilKnown: () => null },
    jobStreams: { open: () => new ReadableStream() },
    system: { partition: 0, read: nothing, page: nothing },
    repeats: new Repeats({ first: async () => null }, () => false),
    lettersFull: () => full,
    requestIds: new RequestIds("p"),
    tracer: trace.getTracer("test"),
    now: () => 1,
    report: () => undefined,
    docsFiles: new DocsFiles(readPackageFile),
    counterOf: () => () => undefined,
  };
});

const send = async (method: string, path: string, body?: string) =>
  createApp(deps).fetch(new Request(`http://h${path}`, { method, ...(body !== undefined && { body }) }));

describe("a write carries its namespace's parking policy", () => {
  test.each([
    ["orders", "block"],
    ["others", undefined],
  ])("%s: %s in the log entry", async (namespace, policy) => {
    await send("PUT", `/v1/kv/${namespace}/k`, "v");
    await send("POST", `/v1/kv/${namespace}/k?increment=1`);
    await send("DELETE", `/v1/kv/${namespace}/k`);
    expect(submitted).toHaveLength(3);
    for (const command of submitted) expect(JSON.parse(encodeHeader(command, "p", 1)).pk).toBe(policy);
  });
});

describe("letters that the log does not take", () => {
  const replay = (query = "") => send("POST", `/v1/dead-letters/replay${query}`);

  test("are told, and the cursor goes on with the first of them", async () => {
    refused = ["10-2"];
    const answer = await replay();
    const page = (await answer.json()) as { counts: object; cursor: string; complete: boolean };
    expect(answer.status).toBe(202);
    expect(page).toMatchObject({ counts: { queued: 3, refused: 1 }, complete: false });
    refused = [];
    submitted = [];
    await replay(`?cursor=${page.cursor}`);
    expect(submitted.map(({ replays }) => replays?.letter)).toEqual(["10-2", "10-3", "10-4"]);
  });

  test("are a failure when it took none", async () => {
    refused = IDS;
    const answer = await replay();
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ type: "/problems/log-unavailable" });
  });

  test("because their partition is halted are told so", async () => {
    deps = { ...deps, monitor: { ...deps.monitor, lastState: () => ({ state: "frozen", reason: "" }) } };
    expect(await (await replay()).json()).toMatchObject({ type: "/problems/partition-halted" });
    expect(submitted).toEqual([]);
  });

  test("because a bound is reached are told which, as any write is", async () => {
    const admit = () => {
      throw new ProblemError("backlog-full");
    };
    deps = { ...deps, admission: { admit } };
    expect(await (await replay()).json()).toMatchObject({ type: "/problems/backlog-full" });
    expect(submitted).toEqual([]);
  });
});

describe("a partition with too many dead letters", () => {
  test("takes no writes, and takes what settles them", async () => {
    full = true;
    expect((await send("PUT", "/v1/kv/n/k", "v")).status).toBe(503);
    expect((await send("POST", "/v1/dead-letters/00-10-1/replay")).status).toBe(202);
    expect((await send("DELETE", "/v1/dead-letters/00-10-1")).status).toBe(202);
    expect((await send("DELETE", "/v1/dead-letters?all=true")).status).toBe(202);
    expect(submitted).toHaveLength(2 + IDS.length);
  });

  test.each([
    ["letters", { letters: LETTERS_MAX, bytes: 0 }, { letters: LETTERS_MAX - 1, bytes: 0 }],
    ["bytes", { letters: 1, bytes: LETTERS_MAX_BYTES }, { letters: 1, bytes: LETTERS_MAX_BYTES - 1 }],
  ])("is one that holds too many %s, for as long as it does", async (_, most, less) => {
    let now = most;
    const told: [number, boolean][] = [];
    const counts = new LetterCounts(
      { letterCounts: async () => [{ letters: 0, bytes: 0 }, now] },
      () => true,
      (partition, isFull) => told.push([partition, isFull]),
    );
    expect(counts.full(1)).toBe(false);
    await counts.poll();
    await counts.poll();
    expect([counts.full(0), counts.full(1)]).toEqual([false, true]);
    now = less;
    await counts.poll();
    expect(counts.full(1)).toBe(false);
    expect(told).toEqual([
      [1, true],
      [1, false],
    ]);
  });
});

describe("a request for dead letters that could mean something else is refused:", () => {
  test.each([
    ["GET", "?colour=red", "unknown-parameter"],
    ["GET", "?limit=0", "invalid-parameter"],
    ["GET", "?cursor=x", "invalid-parameter"],
    ["GET", "?since=yesterday", "invalid-parameter"],
    ["GET", "?partition=4", "invalid-parameter"],
    ["GET", "?key=a&key=b", "invalid-parameter"],
    ["GET", "?force=true", "unknown-parameter"],
    ["POST", "/replay?force=maybe", "invalid-parameter"],
    ["DELETE", "", "invalid-parameter"],
    ["DELETE", "?limit=5", "invalid-parameter"],
  ])("%s %s is %s", async (method, path, type) => {
    const answer = await send(method, `/v1/dead-letters${path}`);
    expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ type: `/problems/${type}` })]);
    expect(submitted).toEqual([]);
  });
});
