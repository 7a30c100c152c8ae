/** `GET /v1/commands/{id}?wait=<s>`: what became of a command. */
import { decodeEntry, type Entry } from "../../core/codec.ts";
import type { Result } from "../../core/command.ts";
import { compareIds, parseRevision, type Revision } from "../../core/entry-id.ts";
import type { AppDependencies, Handler } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { onlyParameters } from "../key-path.ts";
import { parseWaitParameter } from "../preference.ts";

export const COMMANDS_PREFIX = "/v1/commands/";

export function getCommand(deps: AppDependencies): Handler {
  return async (request) => {
    const url = new URL(request.url);
    onlyParameters(url.searchParams, ["wait"]);
    const text = url.pathname.slice(COMMANDS_PREFIX.length);
    const revision = parseRevision(text, deps.partitions);
    if (revision === null) throw new ProblemError("invalid-revision");
    const waitS = parseWaitParameter(url.searchParams.get("wait"));
    if (waitS === null) throw new ProblemError("invalid-parameter", "wait takes a number of seconds.");

    const entry = await findEntry(deps, revision);
    const result = await resultOf(deps, revision, waitS);
    const document = { id: text, ...statusOf(result), ...describe(entry) };
    return new Response(`${JSON.stringify(document)}\n`, {
      headers: { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" },
    });
  };
}

async function findEntry(deps: AppDependencies, { partition, id }: Revision): Promise<Entry> {
  const raw = await deps.log.find(partition, id);
  if (raw !== null) return decodeEntry(raw[0], raw[1]);
  const { floor } = await deps.log.position(partition);
  throw new ProblemError(compareIds(id, floor) <= 0 ? "command-trimmed" : "command-not-found");
}

/** @returns null while it is queued */
async function resultOf(deps: AppDependencies, { partition, id }: Revision, waitS: number): Promise<Result | null> {
  const { id: watermark } = await deps.store.watermark(partition);
  if (compareIds(id, watermark) > 0) {
    const passed = waitS > 0 ? await deps.feed.wait(partition, id, waitS * 1000) : ({ passed: false } as const);
    if (!passed.passed) return null;
    if (passed.result) return passed.result;
  }
  return (await deps.store.outcome(partition, id)) ?? { outcome: "applied" };
}

function statusOf(result: Result | null): Record<string, unknown> {
  if (result === null) return { status: "queued" };
  const { outcome, ...rest } = result;
  return Object.keys(rest).length > 0 ? { status: outcome, result: rest } : { status: outcome };
}

function describe(entry: Entry): Record<string, unknown> {
  if (entry.kind !== "command") return {};
  const { namespace, key, operation, acceptedMs, traceparent } = entry.command;
  return {
    namespace,
    key,
    operation: operation.op,
    acceptedAt: new Date(acceptedMs).toISOString(),
    ...(traceparent !== undefined && { traceId: traceparent.split("-")[1] }),
  };
}
