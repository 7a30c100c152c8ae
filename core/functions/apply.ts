/**
 * Typed wrapper of the store's function apply. See apply.lua for what it guarantees.
 */
import { bodyOf, type Entry, encodeCondition, encodeExpiry, expiryOf } from "../codec.ts";
import type { Command, Effect, Operation, RejectReason, Result } from "../command.ts";
import { type EntryId, ID_ZERO, idTimeMs } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import { ACCEPT_LEAD_MAX_MS } from "../limits.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";

/** How far a partition's store is: the last command applied, and how many the log counts up to it. */
export interface Watermark {
  readonly id: EntryId;
  readonly ordinal: number;
}

export const WATERMARK_ZERO: Watermark = { id: ID_ZERO, ordinal: 0 };

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

/**
 * As apply.lua reads it: id, ordinal, operation, producer, sequence, argument, condition, awaited, index, key, header,
 * length, time; and where they say something parking, dead letter, forced, expiry, metadata, idempotency key, fingerprint.
 */
type CommandTuple = [
  ...[EntryId, number, string, string, number, string, string, 0 | 1, number, string, string, number, number],
  ...(string | number)[],
];

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
    const { command, stamp } = entry;
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
      valueKeys.push(keys.value(namespace, command.key));
    }
    const body = bodyOf(command);
    bodies.push(body);
    const tuple: CommandTuple = [
      entry.id,
      entry.ordinal,
      operation.op,
      stamp.producer,
      stamp.sequence,
      argumentOf(operation),
      command.condition ? encodeCondition(command.condition) : "",
      command.awaited ? 1 : 0,
      index,
      command.key,
      entry.header,
      body.length,
      // An api whose clock is ahead must not let keys expire.
      Math.min(command.acceptedMs, idTimeMs(entry.id) + ACCEPT_LEAD_MAX_MS),
    ];
    pushRest(tuple, command);
    commands.push(tuple);
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

/** What only some commands say: nothing at all for most. */
function pushRest(tuple: CommandTuple, { operation, replays, parking, idempotency }: Command): void {
  const expiry = expiryOf(operation);
  const metadata = operation.op === "put" ? operation.metadata : undefined;
  const settles = operation.op === "discard" ? operation.letter : replays?.letter;
  const more = expiry !== undefined || metadata !== undefined || idempotency !== undefined;
  if (settles !== undefined) tuple.push("", settles, replays?.force ? 1 : 0);
  else if (more) tuple.push(parking === "block" ? parking : "", "", 0);
  else if (parking === "block") tuple.push(parking);
  if (more) tuple.push(expiry ? encodeExpiry(expiry) : "", metadata ?? "");
  if (idempotency) tuple.push(idempotency.key, idempotency.fingerprint);
}

/** Everything that a partition knows of its dead letters, as the functions take it. */
export function letterKeys(keys: PartitionKeys): readonly string[] {
  return [keys.dead, keys.letters, keys.letterOrder, keys.letterTracks];
}

/** What an operation carries beside its value: a put its content type, an increment its step. */
export function argumentOf(operation: Operation): string {
  switch (operation.op) {
    case "put":
      return operation.contentType;
    case "increment":
      return operation.by;
    case "delete":
    case "patch":
    case "expire":
    case "discard":
      return "";
  }
}

export function parseApplyReply(reply: unknown): ApplyReply {
  const [verdict, record, ...rest] = (reply as unknown[]).map(String);
  const watermark = parseWatermark(record ?? "");
  switch (verdict) {
    case "OK": {
      const [rejected = 0, dead = 0, repeated = 0, jumped = 0] = rest.map(Number);
      return { kind: "applied", watermark, rejected, dead, repeated, jumped };
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

/** A result as apply writes it: `<outcome> <effect or reason> [<value, or id of what stands in the way>]`. */
export function parseResult(text: string): Result {
  const [outcome, second, value] = text.split(" ");
  switch (outcome) {
    case "applied":
      return value === undefined
        ? { outcome: "applied", effect: second as Effect }
        : { outcome: "applied", effect: second as Effect, value };
    case "rejected": {
      const reason = second as RejectReason;
      return value === undefined ? { outcome: "rejected", reason } : { outcome: "rejected", reason, by: value };
    }
    case "dead":
      return { outcome: "dead", reason: text.slice("dead ".length) };
    default:
      throw new Error("a result is not ours");
  }
}
