/**
 * What the commands of the log have changed: the log up to the watermark, joined with the outcomes that are not plain
 * success. Pure.
 */
import type { Entry } from "../../core/codec.ts";
import type { Command, Effect, Operation, Result } from "../../core/command.ts";
import type { EntryId } from "../../core/entry-id.ts";

/** What became of the key. */
export type ChangeEvent = "put" | "delete" | "expire";

/** One key that one command has changed. */
export interface Change {
  /** Of the command, and with it the key's revision. */
  readonly id: EntryId;
  /** Which of the changes of its command it is, from 1. */
  readonly place: number;
  /** Its command has changed no further key. */
  readonly last: boolean;
  readonly namespace: string;
  readonly key: string;
  readonly event: ChangeEvent;
  readonly operation: Operation["op"];
  /** Of a put. */
  readonly contentType?: string;
  /** The dead letter whose command it was. */
  readonly replays?: EntryId;
}

/** @param result null: nothing is noted of the command, it was plain success */
export function changesOf(entry: Entry, result: Result | null): Change[] {
  if (entry.kind !== "command" || !hadEffect(result)) return [];
  const { id, command } = entry;
  const { namespace, replays } = command;
  const changed = changedBy(command, result);
  return changed.map(({ key, operation, event }, index) => ({
    id,
    place: index + 1,
    last: index === changed.length - 1,
    namespace,
    key,
    event,
    operation: operation.op,
    ...(operation.op === "put" && { contentType: operation.contentType }),
    ...(replays && { replays: replays.letter }),
  }));
}

interface Changed {
  readonly key: string;
  readonly operation: Operation;
  readonly event: ChangeEvent;
}

/** The keys that an applied command has changed: of a transaction those of its steps that had an effect. */
function changedBy({ key, operation }: Command, result: Result | null): Changed[] {
  const results = result?.outcome === "applied" ? result.steps : undefined;
  const steps = operation.op === "txn" ? operation.steps : [{ key, operation }];
  return steps.flatMap((step, index) => {
    const event = eventOf(step.operation);
    const effect = results?.[index]?.effect;
    return event === null || (effect !== undefined && !changesKey(effect)) ? [] : [{ ...step, event }];
  });
}

function hadEffect(result: Result | null): boolean {
  if (result === null) return true;
  return result.outcome === "applied" && (result.effect === undefined || changesKey(result.effect));
}

function changesKey(effect: Effect): boolean {
  switch (effect) {
    case "created":
    case "replaced":
    case "deleted":
    case "counted":
    case "expired":
    case "committed":
      return true;
    case "absent":
    case "discarded":
    case "repeated":
    case "duplicate":
      return false;
  }
}

function eventOf({ op }: Operation): ChangeEvent | null {
  switch (op) {
    case "put":
    case "increment":
    case "patch":
      return "put";
    case "delete":
      return "delete";
    case "expire":
      return "expire";
    case "discard":
    case "txn":
      return null;
  }
}
