/**
 * One client of the differential test: it does an operation to Millrace and to the model, and compares the answers, headers
 * included. Its keys are its own, so both see the same order.
 */

import { isDeepStrictEqual } from "node:util";
import type { Random } from "../faults/suite/random.ts";
import type { Answer, HttpClient, SendOptions } from "../harness/http.ts";
import type { Condition, Entry, Expiry, Outcome, Step, Write } from "./model.ts";
import { Model } from "./model.ts";

/** What an answer must be. A header that is undefined must not be there. */
export interface Expected {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The problem's type. */
  readonly problem?: string;
}

export interface WriteRequest {
  readonly method: string;
  readonly key: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly write: Write;
  readonly condition?: Condition | undefined;
  /** Whether the client waits for the result. */
  readonly waits: boolean;
}

/** What a batch tells of an item. */
interface ItemResult {
  readonly status: number;
  readonly revision?: string;
  readonly location?: string;
  readonly value?: string;
  readonly problem?: { readonly type: string };
}

const HISTORY = 12;
const WAIT = "wait=15";
const CLOCKS_DIFFER_S = 240;

export class World {
  readonly model = new Model();
  readonly random: Random;
  readonly namespace: string;
  readonly keys: readonly string[];
  /** All revisions that each key has had, oldest first. */
  readonly revisions = new Map<string, string[]>();
  /** Commands accepted that nobody has asked after, and what became of them by the model. */
  readonly accepted: {
    readonly revision: string;
    readonly key: string;
    readonly outcome: Outcome;
    readonly op: string;
  }[] = [];
  readonly #clients: readonly HttpClient[];
  /** Of its own: how often something is looked at must not decide what is done next. */
  readonly #routes: Random;
  /** The last command of each key that its client did not wait for: reads must. */
  readonly #unseen = new Map<string, string>();
  readonly #history: string[] = [];

  /** @param clients of several APIs */
  constructor(clients: readonly HttpClient[], random: Random, namespace: string, keys: readonly string[]) {
    this.#clients = clients;
    this.random = random;
    this.#routes = random.fork("routes");
    this.namespace = namespace;
    this.keys = keys;
  }

  pathOf(key: string): string {
    return `/v1/kv/${this.namespace}/${encodeURIComponent(key)}`;
  }

  /** What a read must be given to see all that this client has written to the key. */
  needs(key: string): string | undefined {
    return this.#unseen.get(key);
  }

  async send(method: string, path: string, options: SendOptions): Promise<Answer> {
    const answer = await this.#routes.pick(this.#clients).send(method, path, { timeoutMs: 25_000, ...options });
    const said = `${method} ${path} ${JSON.stringify(options)}`;
    this.#history.push(`${said} -> ${answer.status} ${JSON.stringify(answer.headers)} ${answer.text.slice(0, 200)}`);
    if (this.#history.length > HISTORY) this.#history.shift();
    return answer;
  }

  async write(request: WriteRequest): Promise<Outcome> {
    const { key, write, condition, waits } = request;
    const answer = await this.send(request.method, `${this.pathOf(key)}${request.query ?? ""}`, {
      headers: { ...request.headers, ...headersOf(condition), ...(waits && { prefer: WAIT }) },
      ...(request.body !== undefined && { body: request.body }),
    });
    // A condition that names another partition's revision is judged before there is a command.
    const revision = String(answer.headers["millrace-revision"] ?? "");
    const outcome = this.model.apply(key, write, condition, revision);
    this.compare(answer, waits ? this.#resultOf(outcome, key, revision) : acceptedAs(revision));
    if (revision !== "") this.#remember(key, revision, outcome, write.op, waits);
    return outcome;
  }

  /** Sends a write of which the client has been told again: the model does nothing, and the answer is the first one's. */
  async repeat(request: Omit<WriteRequest, "write">, outcome: Outcome): Promise<void> {
    const { method, key, query = "", headers = {} } = request;
    const answer = await this.send(method, `${this.pathOf(key)}${query}`, { headers: { ...headers, prefer: WAIT } });
    const revision = String(answer.headers["millrace-revision"]);
    if (!this.revisions.get(key)?.includes(revision)) this.fail(`${revision} is none of the key's revisions`);
    const { headers: first = {}, ...expected } = this.#resultOf(outcome, key, revision);
    // Where the store has told of the first, nobody knows its grade any more.
    const { "millrace-grade": _, ...others } = first;
    this.compare(answer, { ...expected, headers: { ...others, "idempotent-replayed": "true" } });
  }

  /** One transaction, whose result is waited for. */
  async commit(steps: readonly Step[], conditions: readonly (Condition & { readonly key: string })[]): Promise<void> {
    const body = JSON.stringify({
      if: conditions.map(tellCondition),
      then: steps.map(tellStep),
    });
    const headers = { "content-type": "application/json", prefer: WAIT };
    const answer = await this.send("POST", `/v1/txn/${this.namespace}`, { headers, body });
    const revision = String(answer.headers["millrace-revision"] ?? "");
    const result = this.model.commit(steps, conditions, revision);
    if ("outcome" in result) {
      this.compare(answer, this.#resultOf(result.outcome, "", revision));
      if ((JSON.parse(answer.text) as { at?: string }).at !== result.at)
        this.fail(`expected it to stop at ${result.at}`);
      return;
    }
    this.compare(answer, { status: 200, headers: { etag: `"${revision}"`, "content-type": "application/json" } });
    const { outcomes } = result;
    const results = outcomes.map(({ kind, ...rest }, index) => ({ key: steps[index]?.key, effect: kind, ...rest }));
    const told = JSON.parse(answer.text) as unknown;
    if (!isDeepStrictEqual(told, { revision, results })) this.fail(`expected ${JSON.stringify(results)}`);
    for (const [index, { key, write }] of steps.entries()) {
      this.#remember(key, revision, outcomes[index] as Outcome, write.op, true);
    }
  }

  /** One batch, whose results are waited for. Each item is compared with a write of its own; a key may come more than once. */
  async batch(items: readonly (Step & { readonly condition: Condition | undefined })[]): Promise<void> {
    const body = JSON.stringify(items.map((item) => ({ ...tellStep(item), ...membersOf(item.condition) })));
    const headers = { "content-type": "application/json", prefer: WAIT };
    const answer = await this.send("POST", `/v1/batch/${this.namespace}`, { headers, body });
    this.compare(answer, { status: 200, headers: { "content-type": "application/json", "preference-applied": WAIT } });
    const { results } = JSON.parse(answer.text) as { results: readonly ItemResult[] };
    if (results.length !== items.length) this.fail(`expected ${items.length} results`);
    for (const [index, { key, write, condition }] of items.entries()) {
      const { revision = "", problem, ...told } = results[index] as ItemResult;
      const outcome = this.model.apply(key, write, condition, revision);
      const { status, body: value, headers: wanted, problem: slug } = this.#resultOf(outcome, key, revision);
      const said = [told.status, told.location, told.value, problem?.type];
      const expected = [status, wanted?.location, value === "" ? undefined : value, slug && `/problems/${slug}`];
      if (!isDeepStrictEqual(said, expected)) this.fail(`expected of item ${index}: ${JSON.stringify(expected)}`);
      if (revision !== "") this.#remember(key, revision, outcome, write.op, true);
    }
  }

  #remember(key: string, revision: string, outcome: Outcome, op: string, waits: boolean): void {
    const known = this.revisions.get(key) ?? [];
    const last = known.at(-1);
    if (last !== undefined && !isNewer(revision, last)) this.fail(`${revision} is not newer than ${last}`);
    this.revisions.set(key, [...known, revision]);
    if (waits) this.#unseen.delete(key);
    else {
      this.#unseen.set(key, revision);
      this.accepted.push({ revision, key, outcome, op });
    }
  }

  #resultOf(outcome: Outcome, key: string, revision: string): Expected {
    const asked = { "preference-applied": WAIT, "millrace-grade": "memory" };
    const etag = `"${revision}"`;
    switch (outcome.kind) {
      case "created":
        return { status: 201, body: "", headers: { ...asked, etag, location: this.pathOf(key) } };
      case "replaced":
        return { status: 204, body: "", headers: { ...asked, etag, location: undefined } };
      case "deleted":
      case "absent":
        return { status: 204, body: "", headers: { ...asked, etag: undefined, location: undefined } };
      case "counted":
        return { status: 200, body: outcome.value, headers: { ...asked, etag, "content-type": "text/plain" } };
      case "rejected":
        return outcome.reason === "condition-not-met"
          ? { status: 412, problem: "precondition-failed" }
          : { status: 409, problem: "type-conflict", headers: asked };
    }
  }

  /** What a read of this entry tells beside the value and its expiry. */
  headersOf({ revision, metadata }: Entry): Record<string, string | undefined> {
    return {
      etag: `"${revision}"`,
      "millrace-revision": revision,
      "last-modified": new Date(Number(revision.split("-")[1])).toUTCString(),
      "millrace-metadata": metadata,
    };
  }

  /** A time to live ends at the same moment in all reads, near the one that this machine's clock expects. */
  compareExpiry(told: string | string[] | undefined, expiry: Expiry | undefined): void {
    if (expiry === undefined || "atS" in expiry) {
      if (String(told) !== String(expiry?.atS)) this.fail(`it expires at ${String(told)}`);
      return;
    }
    expiry.told ??= String(told);
    const offS = Math.abs(Number(told) - Date.now() / 1000 - expiry.ttlS);
    if (told !== expiry.told) this.fail(`it expires at ${String(told)}, and ${expiry.told} was told before`);
    if (!(offS < CLOCKS_DIFFER_S)) this.fail(`it expires at ${told}, ${offS} s off`);
  }

  compare(answer: Answer, { status, body, headers = {}, problem }: Expected): void {
    if (answer.status !== status) this.fail(`expected ${status}, got ${answer.status}`);
    if (body !== undefined && answer.text !== body) this.fail(`expected the body ${JSON.stringify(body)}`);
    for (const [name, value] of Object.entries(headers)) {
      if (answer.headers[name] !== value) this.fail(`expected ${name}: ${value}, got ${String(answer.headers[name])}`);
    }
    if (problem !== undefined && !answer.text.includes(`"/problems/${problem}"`)) this.fail(`expected ${problem}`);
  }

  fail(reason: string): never {
    throw new Error(`${reason}\nin ${this.namespace}, after (the last one differs):\n${this.#history.join("\n")}`);
  }
}

function acceptedAs(revision: string): Expected {
  return {
    status: 202,
    body: "",
    headers: { location: `/v1/commands/${revision}`, "millrace-grade": "memory", "preference-applied": undefined },
  };
}

function tellCondition({ key, kind, revision }: Condition & { readonly key: string }): object {
  if (revision === "*") return { key, exists: kind === "match" };
  return { key, [kind === "match" ? "revision" : "not_revision"]: revision };
}

/** As an item of a batch says it. */
function membersOf(condition: Condition | undefined): object | undefined {
  return condition && { [condition.kind === "match" ? "if_match" : "if_none_match"]: condition.revision };
}

/** Without expiry and metadata: those of single writes are enough. */
function tellStep({ key, write }: Step): object {
  switch (write.op) {
    case "put":
      return { op: "put", key, value: write.value, content_type: write.contentType };
    case "patch":
      return { op: "patch", key, patch: JSON.parse(write.patch) as unknown };
    case "increment":
      return { op: "increment", key, by: write.by };
    case "delete":
      return { op: "delete", key };
  }
}

function headersOf(condition: Condition | undefined): Record<string, string> {
  if (condition === undefined) return {};
  const { kind, revision } = condition;
  return { [kind === "match" ? "if-match" : "if-none-match"]: revision === "*" ? "*" : `"${revision}"` };
}

function isNewer(one: string, other: string): boolean {
  const [, ms = "", sequence = ""] = one.split("-");
  const [, otherMs = "", otherSequence = ""] = other.split("-");
  return BigInt(ms) > BigInt(otherMs) || (ms === otherMs && BigInt(sequence) > BigInt(otherSequence));
}
