/** What became of every write, by the log: once, as told, in its clients' order. Pure. */
import { compareIds, type EntryId } from "../../../core/entry-id.ts";
import { ACCOUNT_PATTERN, COUNTERS, type Evidence } from "./evidence.ts";
import { claimOf, type Operation } from "./history.ts";
import type { PartitionModel, Step } from "./model.ts";
import type { Findings } from "./violations.ts";

export interface Fates {
  /** Writes that the clients were told are accepted or done. */
  acknowledged: number;
  /** Acknowledged at a grade that promises nothing, and lost. */
  lostUnpromised: number;
}

/** All entries of each operation, by its number. */
export type Entries = ReadonlyMap<number, readonly Step[]>;

export function entriesOf(models: readonly PartitionModel[]): Entries {
  const entries = new Map<number, Step[]>();
  for (const { steps } of models) {
    for (const step of steps) {
      if (step.operation === null) continue;
      const known = entries.get(step.operation);
      if (known) known.push(step);
      else entries.set(step.operation, [step]);
    }
  }
  return entries;
}

export function checkFates(evidence: Evidence, entries: Entries, findings: Findings): Fates {
  const fates: Fates = { acknowledged: 0, lostUnpromised: 0 };
  for (const operation of evidence.operations) {
    if (operation.kind === "get") continue;
    const steps = entries.get(operation.id) ?? [];
    const effective = steps.filter(({ repeated }) => !repeated);
    const about = `${describe(operation)}; in the log: ${steps.map(({ id, result }) => `${id} ${result}`).join(", ")}`;
    if (effective.length > 1) findings.add("doubled", about);
    switch (claimOf(operation)) {
      case "refused":
        if (steps.length > 0) findings.add("phantom", `refused, and in the log: ${about}`);
        break;
      case "unexpected":
        findings.add("unexpected", about);
        break;
      case "unknown":
        break;
      case "accepted":
      case "done": {
        fates.acknowledged += 1;
        const [only] = effective;
        if (only !== undefined) checkTold(operation, only, about, findings);
        else if (
          operation.answer.kind === "answer" &&
          evidence.heldGrades.has(operation.answer.grade ?? "replicated")
        ) {
          findings.add("lost", about);
        } else fates.lostUnpromised += 1;
      }
    }
    const status = evidence.statuses.get(operation.id);
    if (status !== undefined && effective[0] && !effective[0].result.startsWith(status)) {
      findings.add("wrong-result", `/v1/commands says ${status}: ${about}`);
    }
  }
  return fates;
}

function checkTold(operation: Operation, step: Step, about: string, findings: Findings): void {
  const { answer } = operation;
  if (answer.kind !== "answer") return;
  if (answer.revision !== step.id) findings.add("reordered", `not under the revision it was told: ${about}`);
  if (answer.status !== 202 && !expectedStatuses(step, answer.body).includes(answer.status)) {
    findings.add("wrong-result", about);
  }
}

/** The answers that fit what the log gives. 200 with a body of JSON: applied, and nothing more was known. */
function expectedStatuses({ result }: Step, body: string): number[] {
  const plain = body.startsWith("{") && !body.includes('"results"') ? [200] : [];
  const [outcome, effect, value] = result.split(" ");
  if (outcome === "dead") return [422];
  if (outcome === "rejected") return [effect === "condition-not-met" ? 412 : 409];
  switch (effect) {
    case "created":
      return [201, ...plain];
    case "committed":
      return resultsIn(body) === value ? [200] : plain;
    case "counted":
      return body === value ? [200] : plain;
    default:
      return [204, ...plain];
  }
}

/** What a transaction's client was told of each key, as the log's model says it. */
function resultsIn(body: string): string | undefined {
  if (!body.includes('"results"')) return undefined;
  const { results } = JSON.parse(body) as { results: { effect: string; value?: string }[] };
  return results.map(({ effect, value }) => (value === undefined ? effect : `${effect}:${value}`)).join(",");
}

/** The log counts without a break, and its order is the one its clients saw: what began after an answer comes after it. */
export function checkOrder(evidence: Evidence, models: readonly PartitionModel[], findings: Findings): void {
  for (const { partition, steps } of models) {
    let last = 0;
    for (const { id, ordinal } of steps) {
      if (ordinal !== 0 && ordinal !== last + 1) {
        findings.add("reordered", `partition ${partition}: after command ${last} comes ${ordinal} at ${id}`);
      }
      last = ordinal === 0 ? last : ordinal;
    }
    const told = evidence.operations.flatMap((operation) => {
      const { answer } = operation;
      const acknowledged = ["accepted", "done"].includes(claimOf(operation)) && operation.kind !== "get";
      if (operation.partition !== partition || !acknowledged || answer.kind !== "answer" || !answer.revision) return [];
      return [{ operation, id: answer.revision }];
    });
    checkRealTime(told, findings);
  }
}

function checkRealTime(told: readonly { operation: Operation; id: EntryId }[], findings: Findings): void {
  const byEnd = told.toSorted((a, b) => a.operation.endMs - b.operation.endMs);
  let ended = 0;
  let newest: (typeof told)[number] | undefined;
  for (const one of told.toSorted((a, b) => a.operation.startMs - b.operation.startMs)) {
    for (let next = byEnd[ended]; next && next.operation.endMs < one.operation.startMs; next = byEnd[ended]) {
      if (newest === undefined || compareIds(next.id, newest.id) > 0) newest = next;
      ended += 1;
    }
    if (newest && compareIds(one.id, newest.id) <= 0) {
      findings.add("reordered", `${describe(one.operation)} began after the answer to ${describe(newest.operation)}`);
    }
  }
}

/** A counter is the sum of the increments that clients were told of, and of the unknown ones that the log holds. */
export function checkCounters(evidence: Evidence, entries: Entries, findings: Findings): void {
  const sums = new Map<string, bigint>();
  for (const operation of evidence.operations) {
    if (operation.namespace !== COUNTERS || operation.kind !== "increment") continue;
    const claim = claimOf(operation);
    const counts = claim === "unknown" ? entries.has(operation.id) : claim === "accepted" || claim === "done";
    const sum = sums.get(operation.key) ?? 0n;
    sums.set(operation.key, counts ? sum + BigInt(operation.by ?? "0") : sum);
  }
  const master = evidence.stores.find(({ isMaster }) => isMaster);
  for (const [key, sum] of sums) {
    const partition = evidence.operations.find((one) => one.namespace === COUNTERS && one.key === key)?.partition ?? 0;
    const stored = master?.partitions[partition]?.values.get(`${COUNTERS}/${key}`)?.toString("latin1") ?? "\n0";
    const value = stored.slice(stored.indexOf("\n") + 1);
    if (value !== String(sum)) findings.add("miscounted", `${COUNTERS}/${key} is ${value}, its increments are ${sum}`);
  }
}

/** Whatever was moved between them, the accounts of a bank hold together what they held at first: nothing. */
export function checkBanks(evidence: Evidence, findings: Findings): void {
  for (const { node, partitions } of evidence.stores) {
    const sums = new Map<string, bigint>();
    for (const { values } of partitions) {
      for (const [name, stored] of values) {
        const bank = ACCOUNT_PATTERN.exec(name)?.[1];
        if (bank === undefined) continue;
        const text = stored.toString("latin1");
        sums.set(bank, (sums.get(bank) ?? 0n) + BigInt(text.slice(text.indexOf("\n") + 1)));
      }
    }
    for (const [bank, sum] of sums) {
      if (sum !== 0n) findings.add("miscounted", `${node}: the accounts of bank ${bank} hold ${sum} together`);
    }
  }
}

export function describe(operation: Operation): string {
  const { id, kind, namespace, key, answer } = operation;
  const told =
    answer.kind === "answer" ? `${answer.status} ${answer.problem ?? ""} ${answer.revision ?? ""}` : answer.kind;
  const time = `${operation.startMs.toFixed(1)}-${operation.endMs.toFixed(1)} ms`;
  return `#${id} ${kind} ${namespace}/${key} (partition ${operation.partition}, ${time}) told ${told}`;
}
