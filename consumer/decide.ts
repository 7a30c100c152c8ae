/**
 * What to do with what was read, and with what went wrong. Pure.
 */
import { decodeEntry } from "../core/codec.ts";
import { bytesIn, type Operation } from "../core/command.ts";
import { compareIds, type EntryId, idTimeMs } from "../core/entry-id.ts";
import { describeError, OperatingError } from "../core/errors.ts";
import type { ApplicableEntry, Watermark } from "../core/functions/apply.ts";
import { APPLY_BATCH_MAX_BYTES, APPLY_BATCH_MAX_COMMANDS, PATCH_WEIGHT_BYTES } from "../core/limits.ts";
import type { RawEntry } from "../core/log.ts";
import type { PartitionState } from "../core/partition-state.ts";

export type Decision =
  /** Apply these, in order; a malformed one among them is parked by the same call. `complete`: nothing was left out. */
  | { readonly kind: "apply"; readonly batches: readonly Batch[]; readonly complete: boolean }
  /** The first entry, at `id`, does not follow the watermark: it has another ordinal than the next. */
  | { readonly kind: "rewind"; readonly id: EntryId; readonly ordinal: number }
  /** The first entry was accepted later than anything may be applied: see apply-until.ts. */
  | { readonly kind: "stop" }
  /** Written by a newer version: leave it, and what follows, to a newer process. */
  | { readonly kind: "hold"; readonly version: string };

export interface Batch {
  readonly entries: readonly ApplicableEntry[];
  /** Where the store stands once the batch is applied. */
  readonly after: Watermark;
}

/**
 * @param entries as read, in log order; those at or behind the watermark have been applied already and are left out
 * @param untilMs what was accepted later, by the time in its id, is left in the log: since the epoch, or Infinity
 */
export function decide(
  entries: readonly RawEntry[],
  watermark: Watermark,
  untilMs = Number.POSITIVE_INFINITY,
): Decision {
  const batches: Batch[] = [];
  let batch: ApplicableEntry[] = [];
  let weight = 0;
  let bytes = 0;
  let after = watermark;
  const close = () => {
    if (batch.length > 0) batches.push({ entries: batch, after });
    batch = [];
    weight = 0;
    bytes = 0;
  };
  // Ids are looked into only where there is a time to stop at: this runs a hundred thousand times a second.
  const stops = untilMs !== Number.POSITIVE_INFINITY;
  let behind = true;
  for (const [id, fields] of entries) {
    if (behind && compareIds(id, watermark.id) <= 0) continue;
    behind = false;
    if (stops && idTimeMs(id) > untilMs) {
      close();
      return batches.length === 0 ? { kind: "stop" } : { kind: "apply", batches, complete: false };
    }
    const entry = decodeEntry(id, fields);
    if (entry.kind === "unsupported") {
      close();
      if (batches.length === 0) return { kind: "hold", version: entry.version };
      return { kind: "apply", batches, complete: false };
    }
    if (entry.ordinal !== 0 && entry.ordinal !== after.ordinal + 1) {
      close();
      if (batches.length === 0) return { kind: "rewind", id, ordinal: entry.ordinal };
      return { kind: "apply", batches, complete: false };
    }
    const [count, size] = [countOf(entry), sizeOf(entry)];
    if (weight + count > APPLY_BATCH_MAX_COMMANDS || bytes + size > APPLY_BATCH_MAX_BYTES) close();
    batch.push(entry);
    weight += count;
    bytes += size;
    after = { id, ordinal: entry.ordinal === 0 ? after.ordinal : entry.ordinal };
  }
  close();
  return { kind: "apply", batches, complete: true };
}

/** A transaction is as much work as its parts. */
function countOf(entry: ApplicableEntry): number {
  if (entry.kind === "malformed" || entry.command.operation.op !== "txn") return 1;
  const { conditions, steps } = entry.command.operation;
  return conditions.length + steps.length;
}

function sizeOf(entry: ApplicableEntry): number {
  if (entry.kind === "malformed") return entry.body.byteLength + entry.header.length;
  const { operation } = entry.command;
  if (operation.op !== "txn") return operation.op === "patch" ? PATCH_WEIGHT_BYTES : bytesIn(operation);
  return bytesIn(operation) + PATCH_WEIGHT_BYTES * operation.steps.filter((step) => isPatch(step.operation)).length;
}

const isPatch = ({ op }: Operation): boolean => op === "patch";

/** The state of a partition that an error has stopped for now. Every error holds; none skips anything. */
export function stateOfFault(error: unknown): PartitionState {
  if (error instanceof OperatingError && (error.code === "not-confirmed" || error.code === "not-settled")) {
    return { state: "unconfirmed", reason: error.message };
  }
  return { state: "held", reason: describeError(error) };
}

export function unsupported(version: string): OperatingError {
  return new OperatingError("unsupported-version", `the log holds a command of version ${version}`);
}
