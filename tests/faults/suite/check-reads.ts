/** What every read saw, by the log: a state that was there, and none that its reader knew to be over. Pure. */
import { compareIds } from "../../../core/entry-id.ts";
import { describe, type Entries } from "./check-fates.ts";
import type { Evidence } from "./evidence.ts";
import { claimOf, type Operation, readSucceeded } from "./history.ts";
import { checkRegister, type RegisterOperation, type RegisterResult } from "./linearizability.ts";
import type { PartitionModel, Version } from "./model.ts";
import type { Findings } from "./violations.ts";

/**
 * Each read brought a value under the revision that the log gives it, and its state reaches to what the reader asked for:
 * read-your-writes and monotonic reads, because sessions ask for all that they were told.
 */
export function checkReads(evidence: Evidence, models: readonly PartitionModel[], findings: Findings): void {
  const began = startsOf(evidence, models);
  for (const operation of evidence.operations) {
    const { answer } = operation;
    if (operation.kind !== "get" || operation.startMs < evidence.roundStartMs || answer.kind !== "answer") continue;
    if (![200, 404, 503].includes(answer.status)) findings.add("unexpected", describe(operation));
    if (!readSucceeded(operation)) continue;
    const name = `${operation.namespace}/${operation.key}`;
    if (evidence.foreign.has(name)) continue;
    // Nobody sees what is written only later.
    const versions = (models[operation.partition]?.versions.get(name) ?? []).filter(
      ({ id }) => (began.get(`${operation.partition} ${id}`) ?? 0) < operation.endMs,
    );
    const fault = answer.status === 404 ? absenceFault(operation, versions) : valueFault(operation, versions);
    if (fault !== null) findings.add(fault.kind, `${describe(operation)}: ${fault.what}`);
  }
}

/** When the write of each entry began, by partition and id. */
function startsOf({ operations }: Evidence, models: readonly PartitionModel[]): ReadonlyMap<string, number> {
  const startMs = new Map(operations.map((operation) => [operation.id, operation.startMs]));
  return new Map(
    models.flatMap(({ partition, steps }) =>
      steps.map(({ id, operation }) => [`${partition} ${id}`, startMs.get(operation ?? 0) ?? 0] as const),
    ),
  );
}

type Fault = { readonly kind: "phantom" | "wrong-read"; readonly what: string } | null;

function valueFault({ answer, least }: Operation, versions: readonly Version[]): Fault {
  if (answer.kind !== "answer") return null;
  const at = versions.findIndex(({ id }) => id === answer.revision);
  const version = versions[at];
  if (version?.body === undefined || version.body === null) {
    return { kind: "phantom", what: "the log gives this key no value under that revision" };
  }
  if (version.body.toString() !== answer.body) return { kind: "wrong-read", what: "not the value of that revision" };
  const next = versions[at + 1];
  if (least !== undefined && next && compareIds(next.id, least) <= 0) {
    return { kind: "wrong-read", what: `it asked for ${least}, and ${next.id} had come by then` };
  }
  return null;
}

/** Absent before the first version, and from each deletion to the next version. */
function absenceFault({ least }: Operation, versions: readonly Version[]): Fault {
  if (least === undefined) return null;
  const absent = [null, ...versions].some((version, at) => {
    const until = versions[at];
    return (version === null || version.body === null) && (until === undefined || compareIds(until.id, least) > 0);
  });
  return absent ? null : { kind: "wrong-read", what: `it asked for ${least}, and the key is never absent after that` };
}

export interface RegisterCount {
  keys: number;
  operations: number;
}

/** Every key with strong operations is a linearizable register. */
export function checkRegisters(evidence: Evidence, entries: Entries, findings: Findings): RegisterCount {
  const histories = new Map<string, RegisterOperation[]>();
  for (const operation of evidence.operations) {
    if (!operation.strong || operation.startMs < evidence.roundStartMs) continue;
    const seen = toRegister(operation, entries);
    if (seen === null) continue;
    const name = `${operation.namespace}/${operation.key}`;
    const history = histories.get(name);
    if (history) history.push(seen);
    else histories.set(name, [seen]);
  }
  const count: RegisterCount = { keys: histories.size, operations: 0 };
  for (const [name, history] of histories) {
    count.operations += history.length;
    const verdict = checkRegister(history);
    if (verdict === "violation") findings.add("not-linearizable", `${name}: ${history.length} operations`);
    if (verdict === "undecided") findings.add("undecided", `${name}: ${history.length} operations`);
  }
  return count;
}

/**
 * @returns null when it says nothing of the register: a read that failed, a write that certainly or, by the log, never
 * took effect
 */
export function toRegister(operation: Operation, entries: Entries): RegisterOperation | null {
  const { id, startMs, endMs, answer, condition } = operation;
  const over = { id, startMs, endMs };
  const open = { id, startMs, endMs: Number.POSITIVE_INFINITY };
  if (operation.kind === "get") {
    if (!readSucceeded(operation) || answer.kind !== "answer") return null;
    const register = answer.status === 404 ? null : { revision: answer.revision ?? "", value: answer.body };
    return { ...over, action: { kind: "get" }, result: { kind: "read", register } };
  }
  const shared = { action: actionOf(operation), ...(condition && { condition }) };
  switch (claimOf(operation)) {
    case "refused":
    case "unexpected":
      return null;
    case "unknown": {
      const revision = entries.get(id)?.find(({ repeated }) => !repeated)?.id;
      return revision === undefined ? null : { ...open, ...shared, revision };
    }
    case "accepted":
      return { ...open, ...shared, ...(answer.kind === "answer" && answer.revision && { revision: answer.revision }) };
    case "done": {
      if (answer.kind !== "answer" || answer.status === 422) return null;
      const revision = answer.revision ?? "";
      return { ...over, ...shared, revision, result: resultOf(operation, answer.status, answer.body) };
    }
  }
}

function resultOf({ kind }: Operation, status: number, body: string): RegisterResult {
  if (status === 412) return { kind: "rejected", reason: "condition" };
  if (status === 409) return { kind: "rejected", reason: "type" };
  if (kind === "put" && status !== 200) return { kind: "applied", created: status === 201 };
  if (kind === "increment" && !body.startsWith("{")) return { kind: "applied", total: body };
  return { kind: "applied" };
}

/** Transactions are never strong: they are of several registers. */
function actionOf({ kind, value = "", by = "0" }: Operation): RegisterOperation["action"] {
  if (kind === "put") return { kind, value };
  return kind === "increment" ? { kind, by } : { kind: "delete" };
}
