/** Sends operations and writes down what was asked and what was told. */
import { performance } from "node:perf_hooks";
import { compareIds, type EntryId } from "../../../core/entry-id.ts";
import { partitionOf } from "../../../core/partition.ts";
import { type Answer, type HttpClient, httpClient } from "../../harness/http.ts";
import { entryIdOf, type Operation, type Told, traceparentOf } from "./history.ts";

/** An operation that a client is about to do. */
export type Plan = Pick<
  Operation,
  "kind" | "namespace" | "key" | "value" | "by" | "condition" | "waits" | "least" | "strong"
>;

/** A client that hears nothing for so long is stuck. */
const PATIENCE_MS = 15_000;
/** For Prefer: wait. Together with the time an append may take it stays well below the patience. */
const WAIT_S = 5;
const SOCKETS = 64;

export class Recorder {
  readonly operations: Operation[] = [];
  /** The newest revision that anybody was told of, by partition: what clients that talk to each other know. */
  readonly newest = new Map<number, EntryId>();
  readonly #partitions: number;
  readonly #clients = new Map<string, HttpClient>();

  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  /** The next operation's number: for values that are unique in a run. */
  get nextId(): number {
    return this.operations.length + 1;
  }

  partitionOf(namespace: string, key: string): number {
    return partitionOf(namespace, key, this.#partitions);
  }

  /** Never rejects: a failure is an answer too. */
  async perform(url: string, client: number, plan: Plan): Promise<Operation> {
    const operation: Operation = {
      id: this.nextId,
      client,
      ...plan,
      partition: this.partitionOf(plan.namespace, plan.key),
      startMs: performance.now(),
      endMs: Number.POSITIVE_INFINITY,
      answer: { kind: "pending" },
    };
    this.operations.push(operation);
    operation.answer = await this.#send(url, operation);
    if (operation.answer.kind === "answer") {
      operation.endMs = performance.now();
      this.#learn(operation.partition, operation.answer.revision);
    }
    return operation;
  }

  #send(url: string, operation: Operation): Promise<Told> {
    const { kind, namespace, key, value, by, condition, waits, least, partition } = operation;
    const headers: Record<string, string> = { traceparent: traceparentOf(operation.id) };
    const name = (id: string): string => (id === "*" ? id : `"${revisionText(partition, id)}"`);
    if (waits) headers.prefer = `wait=${WAIT_S}`;
    if (least !== undefined) headers["millrace-min-revision"] = revisionText(partition, least);
    if (condition) headers[condition.kind === "match" ? "if-match" : "if-none-match"] = name(condition.revision);
    const options = { headers, timeoutMs: PATIENCE_MS };
    const client = this.#clientOf(url);
    const answer = {
      put: () => client.put(namespace, key, value ?? "", options),
      delete: () => client.remove(namespace, key, options),
      increment: () => client.increment(namespace, key, by, options),
      get: () => client.get(namespace, key, options),
    }[kind]();
    return answer.then(toTold, toFailure);
  }

  #learn(partition: number, revision: EntryId | undefined): void {
    if (revision === undefined) return;
    const known = this.newest.get(partition);
    if (known === undefined || compareIds(revision, known) > 0) this.newest.set(partition, revision);
  }

  #clientOf(url: string): HttpClient {
    const known = this.#clients.get(url) ?? httpClient(url, { sockets: SOCKETS, described: false });
    this.#clients.set(url, known);
    return known;
  }
}

function toTold({ status, headers, text }: Answer): Told {
  const revision = entryIdOf(headers["millrace-revision"] as string | undefined);
  const grade = headers["millrace-grade"] as string | undefined;
  const isProblem = String(headers["content-type"]).includes("problem+json");
  const problem = isProblem ? slugOf(text) : undefined;
  return {
    kind: "answer",
    status,
    body: isProblem ? "" : text,
    ...(revision !== undefined && { revision }),
    ...(grade !== undefined && { grade }),
    ...(problem !== undefined && { problem }),
  };
}

/** The last part of a problem's type. */
function slugOf(text: string): string {
  const { type = "" } = JSON.parse(text) as { type?: string };
  return type.slice(Math.max(type.lastIndexOf("/"), type.lastIndexOf(":"), type.lastIndexOf("#")) + 1);
}

function toFailure(error: unknown): Told {
  const reason = error instanceof Error ? error.message : String(error);
  return reason.includes(": no answer in ") ? { kind: "stuck" } : { kind: "broken", reason };
}

function revisionText(partition: number, id: EntryId): string {
  return `${String(partition).padStart(2, "0")}-${id}`;
}
