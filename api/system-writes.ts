/**
 * Writes what Millrace itself keeps as keys, where the answer to the client is more than what became of that one command.
 */
import type { Accepted } from "../core/appender.ts";
import type { Condition, Operation, Result } from "../core/command.ts";
import { SYSTEM_NAMESPACE } from "../core/partition.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import type { Incoming } from "./exchange.ts";
import { JSON_TYPE } from "./media-type.ts";
import { submit, untilApplied } from "./write.ts";

/** @param path where clients find it */
export function systemTarget(deps: AppDependencies, key: string, path: string): CommandTarget {
  return { ...systemPlace(deps, key), path };
}

function systemPlace(deps: AppDependencies, key: string): Omit<CommandTarget, "path"> {
  return { namespace: SYSTEM_NAMESPACE, key, partition: deps.system.partition };
}

export function putDocument(document: unknown): Operation {
  return { op: "put", contentType: JSON_TYPE, value: new TextEncoder().encode(JSON.stringify(document)) };
}

/** What became of a document: told in many ways, unlike a write of a client (written.ts). */
export interface DocumentWritten {
  readonly accepted: Accepted;
  /** Null: it is accepted, and was not applied in time. */
  readonly result: Result | null;
}

/**
 * Waits for the result, whatever the client prefers.
 * @throws ProblemError, OperatingError when it was not accepted, or nobody knows
 */
export async function writeDocument(
  deps: AppDependencies,
  incoming: Incoming,
  key: string,
  document: unknown,
  condition: Condition,
): Promise<DocumentWritten> {
  const saying = { operation: putDocument(document), condition };
  const accepted = await submit(deps, incoming, systemPlace(deps, key), saying, true);
  const passed = await untilApplied(deps, accepted, RESULT_WAIT_MS, incoming);
  return { accepted, result: passed.passed ? (passed.result ?? { outcome: "applied" }) : null };
}

const RESULT_WAIT_MS = 5_000;
