/** An app with tokens, whose log and store are made up: they hold one entry and one dead letter for each key. */
import { trace } from "@opentelemetry/api";
import { Access, type AuditLine } from "../../api/access.ts";
import { type App, createApp } from "../../api/app.ts";
import { Authentication } from "../../api/authentication.ts";
import { principalOf } from "../../api/caller.ts";
import type { Cors } from "../../api/cors.ts";
import type { AppDependencies, ReadableStore } from "../../api/dependencies.ts";
import { DocsFiles } from "../../api/docs-files.ts";
import { Repeats } from "../../api/idempotency.ts";
import { RequestIds } from "../../api/problem.ts";
import { encodeHeader } from "../../core/codec.ts";
import type { Command } from "../../core/command.ts";
import type { Job } from "../../core/job.ts";
import { readPackageFile } from "../../core/package-file.ts";
import { jobKey } from "../../core/system-keys.ts";
import { ALL, CALLERS, IDS, JOBS, KEYS, type Key, scope } from "./authorization-lines.ts";

export interface AccessLab {
  readonly app: App;
  /** What was asked of log and store, in order. */
  readonly calls: string[];
  readonly audits: readonly AuditLine[];
  /** The app's own table. */
  readonly routes: readonly string[];
}

const commandOf = (key: Key): Command => ({
  namespace: "n",
  key,
  operation: { op: "increment", by: "1" },
  awaited: false,
  acceptedMs: 1,
});
const jobAbout = (key: Key): Job => ({
  id: JOBS[key],
  type: "delete",
  parameters: { namespace: "n", prefix: key },
  // So that it is cancelled at once.
  state: "cancelled",
  progress: {},
  createdAt: "2026-01-31T12:00:00.000Z",
  startedAt: null,
  finishedAt: "2026-01-31T12:00:00.000Z",
  runner: null,
  reason: null,
  basis: {},
});
const keyAt = (id: string) => KEYS.find((key) => IDS[key] === id);

export interface AccessLabOptions {
  readonly cors?: Cors | null;
  /** No tokens: everybody may do everything. */
  readonly anonymous?: boolean;
}

export function startAccessLab({ cors = null, anonymous = false }: AccessLabOptions = {}): AccessLab {
  const calls: string[] = [];
  const audits: AuditLine[] = [];
  const routes: string[] = [];

  /** Notes each call before it is answered. */
  const noting = <Given extends object>(name: string, given: Given): Given =>
    new Proxy(given, {
      get: (target, method, receiver) => {
        if (typeof method === "string") calls.push(`${name}.${method}`);
        return Reflect.get(target, method, receiver);
      },
    });
  const stored = { id: "10-1", contentType: "text/plain", value: Buffer.from("v") };
  const store: ReadableStore = {
    read: async () => ({ watermark: { id: "10-9", ordinal: 9 }, stored }),
    list: async () => ({ watermark: { id: "10-9", ordinal: 9 }, keys: [], reached: null }),
    outcome: async () => null,
    first: async () => null,
    watermark: async () => ({ id: "10-9", ordinal: 9 }),
    letters: async () => ({ letters: [], next: null, places: [] }),
    letter: async (_, id) => {
      const key = keyAt(id);
      if (!key) return "none";
      const header = encodeHeader(commandOf(key), "p", 1);
      const letter = { id, reason: "r", attempts: 1, lastReplay: null, lastReason: "r", header, bytes: 0 };
      return { letter, value: Buffer.alloc(0) };
    },
    letterCounts: async () => [],
    foresee: async () => [],
    usage: async () => ({ keys: 0, bytes: 0 }),
  };
  const position = { lastId: "10-9", ordinal: 9, floor: "1-0", held: 9, era: 0, fenced: false, reconciled: null };
  const tokens = new Map(Object.entries(CALLERS).map(([name, { scopes }]) => [name, principalOf(name, scopes)]));
  tokens.set("outdated", principalOf("outdated", [scope(["*"], "", ...ALL)], null, 1000));
  const authentication = new Authentication({
    tokens: () => tokens,
    jwt: null,
    digest: (token) => token,
    now: () => 1000,
  });
  const deps: AppDependencies = {
    partitions: 16,
    access: new Access({
      authentication: anonymous ? null : authentication,
      defaultLimit: null,
      limiter: null,
      admitsOrigin: (origin) => cors?.admits(origin) ?? false,
      audit: (line) => audits.push(line),
    }),
    cors,
    submit: async (partition) => {
      calls.push("submit");
      return { partition, id: "10-9", grade: "memory" };
    },
    admission: { admit: () => undefined },
    log: noting("log", {
      find: async (_: number, id: string) => {
        const key = keyAt(id);
        const header = key && `1 ${encodeHeader(commandOf(key), "p", 1)}`;
        return header ? ([id, ["v1", header, "b", ""].map((text) => Buffer.from(text))] as const) : null;
      },
      position: async () => position,
      confirmedPosition: async () => position,
      gives: () => "yes" as const,
      defaultGrade: "memory" as const,
    }),
    store: noting("store", store),
    replicas: noting("replicas", { read: store.read, list: store.list }),
    feed: noting("feed", { wait: async () => ({ passed: false }) as const }),
    watches: noting("watches", { open: async () => new ReadableStream<Uint8Array>() }),
    floors: { admit: () => true, floor: () => ({ id: "0-0", ordinal: 0 }) },
    repeats: new Repeats(store, () => false),
    losses: noting("losses", { find: async () => null, accept: async () => "not-lost" as const, list: async () => [] }),
    monitor: {
      report: async () => {
        calls.push("monitor.report");
        return Array.from({ length: 16 }, () => ({}) as never);
      },
      lastState: () => null,
    },
    settingsOf: () => ({ parking: "skip" }),
    quotas: { admit: () => undefined },
    namespaces: { known: new Map(), untilKnown: () => null },
    jobStreams: { open: () => new ReadableStream() },
    system: noting("system", {
      partition: 3,
      read: async (key: string) => {
        const about = KEYS.find((each) => key === jobKey(JOBS[each]));
        return about ? { key, id: "10-1", revision: "03-10-1", document: jobAbout(about) } : null;
      },
      page: async () => ({ documents: [], last: null }),
    }),
    lettersFull: () => false,
    requestIds: new RequestIds("p"),
    tracer: trace.getTracer("test"),
    now: () => 1,
    report: () => undefined,
    countProblem: () => undefined,
    counterOf: (route) => {
      routes.push(route);
      return () => undefined;
    },
    docsFiles: new DocsFiles(readPackageFile),
  };
  return { calls, audits, routes, app: createApp(deps) };
}
