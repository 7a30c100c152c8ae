/**
 * What all writes have in common: the command goes to the log, and the answer is 202, or the real result when the
 * client prefers to wait for it.
 */
import type { Command, Condition, Operation, Result } from "../core/command.ts";
import { formatRevision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { isHalted } from "../core/partition-state.ts";
import type { Accepted } from "./appender.ts";
import type { Passed } from "./applied-feed.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import { parseWritePrecondition } from "./precondition.ts";
import { parsePreference } from "./preference.ts";

/**
 * @param target the key written to; a halted partition takes nothing, because what it took could not be applied
 * @throws ProblemError, OperatingError; once the command is accepted, only for what became of it
 */
export async function write(
  deps: AppDependencies,
  incoming: Incoming,
  target: CommandTarget,
  operation: Operation,
): Promise<Answer> {
  const preference = parsePreference(incoming.header("prefer"));
  const { condition, impossible } = parseWritePrecondition(incoming, target.partition, deps.partitions);
  if (impossible) throw new ProblemError("precondition-failed", "That revision is not one of this key.");
  const state = deps.monitor.lastState(target.partition);
  if (state && isHalted(state)) throw new ProblemError("partition-halted", `Its state is ${state.state}.`);

  const accepted = await deps.submit(
    target.partition,
    commandOf(target, operation, condition, preference.waitS > 0, deps.now(), deps.traceparentOf(incoming)),
    deps.log.defaultGrade,
  );
  const revision = formatRevision(accepted.partition, accepted.id);
  const headers: Record<string, string> = {
    "Millrace-Revision": revision,
    "Millrace-Grade": accepted.grade,
    "X-Content-Type-Options": "nosniff",
  };
  if (preference.applied !== "") headers["Preference-Applied"] = preference.applied;
  if (preference.waitS > 0) {
    const passed = await untilApplied(deps, accepted, preference.waitS * 1000, incoming.gone);
    if (passed.passed) return resultAnswer(passed.result ?? null, revision, target, headers);
  }
  // Where the status is told (RFC 9110, 15.3.3); a body would say nothing more.
  headers.Location = `/v1/commands/${revision}`;
  return { status: 202, headers, body: null };
}

/** Waits for the result. What hinders the waiting is no failure of the write: it is in the log, and 202 says so. */
async function untilApplied(
  deps: AppDependencies,
  { partition, id }: Accepted,
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

function commandOf(
  { namespace, key }: CommandTarget,
  operation: Operation,
  condition: Condition | undefined,
  awaited: boolean,
  acceptedMs: number,
  traceparent: string | undefined,
): Command {
  return {
    namespace,
    key,
    operation,
    awaited,
    acceptedMs,
    ...(condition && { condition }),
    ...(traceparent !== undefined && { traceparent }),
  };
}

/** @param result null: plain success, of which nothing more is known (its broadcast was lost) */
function resultAnswer(
  result: Result | null,
  revision: string,
  target: CommandTarget,
  headers: Record<string, string>,
): Answer {
  if (result?.outcome === "rejected") {
    const slug = result.reason === "condition-not-met" ? "precondition-failed" : "type-conflict";
    throw new ProblemError(slug, rejections[result.reason], headers);
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

const rejections = {
  "condition-not-met": "The key was not at that revision when the command was applied.",
  "not-an-integer": "The stored value is not a 64-bit integer.",
  "increment-overflow": "The sum does not fit 64 bits.",
} as const;
