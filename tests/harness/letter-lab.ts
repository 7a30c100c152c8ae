/** One partition of a real store, for tests that hand it commands directly: what fails, is parked and settled there. */
import type { Command } from "../../core/command.ts";
import type { EntryId } from "../../core/entry-id.ts";
import { type ApplicableEntry, WATERMARK_ZERO } from "../../core/functions/apply.ts";
import type { PartitionKeys } from "../../core/keys.ts";
import { Store } from "../../core/store.ts";
import { openLink } from "./link.ts";
import { at, entries } from "./log-entries.ts";
import { startRedis } from "./redis-server.ts";
import { readStore, type StoreReader } from "./store-reader.ts";

const PARTITION = 1;

export interface LetterLab {
  readonly partition: number;
  readonly store: Store;
  readonly reader: StoreReader;
  readonly keys: PartitionKeys;
  /** What was applied so far. */
  readonly applied: readonly Partial<Command>[];
  /** Forgets everything. */
  reset(): Promise<void>;
  /** Applies commands after those so far: the first has the id 1000-1, the second 1000-2 ... */
  apply(...commands: Partial<Command>[]): Promise<void>;
  /** From now on every command on this key of namespace n fails. */
  poison(key: string): Promise<unknown>;
  /** Undoes that: the key does not exist then. */
  heal(key: string): Promise<unknown>;
  textOf(key: string): Promise<string | null>;
  outcome(ordinal: number): ReturnType<Store["outcome"]>;
  /** Ids of the stream of dead letters. */
  dead(): Promise<string[]>;
  /** What is kept of dead letters; {@link NO_LETTERS} when all are settled. */
  kept(): Promise<KeptLetters>;
  /** All that the store holds when it has applied these in batches of a size, from the beginning, the key poisoned. */
  afterBatches(all: readonly ApplicableEntry[], size: number, poisoned: string): Promise<unknown>;
}

export interface KeptLetters {
  readonly dead: readonly string[];
  readonly letters: Readonly<Record<string, string>>;
  /** How many there are in the order of letters, and of keys that letters stand before. */
  readonly order: number;
  readonly tracks: number;
}

export const NO_LETTERS: KeptLetters = { dead: [], letters: { "@bytes": "0" }, order: 0, tracks: 0 };

export async function startLetterLab(): Promise<LetterLab> {
  const redis = await startRedis({ kind: "store" });
  const store = new Store(await openLink(redis.url), 2);
  const reader = readStore(redis, 2);
  const keys = reader.keys(PARTITION);
  let applied: Partial<Command>[] = [];
  return {
    partition: PARTITION,
    store,
    reader,
    keys,
    get applied() {
      return applied;
    },
    reset: async () => {
      await reader.redis.flushall();
      applied = [];
    },
    apply: async (...commands) => {
      const from = applied.length === 0 ? WATERMARK_ZERO : at(applied.length);
      const reply = await store.apply(PARTITION, from, entries(commands, applied.length + 1));
      if (reply.kind !== "applied") throw new Error(`apply answered ${reply.kind}`);
      applied = [...applied, ...commands];
    },
    poison: (key) => reader.redis.set(keys.value("n", key), "rubbish"),
    heal: (key) => reader.redis.del(keys.value("n", key)),
    textOf: async (key) => {
      const { stored } = await store.read(PARTITION, "n", key);
      return stored && Buffer.from(stored.value).toString();
    },
    outcome: (ordinal) => store.outcome(PARTITION, `1000-${ordinal}`),
    dead: () => reader.dead(PARTITION),
    kept: async () => ({
      dead: await reader.dead(PARTITION),
      letters: await reader.redis.hgetall(keys.letters),
      order: await reader.redis.zcard(keys.letterOrder),
      tracks: await reader.redis.hlen(keys.letterTracks),
    }),
    afterBatches: async (all, size, poisoned) => {
      await reader.redis.flushall();
      await reader.redis.set(keys.value("n", poisoned), "rubbish");
      for (let i = 0; i < all.length; i += size) {
        await store.apply(PARTITION, i === 0 ? WATERMARK_ZERO : at(i), all.slice(i, i + size));
      }
      return reader.snapshot();
    },
  };
}

export const block = (command: Partial<Command>): Partial<Command> => ({ ...command, parking: "block" });
export const replay = (letter: EntryId, command: Partial<Command>, force = false): Partial<Command> => ({
  ...command,
  replays: { letter, force },
});
export const discard = (letter: EntryId): Partial<Command> => ({ operation: { op: "discard", letter } });
