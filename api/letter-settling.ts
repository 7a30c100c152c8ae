/**
 * Replaying and discarding dead letters. Both are commands in the log, in the letter's own partition: the store alone
 * decides, when it applies them, whether the letter is still there and whether a replay has to yield.
 *
 * A replay keeps the condition of what it replays, because a compare-and-set that comes later than it should is the very
 * thing that its condition is there for; `force` is the operator's word against it, as against newer writes.
 */
import { type Command, type Result, valueIn } from "../core/command.ts";
import { commandOfLetter } from "../core/dead-letter.ts";
import { formatRevision, type Revision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { LETTERS_REPLAY_MAX_BYTES } from "../core/limits.ts";
import { findLetters, formatCursor, type Located, type Selection } from "./dead-letters.ts";
import type { AppDependencies } from "./dependencies.ts";
import { ProblemError, type ProblemSlug, problemOfCode } from "./errors.ts";
import { type Answer, type Incoming, jsonAnswer } from "./exchange.ts";
import { parsePreference } from "./preference.ts";
import { tellKeys } from "./transaction-answer.ts";
import { type Saying, submit, untilApplied } from "./write.ts";
import { tellResult } from "./written.ts";

/** What is done to letters: a command for each, or nothing where a letter is not one that can be replayed. */
export interface Settling {
  readonly kind: "replay" | "discard";
  readonly force: boolean;
}

interface Item {
  readonly id: string;
  readonly status: string;
  /** Of the command that settles it. */
  readonly revision?: string;
  readonly refusedBy?: ProblemSlug;
}

/** What a replay says. The trace is the original's: what happens to a command belongs to its trace. */
export function sayReplay(
  { letter, command }: { readonly letter: Located["letter"]; readonly command: Command },
  force: boolean,
): Saying {
  return {
    operation: command.operation,
    replays: { letter: letter.id, force },
    condition: command.condition,
    traceparent: command.traceparent,
    tracestate: command.tracestate,
  };
}

export function sayDiscard({ letter, command }: Pick<Located, "letter" | "command">): Saying {
  const { traceparent, tracestate } = command ?? {};
  return { operation: { op: "discard", letter: letter.id }, traceparent, tracestate };
}

/** Shows what settling these letters would come to now; nothing is done. */
export async function foreseeSettling(
  deps: AppDependencies,
  selection: Selection,
  settling: Settling,
): Promise<Answer> {
  const { letters, next } = await findLetters(deps, selection, Number.POSITIVE_INFINITY);
  const results = new Map<Located, Result>();
  if (settling.kind === "replay") {
    for (const partition of new Set(letters.map((located) => located.partition))) {
      const planned = letters.flatMap((located) =>
        located.partition === partition && located.command ? [{ located, command: located.command }] : [],
      );
      const foreseen = await deps.store.foresee(
        partition,
        planned.map(({ located, command }) => ({ letter: located.letter.id, command, force: settling.force })),
        deps.now(),
      );
      for (const [index, { located }] of planned.entries()) {
        const result = foreseen[index];
        if (result) results.set(located, result);
      }
    }
  }
  const items = letters.map((located): Item => {
    const result = results.get(located);
    if (settling.kind === "discard") return itemOf(located, "discard");
    if (!result) return itemOf(located, "not-replayable");
    return itemOf(located, would(result), reasonOf(located, result));
  });
  return jsonAnswer({ dryRun: true, ...summary(items, next) });
}

/** Settles letters; those that the log did not take are told, and the cursor goes on from the first of them. */
export async function settleLetters(
  deps: AppDependencies,
  incoming: Incoming,
  selection: Selection,
  settling: Settling,
): Promise<Answer> {
  const { waitS, applied } = parsePreference(incoming.header("prefer"));
  const deadlineMs = deps.now() + waitS * 1000;
  const maxBytes = settling.kind === "replay" ? LETTERS_REPLAY_MAX_BYTES : Number.POSITIVE_INFINITY;
  const { letters, next } = await findLetters(deps, selection, maxBytes);
  const said = await Promise.all(letters.map((located) => saying(deps, located, settling)));
  // Submitted in one go and in order, so that they are in the log in order.
  const items = await Promise.all(
    letters.map(async (located, index): Promise<Item> => {
      const what = said[index] ?? "gone";
      if (typeof what === "string") return itemOf(located, what);
      try {
        const { namespace = "", key = "" } = located.command ?? {};
        const target = { partition: located.partition, namespace, key };
        const accepted = await submit(deps, incoming, target, what, waitS > 0);
        const revision = formatRevision(accepted.partition, accepted.id);
        const passed =
          waitS === 0
            ? { passed: false as const }
            : await untilApplied(deps, accepted, Math.max(0, deadlineMs - deps.now()), incoming);
        if (!passed.passed) return itemOf(located, "queued", { revision });
        const result = passed.result ?? { outcome: "applied" };
        return itemOf(located, result.outcome, { revision, ...reasonOf(located, result) });
      } catch (error) {
        return itemOf(located, "refused", { refusedBy: slugOf(error) });
      }
    }),
  );
  const refused = items.findIndex(({ status }) => status === "refused");
  const slug = items[refused]?.refusedBy;
  if (slug !== undefined && items.every(({ revision }) => revision === undefined)) throw new ProblemError(slug);
  const goOn = refused < 0 ? next : (letters[refused - 1]?.place ?? selection.cursor ?? START);
  const answer = jsonAnswer(summary(items, goOn));
  if (applied !== "") answer.headers["Preference-Applied"] = applied;
  const settled = items.every(({ status }) => status !== "queued" && status !== "refused");
  return { ...answer, status: settled ? 200 : 202 };
}

const START: Revision = { partition: 0, id: "0-0" };

/** The command for a letter, or why there is none. */
async function saying(
  deps: AppDependencies,
  { partition, letter, command }: Located,
  { kind, force }: Settling,
): Promise<Saying | "not-replayable" | "gone"> {
  if (kind === "discard") return sayDiscard({ letter, command });
  if (command === null) return "not-replayable";
  if (valueIn(command.operation) === null) return sayReplay({ letter, command }, force);
  const found = await deps.store.letter(partition, letter.id);
  if (typeof found === "string") return "gone";
  const whole = commandOfLetter(letter, found.value);
  return whole === null ? "not-replayable" : sayReplay({ letter, command: whole }, force);
}

function itemOf({ partition, letter, command }: Located, status: string, more: Partial<Item> = {}): Item {
  const key = command && { namespace: command.namespace, ...tellKeys(command) };
  return { id: formatRevision(partition, letter.id), ...key, status, ...more };
}

function summary(items: readonly Item[], next: Revision | null): Record<string, unknown> {
  const counts: Record<string, number> = {};
  for (const { status } of items) counts[status] = (counts[status] ?? 0) + 1;
  return { matched: items.length, counts, letters: items, cursor: formatCursor(next), complete: next === null };
}

function reasonOf({ partition, command }: Located, result: Result): object {
  const { outcome: _, ...rest } = tellResult(partition, result, command);
  return rest;
}

/** What a dry run calls the result of a replay. */
function would(result: Result): string {
  if (result.outcome === "applied") return "apply";
  if (result.outcome === "dead") return "fail";
  switch (result.reason) {
    case "newer-write":
      return "yield";
    case "dead-letter-gone":
      return "gone";
    case "older-letter-first":
      return "wait";
    case "condition-not-met":
    case "not-an-integer":
    case "increment-overflow":
    case "not-json":
    case "too-large-to-patch":
    case "idempotency-mismatch":
      return "reject";
  }
}

function slugOf(error: unknown): ProblemSlug {
  if (error instanceof ProblemError) return error.slug;
  if (error instanceof OperatingError) return problemOfCode(error.code);
  throw error;
}
