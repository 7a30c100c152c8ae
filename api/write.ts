/**
 * What all writes have in common: the command goes to the log, and the answer is 202, or the real result when the
 * client prefers to wait for it.
 */

import type { Accepted } from "../core/appender.ts";
import { type Command, type Operation, type RejectReason, type Result, valueIn } from "../core/command.ts";
import { compareIds, formatRevision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { PATCHED_VALUE_MAX_BYTES } from "../core/limits.ts";
import { isHalted } from "../core/partition-state.ts";
import type { Passed } from "./applied-feed.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import { wantedGrade } from "./grade.ts";
import { parseWritePrecondition } from "./precondition.ts";
import { parsePreference } from "./preference.ts";

/** What a command says beside its key, and how it is carried. */
export type Saying = Omit<Command, "namespace" | "key" | "awaited" | "acceptedMs">;

/**
 * @param target the key written to
 * @throws ProblemError, OperatingError; once the command is accepted, only for what became of it
 */
export async function write(
  deps: AppDependencies,
  incoming: Incoming,
  target: CommandTarget,
  operation: Operation,
): Promise<Answer> {
  const { condition, impossible } = parseWritePrecondition(incoming, target.partition, deps.partitions);
  if (impossible) throw new ProblemError("precondition-failed", "That revision is not one of this key.");
  if (deps.lettersFull(target.partition)) {
    throw new ProblemError("dead-letters-full", "Some must be replayed or discarded first: see /v1/dead-letters.");
  }
  const unknown = deps.namespaces.untilKnown();
  if (unknown) await unknown;
  const traceparent = deps.traceparentOf(incoming);
  return accept(deps, incoming, target, {
    operation,
    parking: deps.settingsOf(target.namespace).parking,
    ...(condition && { condition }),
    ...(traceparent !== undefined && { traceparent }),
  });
}

/** @throws ProblemError: a halted partition takes nothing, because what it took could not be applied */
function refuseHalted(deps: AppDependencies, partition: number): void {
  const state = deps.monitor.lastState(partition);
  if (state && isHalted(state)) throw new ProblemError("partition-halted", `Its state is ${state.state}.`);
}

/** Puts a command in the log, where nothing forbids it. Throws as {@link write} does. */
export function submit(
  deps: AppDependencies,
  incoming: Incoming,
  { partition, namespace, key }: Omit<CommandTarget, "path">,
  saying: Saying,
  awaited: boolean,
): Promise<Accepted> {
  const { operation } = saying;
  refuseHalted(deps, partition);
  // A replay is of what was accepted before.
  if (!saying.replays) deps.quotas.admit(namespace, operation);
  deps.admission.admit(partition, valueIn(operation)?.byteLength ?? 0);
  const command = { ...saying, namespace, key, awaited, acceptedMs: deps.now() };
  return deps.submit(partition, command, wantedGrade(deps, incoming, namespace));
}

/** Puts a command in the log, and answers as the client prefers. Throws as {@link write} does. */
export async function accept(
  deps: AppDependencies,
  incoming: Incoming,
  target: CommandTarget,
  saying: Saying,
): Promise<Answer> {
  const preference = parsePreference(incoming.header("prefer"), deps.settingsOf(target.namespace).wait);
  const before = deps.floors.floor(target.partition).id;
  const accepted = await submit(deps, incoming, target, saying, preference.waitS > 0);
  const revision = formatRevision(accepted.partition, accepted.id);
  const headers: Record<string, string> = {
    "Millrace-Revision": revision,
    "Millrace-Grade": accepted.grade,
    "X-Content-Type-Options": "nosniff",
  };
  if (preference.applied !== "") headers["Preference-Applied"] = preference.applied;
  // An id that was passed before it was given: the log went back. The command is in it, and will be applied later, under
  // another id.
  if (preference.waitS > 0 && compareIds(accepted.id, before) > 0) {
    const passed = await untilApplied(deps, accepted, preference.waitS * 1000, incoming.gone);
    if (passed.passed) return resultAnswer(passed.result ?? null, revision, target, headers);
  }
  // Where the status is told (RFC 9110, 15.3.3); a body would say nothing more.
  headers.Location = `/v1/commands/${revision}`;
  return { status: 202, headers, body: null };
}

/** Waits for the result of an accepted command. What hinders the waiting is no failure of the write: it is in the log, and 202 says so. */
export async function untilApplied(
  deps: AppDependencies,
  { partition, id }: Pick<Accepted, "partition" | "id">,
  timeoutMs: number,
  gone: AbortSignal,
): Promise<Passed> {
  try {
    const passed = await deps.feed.wait(partition, id, timeoutMs, gone);
    if (!passed.passed || passed.result) return passed;
    // The broadcast was lost; the store keeps every outcome that is not plain success.
    const result = await deps.store.outcome(partition, id);
    return result ? { passed: true, result } : passed;
  } catch (error) {
    if (error instanceof OperatingError) return { passed: false };
    throw error;
  }
}

/** A result as it is told: an id in it as a revision. */
export function tellResult(partition: number, result: Result): Result {
  if (result.outcome !== "rejected" || result.by === undefined) return result;
  return { ...result, by: formatRevision(partition, result.by) };
}

/** @param result null: plain success, of which nothing more is known (its broadcast was lost) */
function resultAnswer(
  result: Result | null,
  revision: string,
  target: CommandTarget,
  headers: Record<string, string>,
): Answer {
  if (result?.outcome === "rejected") {
    const [slug, detail] = REJECTIONS[result.reason];
    const by = result.by === undefined ? "" : ` It is ${formatRevision(target.partition, result.by)}.`;
    throw new ProblemError(slug, detail + by, headers);
  }
  if (result?.outcome === "dead") {
    throw new ProblemError("command-dead", `See /v1/commands/${revision}.`, headers);
  }
  switch (result?.effect) {
    case "created":
      headers.Location = target.path;
      headers.ETag = `"${revision}"`;
      return { status: 201, headers, body: null };
    case "replaced":
      headers.ETag = `"${revision}"`;
      return { status: 204, headers, body: null };
    case "deleted":
    case "absent":
    case "expired":
    case "discarded":
      return { status: 204, headers, body: null };
    case "counted":
      headers.ETag = `"${revision}"`;
      headers["Content-Type"] = "text/plain";
      return { status: 200, headers, body: result.value ?? "" };
    default:
      headers["Content-Type"] = "application/json";
      return { status: 200, headers, body: `{"id":"${revision}","status":"applied"}\n` };
  }
}

const REJECTIONS: Readonly<Record<RejectReason, readonly [slug: ProblemSlug, detail: string]>> = {
  "condition-not-met": ["precondition-failed", "The key was not at that revision when the command was applied."],
  "not-an-integer": ["type-conflict", "The stored value is not a 64-bit integer."],
  "increment-overflow": ["type-conflict", "The sum does not fit 64 bits."],
  "not-json": ["type-conflict", "The stored value is not JSON that a patch could be merged into."],
  "too-large-to-patch": ["value-too-large", `A value that is patched has at most ${PATCHED_VALUE_MAX_BYTES} bytes.`],
  "idempotency-mismatch": ["idempotency-mismatch", "Another request came first with this Idempotency-Key."],
  "dead-letter-gone": ["dead-letter-gone", "It was replayed or discarded before."],
  "newer-write": ["newer-write", "A newer command of the key was applied since; ?force=true replays all the same."],
  "older-letter-first": ["older-letter-first", "An older dead letter of the blocked key must be settled first."],
};
