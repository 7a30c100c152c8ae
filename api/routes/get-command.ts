/** `GET /v1/commands/{id}?wait=<s>`: what became of a command. */

import { z } from "zod";
import { decodeEntry, type Entry } from "../../core/codec.ts";
import type { Result } from "../../core/command.ts";
import {
  compareIds,
  type EntryId,
  formatRevision,
  ID_ZERO,
  parseRevision,
  type Revision,
} from "../../core/entry-id.ts";
import { WAIT_MAX_S } from "../../core/limits.ts";
import { traceIdOf } from "../../core/trace-context.ts";

import { type Caller, mayWithCommand } from "../caller.ts";

import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { type Handler, type Incoming, jsonAnswer } from "../exchange.ts";
import { stepResultSchema } from "../letter-schemas.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { commandParameters, revisionSchema, timeSchema } from "../openapi/parameters.ts";
import { Query, seconds } from "../query.ts";
import { splitTarget } from "../target.ts";
import { tellKeys } from "../transaction-answer.ts";
import { firstOf, tellResult } from "../written.ts";

export const COMMANDS_PREFIX = "/v1/commands/";

const commandSchema = z
  .strictObject({
    id: revisionSchema,
    status: z.enum(["queued", "applied", "rejected", "dead"]),
    result: z
      .strictObject({
        effect: z.string().optional().describe("What it did."),
        value: z.string().optional().describe("The counter's new value."),
        reason: z.string().optional().describe("Why it was rejected, or is dead."),
        by: revisionSchema
          .optional()
          .describe(
            "The newer write, the older letter, or the first command with its idempotency key, that it was rejected for.",
          ),
        at: z.string().optional().describe("The part of a transaction that was refused: `/if/0`, `/then/3`."),
        results: z.array(stepResultSchema).optional().describe("What became of each key of a transaction."),
      })
      .optional(),
    namespace: z.string().optional(),
    key: z.string().optional(),
    keys: z.array(z.string()).optional().describe("Of a transaction: those that it changes."),
    operation: z.string().optional(),
    repeats: revisionSchema
      .optional()
      .describe("The command that came first with its idempotency key, whose result is told."),
    replays: revisionSchema.optional().describe("The dead letter that it replays."),
    discards: revisionSchema.optional().describe("The dead letter that it discards."),
    acceptedAt: timeSchema.optional(),
    traceId: z.string().optional(),
  })
  .meta({ id: "Command" });

export const getCommandRoute = describeRoute({
  operationId: "getCommand",
  tag: "commands",
  method: "GET",
  path: "/v1/commands/{id}",
  summary: "What became of a command",
  parameters: commandParameters,
  query: new Query({
    wait: seconds(WAIT_MAX_S).describe(`Wait so many seconds for its result, ${WAIT_MAX_S} at most.`),
  }),
  answers: { 200: jsonDocument("The command, and its result once it has one.", commandSchema) },
  problems: ["invalid-revision", "command-not-found", "command-trimmed", "log-unavailable", "store-unavailable"],
});

export function getCommand(deps: AppDependencies): Handler {
  return async (incoming, caller) => {
    const { path, query } = splitTarget(incoming.target);
    const { wait } = getCommandRoute.query.read(query);
    const text = path.slice(COMMANDS_PREFIX.length);
    const revision = parseRevision(text, deps.partitions);
    if (revision === null) throw new ProblemError("invalid-revision");
    const entry = await findEntry(deps, revision, caller);
    const result = await resultOf(deps, revision, wait, incoming);
    const { partition } = revision;
    const first = firstOf(result ?? undefined);
    // It did nothing: its client wants to know what the first one did.
    const told = first === undefined ? result : await outcomeOf(deps, partition, first);
    return jsonAnswer({
      id: text,
      ...(first !== undefined && { repeats: formatRevision(partition, first) }),
      ...statusOf(partition, told, entry),
      ...describe(partition, entry),
    });
  };
}

/** An entry of which the caller must know nothing is looked for to the end, and answered, as one that is not there. */
async function findEntry(deps: AppDependencies, { partition, id }: Revision, caller: Caller): Promise<Entry> {
  const raw = await deps.log.find(partition, id);
  const entry = raw && decodeEntry(raw[0], raw[1]);
  if (entry && mayWithCommand(caller, "any", entry.kind === "command" ? entry.command : null)) return entry;
  const { floor } = await deps.log.position(partition);
  throw new ProblemError(id !== ID_ZERO && compareIds(id, floor) <= 0 ? "command-trimmed" : "command-not-found");
}

/** @returns null while it is queued */
async function resultOf(
  deps: AppDependencies,
  { partition, id }: Revision,
  waitS: number,
  incoming: Incoming,
): Promise<Result | null> {
  const { id: watermark } = await deps.store.watermark(partition);
  if (compareIds(id, watermark) > 0) {
    if (waitS === 0) return null;
    const passed = await deps.feed.wait(partition, id, waitS * 1000, incoming.gone);
    if (!passed.passed) return null;
    if (passed.result) return passed.result;
  }
  return outcomeOf(deps, partition, id);
}

/** Of a command that was applied. */
async function outcomeOf(deps: AppDependencies, partition: number, id: EntryId): Promise<Result> {
  return (await deps.store.outcome(partition, id)) ?? { outcome: "applied" };
}

function statusOf(partition: number, result: Result | null, entry: Entry): Record<string, unknown> {
  if (result === null) return { status: "queued" };
  const command = entry.kind === "command" ? entry.command : null;
  const { outcome, ...rest } = tellResult(partition, result, command);
  return Object.keys(rest).length > 0 ? { status: outcome, result: rest } : { status: outcome };
}

function describe(partition: number, entry: Entry): Record<string, unknown> {
  if (entry.kind !== "command") return {};
  const { namespace, operation, acceptedMs, traceparent, replays } = entry.command;
  return {
    namespace,
    ...tellKeys(entry.command),
    operation: operation.op,
    ...(replays && { replays: formatRevision(partition, replays.letter) }),
    ...(operation.op === "discard" && { discards: formatRevision(partition, operation.letter) }),
    acceptedAt: new Date(acceptedMs).toISOString(),
    traceId: traceIdOf(traceparent),
  };
}
