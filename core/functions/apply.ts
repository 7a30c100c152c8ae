/**
 * Typed wrapper of the store's function apply. See apply.lua for what it guarantees.
 */
import { bodyOf, type Entry } from "../codec.ts";
import type { Effect, RejectReason, Result, StepResult } from "../command.ts";
import { type EntryId, ID_ZERO } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import { keysOf } from "../transaction.ts";
import { type CommandTuple, tupleOf } from "./command-tuple.ts";
import type { Library } from "./library.ts";

/** How far a partition's store is: the last command applied, and how many the log counts up to it. */
export interface Watermark {
  readonly id: EntryId;
  readonly ordinal: number;
}

export const WATERMARK_ZERO: Watermark = { id: ID_ZERO, ordinal: 0 };

/** A command that did not do what it was to, and why. */
export interface EndedCommand {
  readonly id: EntryId;
  readonly result: Result;
}

/** What apply answered. Everything but `applied` changed nothing. */
export type ApplyReply =
  | {
      readonly kind: "applied";
      readonly watermark: Watermark;
      readonly rejected: number;
      readonly dead: number;
      /** Commands whose producer sequence was applied before: no effect. */
      readonly repeated: number;
      /** Commands that a producer counted and the log never held: lost writes. */
      readonly jumped: number;
      /** The first of those that were rejected and of those that are dead, in order: at most ENDED_TOLD_MAX of each. */
      readonly ended: readonly EndedCommand[];
    }
  | { readonly kind: "mismatch"; readonly watermark: Watermark }
  | { readonly kind: "gap" | "regressed"; readonly watermark: Watermark; readonly at: EntryId };

/** What is broadcast after each batch. */
export interface AppliedMessage {
  readonly watermark: Watermark;
  /** Results of the commands in the batch that somebody waits for. */
  readonly results: ReadonlyMap<EntryId, Result>;
  /** The watermark moved, or will, over commands that were not applied under their ids: no waiter may take it for that. */
  readonly jump: boolean;
}

/** An entry that apply can take: a command, or a malformed one, which it parks. */
export type ApplicableEntry = Exclude<Entry, { kind: "unsupported" }>;

export function applyCall(
  library: Library,
  keys: PartitionKeys,
  expected: Watermark,
  entries: readonly ApplicableEntry[],
): Call {
  const indexKeys: string[] = [];
  const indexNumbers = new Map<string, number>();
  const valueKeys: string[] = [];
  const commands: CommandTuple[] = [];
  const bodies: Buffer[] = [];
  for (const entry of entries) {
    if (entry.kind === "malformed") {
      const { id, ordinal, reason, header, body } = entry;
      valueKeys.push(keys.watermark);
      commands.push([id, ordinal, "park", "", 0, reason, "", 0, 0, "", header, body.length, 0]);
      bodies.push(body);
      continue;
    }
    const { command } = entry;
    const { operation, namespace } = command;
    let index = indexNumbers.get(namespace);
    if (operation.op === "discard") {
      // It may be of a letter that names no key, and changes none.
      index = 0;
      valueKeys.push(keys.watermark);
    } else {
      if (index === undefined) {
        index = indexKeys.push(keys.index(namespace));
        indexNumbers.set(namespace, index);
      }
      if (operation.op === "txn") {
        for (const key of keysOf(command)) valueKeys.push(keys.value(namespace, key));
      } else valueKeys.push(keys.value(namespace, command.key));
    }
    const body = bodyOf(command);
    bodies.push(body);
    commands.push(tupleOf(entry, index, body.length));
  }
  const ownKeys = [
    ...[keys.watermark, keys.producers, keys.outcomes, ...letterKeys(keys)],
    ...[keys.expiries, keys.idempotency, keys.usage],
  ];
  return {
    name: "FCALL",
    args: [
      library.call("apply"),
      ownKeys.length + indexKeys.length + valueKeys.length,
      ...ownKeys,
      ...indexKeys,
      ...valueKeys,
      formatWatermark(expected),
      keys.applied,
      indexKeys.length,
      JSON.stringify(commands),
      Buffer.concat(bodies),
      JSON.stringify([...indexNumbers.keys()]),
    ],
  };
}

/** Everything that a partition knows of its dead letters, as the functions take it. */
export function letterKeys(keys: PartitionKeys): readonly string[] {
  return [keys.dead, keys.letters, keys.letterOrder, keys.letterTracks];
}

export function parseApplyReply(reply: unknown): ApplyReply {
  const [verdict, record, ...rest] = (reply as unknown[]).map(String);
  const watermark = parseWatermark(record ?? "");
  switch (verdict) {
    case "OK": {
      const [rejected = 0, dead = 0, repeated = 0, jumped = 0] = rest.slice(0, ENDED_FROM).map(Number);
      return {
        kind: "applied",
        watermark,
        rejected,
        dead,
        repeated,
        jumped,
        ended: parseEnded(rest.slice(ENDED_FROM)),
      };
    }
    case "MISMATCH":
      return { kind: "mismatch", watermark };
    case "GAP":
      return { kind: "gap", watermark, at: rest[0] ?? ID_ZERO };
    case "REGRESSED":
      return { kind: "regressed", watermark, at: rest[0] ?? ID_ZERO };
    default:
      throw new Error(`apply answered ${verdict}`);
  }
}

/** After the verdict and the watermark come so many counts. */
const ENDED_FROM = 4;

function parseEnded(pairs: readonly string[]): EndedCommand[] {
  const ended: EndedCommand[] = [];
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    ended.push({ id: pairs[at] ?? "", result: parseResult(pairs[at + 1] ?? "") });
  }
  return ended;
}

export function formatWatermark(watermark: Watermark): string {
  return `${watermark.id} ${watermark.ordinal}`;
}

/** @param record the stored record, or null where nothing has been applied yet */
export function parseWatermark(record: string | null): Watermark {
  if (record === null) return WATERMARK_ZERO;
  const match = /^(\d+-\d+) (\d+)$/.exec(record);
  if (match?.[1] === undefined) throw new Error("the watermark record is not ours");
  return { id: match[1], ordinal: Number(match[2]) };
}

/** @throws Error when the message is not ours */
export function parseAppliedMessage(message: string): AppliedMessage {
  const parsed = JSON.parse(message) as { watermark: string; results: Record<string, string>; jump?: true };
  return {
    watermark: parseWatermark(parsed.watermark),
    results: new Map(Object.entries(parsed.results).map(([id, result]) => [id, parseResult(result)])),
    jump: parsed.jump === true,
  };
}

/**
 * A result as apply writes it: `<outcome> <effect or reason> [<value, or id of what stands in the way, or /place>]`. The value
 * of a transaction is what became of each of its steps: `created,counted:42`.
 */
export function parseResult(text: string): Result {
  const [outcome, second, value] = text.split(" ");
  switch (outcome) {
    case "applied": {
      const effect = second as Effect;
      if (effect === "committed") return { outcome, effect, steps: parseSteps(value ?? "") };
      return value === undefined ? { outcome, effect } : { outcome, effect, value };
    }
    case "rejected": {
      const reason = second as RejectReason;
      if (value === undefined) return { outcome, reason };
      return value.startsWith("/") ? { outcome, reason, at: value } : { outcome, reason, by: value };
    }
    case "dead":
      return { outcome: "dead", reason: text.slice("dead ".length) };
    default:
      throw new Error("a result is not ours");
  }
}

function parseSteps(text: string): StepResult[] {
  if (text === "") return [];
  return text.split(",").map((step) => {
    const [effect, value] = step.split(":") as [Effect, string?];
    return value === undefined ? { effect } : { effect, value };
  });
}
