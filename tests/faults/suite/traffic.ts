/**
 * The clients: what they do is decided by the seed, when they do it by the pace and by the answers.
 *
 * `hot`      a few keys that many change and read at once, always waiting: judged for linearizability. Keys change often, so
 *            that each key's history stays short.
 * `volume`   many keys, with and without conditions and waiting: judged by the log.
 * `writer`   many keys, never waiting: with `reader` it measures how long writes and reads stand still.
 * `session`  writes, and reads on any API with all that it was told: judged for read-your-writes.
 * `reader`   plain reads.
 * `banker`   moves money between accounts by transactions, some of which must be refused whole: judged by the log, and by what
 *            the accounts hold together.
 * `brief`    keys that expire soon: judged by the log, and never read, because readers go by their own clocks.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { compareIds, type EntryId } from "../../../core/entry-id.ts";
import { BANKS, COUNTERS } from "./evidence.ts";
import type { Deal, Operation } from "./history.ts";
import type { Random } from "./random.ts";
import type { Plan, Recorder } from "./recorder.ts";

export interface TrafficOptions {
  readonly recorder: Recorder;
  readonly random: Random;
  /** Part of the keys' names: each round has its own hot keys. */
  readonly round: number;
  /** Operations a second, over all clients. */
  readonly rate: number;
  /** Where the APIs are now. */
  readonly urls: () => readonly string[];
}

export interface Traffic {
  /** Begins nothing new, and resolves when all that was asked has its answer. */
  stop(): Promise<void>;
}

/** How many clients of each kind, and their pace against each other. */
const ROLES = {
  hot: { clients: 6, pace: 1 },
  volume: { clients: 4, pace: 1 },
  writer: { clients: 4, pace: 2 },
  session: { clients: 4, pace: 1 },
  reader: { clients: 4, pace: 2 },
  banker: { clients: 3, pace: 1 },
  brief: { clients: 2, pace: 1 },
} as const;
const SHARES = Object.values(ROLES).reduce((sum, { clients, pace }) => sum + clients * pace, 0);
const HOT_KEYS = 4;
const HOT_USES = 40;
const VOLUME_KEYS = 150;
const COUNTER_KEYS = 8;
const SESSION_KEYS = 5;
const PADDING_MAX = 200;
const BANK_COUNT = 8;
const ACCOUNT_COUNT = 3;
const BRIEF_KEYS = 40;

type Planner = (client: number, random: Random) => Plan;

interface Scene {
  readonly plan: Planner;
  readonly learn?: (client: number, operation: Operation) => void;
}

export function startTraffic(options: TrafficOptions): Traffic {
  const { recorder, random, rate, urls } = options;
  const scenes: Record<keyof typeof ROLES, Scene> = {
    hot: hotScene(options),
    volume: volumeScene(options),
    writer: {
      plan: (_, own) => {
        const place = { namespace: own.pick(["vol-a", "vol-b"]), key: `k${own.integer(0, VOLUME_KEYS - 1)}` };
        return { kind: "put", ...place, value: uniqueValue(recorder, own), waits: false, strong: false };
      },
    },
    session: sessionScene(options),
    banker: bankerScene(options),
    brief: {
      plan: (_, own) => {
        const place = { namespace: "brief", key: `k${own.integer(0, BRIEF_KEYS - 1)}` };
        const shared = { ...place, waits: own.chance(0.3), strong: false };
        if (own.chance(0.15)) return { kind: "delete", ...shared };
        const condition = own.chance(0.3) ? { condition: { kind: "none-match", revision: "*" } as const } : {};
        const value = uniqueValue(recorder, own);
        return { kind: "put", value, ...shared, ...condition, ...(own.chance(0.9) && { ttlS: own.integer(1, 3) }) };
      },
    },
    reader: { plan: (_, own) => plainRead(own.pick(["vol-a", "vol-b"]), `k${own.integer(0, VOLUME_KEYS - 1)}`) },
  };
  let stopping = false;
  const run = async (scene: Scene, client: number, pace: number): Promise<void> => {
    const everyMs = (SHARES * 1000) / rate / pace;
    const own = random.fork(`client ${client}`);
    let dueMs = performance.now() + own.next() * everyMs;
    while (!stopping) {
      const url = own.pick(urls());
      if (url !== undefined) {
        const operation = await recorder.perform(url, client, scene.plan(client, own));
        scene.learn?.(client, operation);
      }
      dueMs = Math.max(performance.now(), dueMs + everyMs * (0.5 + own.next()));
      await sleep(Math.max(1, dueMs - performance.now()));
    }
  };
  let next = 0;
  const all = Object.entries(ROLES).flatMap(([role, { clients, pace }]) =>
    Array.from({ length: clients }, () => {
      next += 1;
      return run(scenes[role as keyof typeof ROLES], next, pace);
    }),
  );
  return {
    stop: async () => {
      stopping = true;
      await Promise.all(all);
    },
  };
}

const revisionIn = ({ answer }: Operation): EntryId | undefined =>
  answer.kind === "answer" && answer.status < 300 ? answer.revision : undefined;

const plainRead = (namespace: string, key: string): Plan => ({
  kind: "get",
  namespace,
  key,
  waits: false,
  strong: false,
});

function hotScene({ recorder, round }: TrafficOptions): Scene {
  const uses = Array.from({ length: HOT_KEYS }, () => 0);
  /** The last revision that anybody saw of a key. */
  const seen = new Map<string, EntryId>();
  const keyOf = (slot: number): string => {
    uses[slot] = (uses[slot] ?? 0) + 1;
    return `r${round}-${slot}-${Math.floor((uses[slot] ?? 0) / HOT_USES)}`;
  };
  return {
    plan: (_, random) => {
      const slot = random.integer(0, HOT_KEYS - 1);
      const shared = { namespace: "hot", key: keyOf(slot), waits: true, strong: true };
      const counts = slot % 2 === 1;
      const dice = random.next();
      const value = uniqueValue(recorder, random);
      if (dice < 0.4) {
        const least = recorder.newest.get(recorder.partitionOf("hot", shared.key));
        return { kind: "get", ...shared, ...(least !== undefined && { least }) };
      }
      if (dice < 0.46) return { kind: "delete", ...shared };
      if (counts || dice < 0.49) return { kind: "increment", by: String(recorder.nextId), ...shared };
      if (dice < 0.56) return { kind: "put", value, condition: { kind: "none-match", revision: "*" }, ...shared };
      const revision = seen.get(shared.key);
      if (dice < 0.76 && revision) return { kind: "put", value, condition: { kind: "match", revision }, ...shared };
      return { kind: "put", value, ...shared };
    },
    learn: (_, operation) => {
      const revision = revisionIn(operation);
      if (revision !== undefined) seen.set(operation.key, revision);
    },
  };
}

function volumeScene({ recorder }: TrafficOptions): Scene {
  const mine = new Map<string, EntryId>();
  const nameOf = (client: number, namespace: string, key: string): string => `${client} ${namespace}/${key}`;
  return {
    plan: (client, random) => {
      const shared = { waits: random.chance(0.25), strong: false };
      if (random.chance(0.3)) {
        const key = `c${random.integer(0, COUNTER_KEYS - 1)}`;
        return { kind: "increment", namespace: COUNTERS, key, by: String(recorder.nextId), ...shared };
      }
      const place = { namespace: random.pick(["vol-a", "vol-b"]), key: `k${random.integer(0, VOLUME_KEYS - 1)}` };
      if (random.chance(0.12)) return { kind: "delete", ...place, ...shared };
      const value = uniqueValue(recorder, random);
      const revision = mine.get(nameOf(client, place.namespace, place.key));
      if (revision === undefined || random.chance(0.5)) return { kind: "put", value, ...place, ...shared };
      return { kind: "put", value, condition: { kind: "match", revision }, ...place, ...shared };
    },
    learn: (client, operation) => {
      const revision = revisionIn(operation);
      if (revision !== undefined) mine.set(nameOf(client, operation.namespace, operation.key), revision);
    },
  };
}

function bankerScene({ recorder }: TrafficOptions): Scene {
  /** The last revision that anybody was told of a transaction of a bank that moved from this account. */
  const seen = new Map<string, EntryId>();
  return {
    plan: (_, random) => {
      const bank = `{bank-${random.integer(0, BANK_COUNT - 1)}}`;
      const first = random.integer(0, ACCOUNT_COUNT - 1);
      const [from, to] = [first, (first + 1) % ACCOUNT_COUNT].map((account) => `${bank}/account-${account}`);
      if (from === undefined || to === undefined) throw new Error("a bank has accounts");
      const by = random.integer(1, 1_000);
      const note = `${bank}/note`;
      const operations: Deal["operations"][number][] = [
        { op: "increment", key: from, by: String(-by) },
        { op: "increment", key: to, by: String(by) },
      ];
      const dice = random.next();
      if (dice < 0.3) operations.push({ op: "put", key: note, value: uniqueValue(recorder, random) });
      // A note is no number: all of it is refused, in whatever place that comes to light.
      else if (dice < 0.5) operations.splice(random.integer(0, 2), 0, { op: "increment", key: note, by: "1" });
      const revision = seen.get(from);
      const guard: Deal["conditions"] =
        revision !== undefined && random.chance(0.4)
          ? [{ key: from, revision }]
          : random.chance(0.2)
            ? [{ key: note, exists: true }]
            : [];
      const deal = { conditions: guard, operations };
      return { kind: "txn", namespace: BANKS, key: from, deal, waits: random.chance(0.5), strong: false };
    },
    learn: (_, operation) => {
      const revision = revisionIn(operation);
      if (revision !== undefined) seen.set(operation.key, revision);
    },
  };
}

/** A session knows the newest revision it was told, by partition, and asks for that much in every read. */
function sessionScene({ recorder, round }: TrafficOptions): Scene {
  const known = new Map<string, EntryId>();
  const last = new Map<number, string>();
  const shared = { namespace: "session", strong: false };
  return {
    plan: (client, random) => {
      const written = last.get(client);
      if (written === undefined || random.chance(0.4)) {
        const key = `r${round}-${client}-${random.integer(0, SESSION_KEYS - 1)}`;
        last.set(client, key);
        const write = { key, waits: random.chance(0.3), ...shared };
        return random.chance(0.15)
          ? { kind: "delete", ...write }
          : { kind: "put", value: uniqueValue(recorder, random), ...write };
      }
      const anyone = `r${round}-${random.pick([...last.keys()])}-${random.integer(0, SESSION_KEYS - 1)}`;
      const key = random.chance(0.7) ? written : anyone;
      const least = known.get(`${client} ${recorder.partitionOf(shared.namespace, key)}`);
      return { kind: "get", key, waits: false, ...shared, ...(least !== undefined && { least }) };
    },
    learn: (client, { partition, answer }) => {
      if (answer.kind !== "answer" || answer.revision === undefined) return;
      const before = known.get(`${client} ${partition}`);
      if (before === undefined || compareIds(answer.revision, before) > 0) {
        known.set(`${client} ${partition}`, answer.revision);
      }
    },
  };
}

/** Unique, and of any length: the operation's number and some more. */
function uniqueValue(recorder: Recorder, random: Random): string {
  return `v${recorder.nextId}${".".repeat(random.integer(0, PADDING_MAX))}`;
}
