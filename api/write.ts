/**
 * What all writes have in common: the command goes to the log, and the answer is 202, or the real result when the
 * client prefers to wait for it.
 */
import type { Command, Condition, Operation, Result } from "../core/command.ts";
import { formatRevision } from "../core/entry-id.ts";
import { isHalted } from "../core/partition-state.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import { parseWritePrecondition } from "./precondition.ts";
import { parsePreference } from "./preference.ts";

/**
 * @param target the key written to; a halted partition takes nothing, because what it took could not be applied
 * @throws ProblemError, OperatingError
 */
export async function write(
  deps: AppDependencies,
  request: Request,
  target: CommandTarget,
  operation: Operation,
): Promise<Response> {
  const { headers } = request;
  const preference = parsePreference(headers.get("prefer"));
  const { condition, impossible } = parseWritePrecondition(headers, target.partition, deps.partitions);
  if (impossible) throw new ProblemError("precondition-failed", "That revision is not one of this key.");
  const state = deps.monitor.lastState(target.partition);
  if (state && isHalted(state)) throw new ProblemError("partition-halted", `Its state is ${state.state}.`);

  const accepted = await deps.submit(
    target.partition,
    commandOf(target, operation, condition, preference.waitS > 0, deps.now(), deps.traceparentOf(headers)),
  );
  const revision = formatRevision(accepted.partition, accepted.id);
  const common: Record<string, string> = {
    "Millrace-Revision": revision,
    "Millrace-Grade": accepted.grade,
    "X-Content-Type-Options": "nosniff",
  };
  if (preference.applied !== "") common["Preference-Applied"] = preference.applied;
  if (preference.waitS > 0) {
    const passed = await deps.feed.wait(accepted.partition, accepted.id, preference.waitS * 1000);
    if (passed.passed) {
      const result = passed.result ?? (await deps.store.outcome(accepted.partition, accepted.id));
      return resultResponse(result, revision, target, common);
    }
  }
  // Where the status is told (RFC 9110, 15.3.3); a body would say nothing more.
  common.Location = `/v1/commands/${revision}`;
  common["Content-Length"] = "0";
  return new Response(null, { status: 202, headers: common });
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
function resultResponse(
  result: Result | null,
  revision: string,
  target: CommandTarget,
  common: Record<string, string>,
): Response {
  if (result?.outcome === "rejected") {
    const slug = result.reason === "condition-not-met" ? "precondition-failed" : "type-conflict";
    throw new ProblemError(slug, rejections[result.reason], common);
  }
  if (result?.outcome === "dead") {
    throw new ProblemError("command-dead", `See /v1/commands/${revision}.`, common);
  }
  switch (result?.effect) {
    case "created":
      return new Response(null, { status: 201, headers: { ...common, Location: target.path, ETag: `"${revision}"` } });
    case "replaced":
      return new Response(null, { status: 204, headers: { ...common, ETag: `"${revision}"` } });
    case "deleted":
    case "absent":
      return new Response(null, { status: 204, headers: common });
    case "counted":
      return new Response(result.value ?? "", {
        status: 200,
        headers: { ...common, "Content-Type": "text/plain", ETag: `"${revision}"` },
      });
    default:
      return new Response(`{"id":"${revision}","status":"applied"}\n`, {
        status: 200,
        headers: { ...common, "Content-Type": "application/json" },
      });
  }
}

const rejections = {
  "condition-not-met": "The key was not at that revision when the command was applied.",
  "not-an-integer": "The stored value is not a 64-bit integer.",
  "increment-overflow": "The sum does not fit 64 bits.",
} as const;
