/**
 * Where writes are accepted, whatever they came in: a request of their own, or one among many of a batch.
 *
 * The way of one: {@link sayWrite} makes of it what its command says, or refuses it; {@link perform} puts the command in
 * the log, unless its idempotency key is known, and waits for its result where the client prefers that; written.ts tells
 * what it came to. Who has many calls the two halves of `perform` itself, so that their order stays.
 */
import type { Accepted } from "../core/appender.ts";
import { bytesIn, type Command, type Operation } from "../core/command.ts";
import { compareIds, type EntryId } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import type { Grade } from "../core/grade.ts";
import { type First, idempotencyOf } from "../core/idempotency.ts";
import { isHalted } from "../core/partition-state.ts";
import type { Passed } from "./applied-feed.ts";
import { endSent, startSending, waitTraced } from "./command-spans.ts";
import type { AppDependencies, CommandTarget } from "./dependencies.ts";
import { ProblemError } from "./errors.ts";
import type { Answer, Incoming } from "./exchange.ts";
import { askedGrade, gradeFor, wantedGrade } from "./grade.ts";
import { parseIdempotencyKey } from "./idempotency.ts";
import { parseWritePrecondition, refusePrecondition, type WritePrecondition } from "./precondition.ts";
import { type Preference, parsePreference } from "./preference.ts";
import { firstOf, type Written, writtenAnswer } from "./written.ts";

/** What a command says beside its key, and how it is carried. */
export type Saying = Omit<Command, "namespace" | "key" | "awaited" | "acceptedMs">;

/** The key written to. */
export type WriteTarget = Omit<CommandTarget, "path">;

/** What holds for all writes of one request. */
export interface Origin {
  readonly incoming: Pick<Incoming, "gone" | "header" | "span">;
  /** Whose idempotency keys these are. */
  readonly caller: string;
  /** The grade that the request names, and the one it gets. */
  readonly asked: Grade | null;
  readonly grade: Grade;
  readonly preference: Preference;
}

/** One write as its client gave it. */
export interface Write {
  readonly target: WriteTarget;
  readonly operation: Operation;
  readonly precondition: WritePrecondition;
  /** What makes its idempotency key, beside caller and key; null: it has none. */
  readonly idempotency: readonly (string | number)[] | null;
}

/** @throws ProblemError when the request asks for a grade that it cannot get */
export function originOf(deps: AppDependencies, incoming: Incoming, namespace: string, caller = "anonymous"): Origin {
  const asked = askedGrade(incoming);
  return {
    incoming,
    caller,
    asked,
    grade: gradeFor(deps, asked, namespace),
    preference: parsePreference(incoming.header("prefer"), deps.settingsOf(namespace).wait),
  };
}

/**
 * A request that is one write.
 * @throws ProblemError, OperatingError; once the command is accepted, only for what became of it
 */
export async function write(
  deps: AppDependencies,
  incoming: Incoming,
  target: CommandTarget,
  operation: Operation,
  caller?: string,
): Promise<Answer> {
  const precondition =
    operation.op === "txn"
      ? refusePrecondition(incoming)
      : parseWritePrecondition(incoming, target.partition, deps.partitions);
  const idempotencyKey = parseIdempotencyKey(incoming.header("idempotency-key"));
  const unknown = deps.namespaces.untilKnown();
  if (unknown) await unknown;
  const origin = originOf(deps, incoming, target.namespace, caller);
  const idempotency = idempotencyKey === null ? null : [idempotencyKey];
  const saying = sayWrite(deps, origin, { target, operation, precondition, idempotency });
  return answerOf(await perform(deps, origin, target, saying), target, saying, origin);
}

/** Puts any command in the log, and answers as the client prefers. Throws as {@link write} does. */
export async function accept(
  deps: AppDependencies,
  incoming: Incoming,
  target: CommandTarget,
  saying: Saying,
): Promise<Answer> {
  const origin = originOf(deps, incoming, target.namespace);
  return answerOf(await perform(deps, origin, target, saying), target, saying, origin);
}

function answerOf(written: Written, { path }: CommandTarget, { operation }: Saying, { preference }: Origin): Answer {
  return writtenAnswer(written, path, preference.applied, operation.op === "txn" ? operation : null);
}

/** What a client's write says. @throws ProblemError when it is not taken */
export function sayWrite(deps: AppDependencies, origin: Origin, write: Write): Saying {
  const { target, operation, precondition, idempotency } = write;
  const { condition, impossible } = precondition;
  if (impossible) throw new ProblemError("precondition-failed", "That revision is not one of this key.");
  if (deps.lettersFull(target.partition)) {
    throw new ProblemError("dead-letters-full", "Some must be replayed or discarded first: see /v1/dead-letters.");
  }
  const { parking } = deps.settingsOf(target.namespace);
  const saying: Saying = { operation, parking, condition };
  if (idempotency === null) return saying;
  const scope = [origin.caller, target.namespace, target.key, ...idempotency];
  return { ...saying, idempotency: idempotencyOf(scope, { ...saying, key: target.key }, origin.asked) };
}

/** Puts a command in the log and waits as the client prefers. Throws as {@link write} does. */
export function perform(deps: AppDependencies, origin: Origin, target: WriteTarget, saying: Saying): Promise<Written> {
  if (saying.idempotency === undefined) return carryOut(deps, origin, target, saying, null);
  return findFirst(deps, origin, target, saying).then((first) => carryOut(deps, origin, target, saying, first));
}

/**
 * The first half of {@link perform}: what the store knows of a command's idempotency key.
 * @throws ProblemError `idempotency-mismatch`
 */
export async function findFirst(
  deps: AppDependencies,
  origin: Origin,
  { partition }: WriteTarget,
  { idempotency }: Saying,
): Promise<First | null> {
  // What the store has may not be on the log's disk: a repeat in the log brings the first one with it.
  if (idempotency === undefined || origin.grade === "disk") return null;
  return deps.repeats.find(partition, idempotency);
}

/** The second half: what is called first is first in the log. Nothing is submitted where the first one is known. */
export async function carryOut(
  deps: AppDependencies,
  origin: Origin,
  target: WriteTarget,
  saying: Saying,
  first: First | null,
): Promise<Written> {
  const { partition } = target;
  const { grade, preference } = origin;
  const { idempotency } = saying;
  const awaited = preference.waitS > 0;
  if (first) {
    const passed = awaited ? await outcomeOf(deps, partition, first.id) : NOT_PASSED;
    return { partition, id: first.id, grade: null, repeated: true, passed };
  }
  const flight = idempotency && deps.repeats.onTheWay(idempotency);
  if (flight) return { ...(await follow(deps, origin, await flight.accepted, flight.before)), repeated: true };
  const before = deps.floors.floor(partition).id;
  if (!idempotency)
    return follow(deps, origin, await enter(deps, origin.incoming, grade, target, saying, awaited), before);
  deps.repeats.demandRoom(partition);
  const accepted = enter(deps, origin.incoming, grade, target, saying, awaited);
  const land = deps.repeats.depart(idempotency, { accepted, before });
  try {
    return await follow(deps, origin, await accepted, before);
  } finally {
    land();
  }
}

/** Puts a command in the log, where nothing forbids it. Throws as {@link write} does. */
export function submit(
  deps: AppDependencies,
  incoming: Incoming,
  target: WriteTarget,
  saying: Saying,
  awaited: boolean,
): Promise<Accepted> {
  return enter(deps, incoming, wantedGrade(deps, incoming, target.namespace), target, saying, awaited);
}

/** In the same step as it is called: what comes later is later in the log. */
function enter(
  deps: AppDependencies,
  incoming: Origin["incoming"],
  grade: Grade,
  { partition, namespace, key }: WriteTarget,
  saying: Saying,
  awaited: boolean,
): Promise<Accepted> {
  refuseHalted(deps, partition);
  // A replay is of what was accepted before.
  if (!saying.replays) deps.quotas.admit(namespace, saying.operation);
  deps.admission.admit(partition, bytesIn(saying.operation));
  const { operation, condition, replays, idempotency, parking } = saying;
  const sending = startSending(deps.tracer, incoming, partition, namespace, saying);
  const { traceparent, tracestate, baggage } = sending.carrier;
  // Field by field, always all of them: objects spread into objects took a tenth of a write's time.
  const command: Command = {
    namespace,
    key,
    operation,
    condition,
    replays,
    idempotency,
    parking,
    awaited,
    acceptedMs: deps.now(),
    traceparent,
    tracestate,
    baggage,
  };
  const accepted = deps.submit(partition, command, grade);
  return sending.span ? endSent(sending.span, accepted) : accepted;
}

/** @throws ProblemError: a halted partition takes nothing, because what it took could not be applied */
function refuseHalted(deps: AppDependencies, partition: number): void {
  const state = deps.monitor.lastState(partition);
  if (state && isHalted(state)) throw new ProblemError("partition-halted", `Its state is ${state.state}.`);
}

const NOT_PASSED: Passed = { passed: false };

/** @param before how far the partition was before the command was submitted */
function follow(
  deps: AppDependencies,
  origin: Origin,
  accepted: Accepted,
  before: EntryId,
): Written | Promise<Written> {
  // An id that was passed before it was given: the log went back. The command is in it, and will be applied later, under
  // another id.
  if (origin.preference.waitS > 0 && compareIds(accepted.id, before) > 0) return awaitResult(deps, origin, accepted);
  const { partition, id, grade } = accepted;
  return { partition, id, grade, repeated: false, passed: NOT_PASSED };
}

async function awaitResult(deps: AppDependencies, origin: Origin, accepted: Accepted): Promise<Written> {
  const passed = await untilApplied(deps, accepted, origin.preference.waitS * 1000, origin.incoming);
  const first = passed.passed ? firstOf(passed.result) : undefined;
  if (first === undefined) return { ...accepted, repeated: false, passed };
  return { ...accepted, id: first, repeated: true, passed: await outcomeOf(deps, accepted.partition, first) };
}

/** Waits for the result of an accepted command. What hinders the waiting is no failure of the write: it is in the log, and 202 says so. */
export async function untilApplied(
  deps: AppDependencies,
  { partition, id }: Pick<Accepted, "partition" | "id">,
  timeoutMs: number,
  { gone, span }: Pick<Incoming, "gone" | "span">,
): Promise<Passed> {
  try {
    return await waitTraced(deps.tracer, span, async () => {
      const passed = await deps.feed.wait(partition, id, timeoutMs, gone);
      // The broadcast was lost; the store keeps every outcome that is not plain success.
      return !passed.passed || passed.result ? passed : await outcomeOf(deps, partition, id);
    });
  } catch (error) {
    if (error instanceof OperatingError) return NOT_PASSED;
    throw error;
  }
}

/** What became of a command that was applied; as if it were not known yet while the store is away. */
async function outcomeOf(deps: AppDependencies, partition: number, id: EntryId): Promise<Passed> {
  try {
    const result = await deps.store.outcome(partition, id);
    return result ? { passed: true, result } : { passed: true };
  } catch (error) {
    if (error instanceof OperatingError) return NOT_PASSED;
    throw error;
  }
}
