/**
 * Is a history of one register linearizable? Wing and Gong's search (1993) with Lowe's memory of what was tried (2017),
 * as in porcupine: an operation may be put next when no other one that is left had ended before it began; a state that
 * was reached with the same operations behind it is not tried again.
 *
 * The search is complete: the order in which candidates are tried (by revision, where one is known) only makes it quick.
 * It gives up after a number of steps and says so.
 */

/** The register: its revision and value, or absent. */
export interface Register {
  readonly revision: string;
  readonly value: string;
}

/** An operation as its client saw it. `result` undefined: it may take effect, be rejected, or never come. */
export interface RegisterOperation {
  readonly id: number;
  readonly startMs: number;
  /** Infinity: it may take effect at any time. */
  readonly endMs: number;
  readonly action:
    | { readonly kind: "put"; readonly value: string }
    | { readonly kind: "delete" }
    | { readonly kind: "increment"; readonly by: string }
    | { readonly kind: "get" };
  /** The write's own revision, where it is known. */
  readonly revision?: string;
  readonly condition?: { readonly kind: "match" | "none-match"; readonly revision: string };
  readonly result?: RegisterResult;
}

export type RegisterResult =
  /** A write took effect. `created`: whether the key was absent before, where it was told. `total`: of an increment. */
  | { readonly kind: "applied"; readonly created?: boolean; readonly total?: string }
  /** A condition was not met, or the value was no counter: no effect. */
  | { readonly kind: "rejected"; readonly reason: "condition" | "type" }
  /** What a get saw: null where there was no value. */
  | { readonly kind: "read"; readonly register: Register | null };

export type Verdict = "linearizable" | "violation" | "undecided";

export const STEPS_MAX = 500_000;

/** Begins the name of a revision that no client was told. */
const UNKNOWN = "?";
const INTEGER = /^(?:0|-?[1-9]\d*)$/;

export function checkRegister(history: readonly RegisterOperation[], stepsMax = STEPS_MAX): Verdict {
  const operations = history.toSorted((a, b) => a.startMs - b.startMs);
  const done = new Uint8Array(operations.length);
  // What never ended need not be placed: the search is over when all that ended is.
  let left = operations.filter(({ endMs }) => endMs !== Number.POSITIVE_INFINITY).length;
  const tried = new Set<string>();
  let steps = 0;

  const search = (state: Register | null): Verdict => {
    if (left === 0) return "linearizable";
    const memory = `${String.fromCharCode(...packed(done))}${state === null ? "" : `${state.revision}\n${state.value}`}`;
    if (tried.has(memory)) return "violation";
    if (steps >= stepsMax) return "undecided";
    tried.add(memory);
    let verdict: Verdict = "violation";
    for (const index of candidates(operations, done)) {
      const operation = operations[index] as RegisterOperation;
      steps += 1;
      for (const next of outcomes(operation, state)) {
        done[index] = 1;
        if (operation.endMs !== Number.POSITIVE_INFINITY) left -= 1;
        const found = search(next);
        if (found === "linearizable") return found;
        if (found === "undecided") verdict = found;
        done[index] = 0;
        if (operation.endMs !== Number.POSITIVE_INFINITY) left += 1;
      }
      if (steps >= stepsMax) return "undecided";
    }
    return verdict;
  };
  return search(null);
}

/** Indexes of the operations that may come next. Those with a revision first, in its order: that is the log's. */
function candidates(operations: readonly RegisterOperation[], done: Uint8Array): number[] {
  let firstEndMs = Number.POSITIVE_INFINITY;
  const found: number[] = [];
  for (const [index, { startMs, endMs }] of operations.entries()) {
    if (startMs > firstEndMs) break;
    if (done[index] === 1) continue;
    found.push(index);
    firstEndMs = Math.min(firstEndMs, endMs);
  }
  const open = found.filter((index) => (operations[index] as RegisterOperation).startMs <= firstEndMs);
  return open.sort((a, b) => compare(operations[a] as RegisterOperation, operations[b] as RegisterOperation));
}

function compare(a: RegisterOperation, b: RegisterOperation): number {
  const [ofA, ofB] = [knownRevision(a), knownRevision(b)];
  if (ofA === undefined || ofB === undefined) return Number(ofA === undefined) - Number(ofB === undefined);
  const [msA = 0, seqA = 0] = ofA.split("-").map(Number);
  const [msB = 0, seqB = 0] = ofB.split("-").map(Number);
  return msA - msB || seqA - seqB || a.startMs - b.startMs;
}

function knownRevision({ revision, result }: RegisterOperation): string | undefined {
  return revision ?? (result?.kind === "read" ? result.register?.revision : undefined);
}

/** The states that an operation may leave behind, given what its client was told; none when it cannot be next. */
function outcomes(operation: RegisterOperation, state: Register | null): (Register | null)[] {
  const { action, condition, result } = operation;
  if (action.kind === "get") {
    if (result?.kind !== "read") return [state];
    // What is read may be the first that is known of a write's revision.
    return same(state, result.register) ? [result.register] : [];
  }
  if (result?.kind === "read") return [];
  const revision = operation.revision ?? `${UNKNOWN}${operation.id}`;
  return possibilities(condition, state).flatMap((met) => {
    const effect = met ? effectOf(action, state, revision) : "rejected";
    if (effect === "rejected") {
      const reason = met ? "type" : "condition";
      const fits = result === undefined || (result.kind === "rejected" && result.reason === reason);
      return fits ? [state] : [];
    }
    if (result?.kind === "rejected") return [];
    if (result?.created !== undefined && result.created !== (state === null)) return [];
    if (result?.total !== undefined && result.total !== effect.after?.value) return [];
    return [effect.after];
  });
}

function effectOf(
  action: Exclude<RegisterOperation["action"], { kind: "get" }>,
  state: Register | null,
  revision: string,
): { after: Register | null } | "rejected" {
  switch (action.kind) {
    case "put":
      return { after: { revision, value: action.value } };
    case "delete":
      return { after: null };
    case "increment": {
      const before = state?.value ?? "0";
      if (!INTEGER.test(before)) return "rejected";
      return { after: { revision, value: String(BigInt(before) + BigInt(action.by)) } };
    }
  }
}

/** Whether a condition is met; either, when it asks for a revision and that of the state is not known. */
function possibilities(condition: RegisterOperation["condition"], state: Register | null): boolean[] {
  if (condition === undefined) return [true];
  if (condition.revision !== "*" && state?.revision.startsWith(UNKNOWN)) return [true, false];
  const matches = state !== null && (condition.revision === "*" || condition.revision === state.revision);
  return [matches === (condition.kind === "match")];
}

function same(a: Register | null, b: Register | null): boolean {
  if (a === null || b === null) return a === b;
  return a.value === b.value && (a.revision === b.revision || a.revision.startsWith(UNKNOWN));
}

/** The set of what is done, 15 to a character. */
function packed(done: Uint8Array): number[] {
  const codes: number[] = [];
  for (let at = 0; at < done.length; at += 15) {
    let code = 0;
    for (let bit = 0; bit < 15; bit += 1) code = code * 2 + (done[at + bit] ?? 0);
    codes.push(code);
  }
  return codes;
}
