/**
 * What a store must hold: a partition's log applied from empty, by rules written down here a second time, from the
 * documents and not from the code that is tested. Pure.
 */
import { type EntryId, idTimeMs } from "../../../core/entry-id.ts";
import { operationOfTrace } from "./history.ts";

/** An entry as XRANGE gives it: names and values in turn. */
export interface RawEntry {
  readonly id: EntryId;
  readonly fields: readonly Buffer[];
}

/** What the model did with an entry. */
export interface Step {
  readonly id: EntryId;
  /** Dense, from 1; 0 for what the append function did not write. */
  readonly ordinal: number;
  /** The client's operation it came from, or null. */
  readonly operation: number | null;
  /** `<namespace>/<key>`, empty for what is no command. */
  readonly name: string;
  readonly kind: string;
  /** Of an increment. */
  readonly by: string;
  /** As the store tells it: `applied created`, `rejected condition-not-met`, `dead <reason>` … */
  readonly result: string;
  /** Its producer's sequence was applied before: it is in the log twice, and took effect once. */
  readonly repeated: boolean;
}

/** A key's value, from an entry on, until the next change. */
export interface Version {
  readonly id: EntryId;
  readonly contentType: string;
  /** Null: the key is absent. */
  readonly body: Buffer | null;
  /** From then on it is absent for commands, though it stays until one removes it. */
  readonly expiresMs?: number;
}

/** What is done to one key. */
interface Change {
  k: string;
  o: string;
  c?: string;
  by?: string;
  x?: string;
  /** Of a transaction's step: length of its value. */
  l?: number;
}

interface Header extends Change {
  p: string;
  s: number;
  t: number;
  n: string;
  if?: string;
  tp?: string;
  /** Of a transaction: conditions, and what is done. */
  q?: [key: string, wanted: string | number][];
  a?: Change[];
}

/** A change that fits its key, and what the key is then; without a version it stays as it is. */
type Planned = { readonly effect: string; readonly version?: Version } | { readonly refused: string };

const INT64_MAX = 2n ** 63n - 1n;
/** An accept time counts at most so far ahead of the entry's id (docs/decisions/0023). */
const LEAD_MAX_MS = 60_000;
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;

export class PartitionModel {
  readonly partition: number;
  /** Keys, as `<namespace>/<key>`, where a nemesis has put something that is no value of ours: commands on them die. */
  readonly #foreign: ReadonlySet<string>;
  readonly steps: Step[] = [];
  /** Every version that each key had, oldest first. */
  readonly versions = new Map<string, Version[]>();
  /** Outcomes that are not plain success, by id. */
  readonly outcomes = new Map<EntryId, string>();
  readonly dead = new Set<EntryId>();
  /** Commands on foreign keys: dead for as long as the foreign content is there, which no log tells. */
  readonly undecided = new Set<EntryId>();
  watermark: EntryId = "0-0";
  ordinal = 0;
  /** The latest time of a command. */
  clockMs = 0;
  readonly #sequences = new Map<string, number>();

  constructor(partition: number, foreign: ReadonlySet<string> = new Set()) {
    this.partition = partition;
    this.#foreign = foreign;
  }

  applyAll(entries: readonly RawEntry[]): this {
    for (const entry of entries) this.apply(entry);
    return this;
  }

  apply({ id, fields }: RawEntry): void {
    const line = fields[1]?.toString() ?? "";
    const match = fields[0]?.toString() === "v1" ? /^([1-9]\d*) (\{.*\})$/s.exec(line) : null;
    const ordinal = match ? Number(match[1]) : 0;
    const header = match ? parseHeader(match[2] ?? "") : null;
    this.watermark = id;
    if (ordinal > 0) this.ordinal = ordinal;
    if (header === null) {
      this.dead.add(id);
      this.steps.push({ id, ordinal, operation: null, name: "", kind: "", by: "", result: "dead", repeated: false });
      return;
    }
    this.clockMs = Math.max(this.clockMs, Math.min(header.t, idTimeMs(id) + LEAD_MAX_MS));
    const name = `${header.n}/${header.k}`;
    const last = this.#sequences.get(header.p);
    const repeated = last !== undefined && header.s <= last;
    if (!repeated) this.#sequences.set(header.p, header.s);
    const result = repeated ? "applied repeated" : this.#run(id, name, header, fields[3] ?? Buffer.alloc(0));
    if (this.#foreign.has(name)) this.undecided.add(id);
    else if (result === "dead") this.dead.add(id);
    if (/^rejected|^applied (?:counted|absent|repeated|committed)/.test(result)) this.outcomes.set(id, result);
    const operation = operationOfTrace(header.tp);
    this.steps.push({ id, ordinal, operation, name, kind: header.o, by: header.by ?? "", result, repeated });
  }

  /** The version that a key is at now; undefined when it never had one. */
  current(name: string): Version | undefined {
    return this.versions.get(name)?.at(-1);
  }

  /** All keys that have a value now, with that. */
  *present(): Iterable<readonly [name: string, version: Version & { readonly body: Buffer }]> {
    for (const [name, versions] of this.versions) {
      const last = versions.at(-1);
      if (last && last.body !== null) yield [name, { ...last, body: last.body }];
    }
  }

  #run(id: EntryId, name: string, header: Header, body: Buffer): string {
    if (this.#foreign.has(name)) return "dead";
    if (header.o === "txn") return this.#commit(id, header, body);
    if (header.o === "expire") return this.#expire(id, name);
    if (header.if !== undefined && !this.#isMet(name, header.if)) return "rejected condition-not-met";
    const planned = this.#plan(id, name, header, body);
    if (planned === null) return "dead";
    if ("refused" in planned) return `rejected ${planned.refused}`;
    if (planned.version) this.#set(name, planned.version);
    return `applied ${planned.effect}`;
  }

  /** All of it or nothing: what its parts would do is found out first. */
  #commit(id: EntryId, { n, q = [], a = [] }: Header, body: Buffer): string {
    let at = 0;
    const take = (length: number): Buffer => {
      at += length;
      return body.subarray(at - length, at);
    };
    for (const [index, [key, wanted]] of q.entries()) {
      const name = `${n}/${key}`;
      const holds =
        typeof wanted === "number"
          ? this.#standing(name)?.body?.equals(take(wanted)) === true
          : this.#isMet(name, wanted);
      if (!holds) return `rejected condition-not-met /if/${index}`;
    }
    const effects: string[] = [];
    const versions: [name: string, version: Version][] = [];
    for (const [index, change] of a.entries()) {
      const name = `${n}/${change.k}`;
      if (this.#foreign.has(name)) return "dead";
      const planned = this.#plan(id, name, change, take(change.l ?? 0));
      if (planned === null) return "dead";
      if ("refused" in planned) return `rejected ${planned.refused} /then/${index}`;
      effects.push(planned.effect.replace(" ", ":"));
      if (planned.version) versions.push([name, planned.version]);
    }
    for (const [name, version] of versions) this.#set(name, version);
    return `applied committed ${effects.join(",")}`;
  }

  #expire(id: EntryId, name: string): string {
    const { body = null, expiresMs = Number.POSITIVE_INFINITY } = this.current(name) ?? {};
    if (body === null || expiresMs > this.clockMs) return "applied absent";
    this.#set(name, { id, contentType: "", body: null });
    return "applied expired";
  }

  /** A key as commands see it: one whose time is over is not there. */
  #standing(name: string): (Version & { readonly body: Buffer }) | null {
    const now = this.current(name);
    if (now === undefined || now.body === null || (now.expiresMs ?? Number.POSITIVE_INFINITY) <= this.clockMs)
      return null;
    return { ...now, body: now.body };
  }

  #isMet(name: string, condition: string): boolean {
    const now = this.#standing(name);
    const wanted = condition.slice(1);
    return (now !== null && (wanted === "*" || wanted === now.id)) === condition.startsWith("=");
  }

  /** @returns null for what no client does here */
  #plan(id: EntryId, name: string, change: Change, body: Buffer): Planned | null {
    const now = this.#standing(name);
    const expiresMs = this.#expiryAfter(now, change);
    const more = expiresMs === undefined ? {} : { expiresMs };
    switch (change.o) {
      case "put":
        return { effect: now ? "replaced" : "created", version: { id, contentType: change.c ?? "", body, ...more } };
      case "delete":
        return now ? { effect: "deleted", version: { id, contentType: "", body: null } } : { effect: "absent" };
      case "increment": {
        const before = now?.body.toString("latin1") ?? "0";
        if (!INTEGER.test(before) || BigInt(before) > INT64_MAX || BigInt(before) < -INT64_MAX - 1n) {
          return { refused: "not-an-integer" };
        }
        const after = BigInt(before) + BigInt(change.by ?? "0");
        if (after > INT64_MAX || after < -INT64_MAX - 1n) return { refused: "increment-overflow" };
        const contentType = now?.contentType ?? "text/plain";
        return { effect: `counted ${after}`, version: { id, contentType, body: Buffer.from(String(after)), ...more } };
      }
      default:
        return null;
    }
  }

  /** When a key expires that is written now: as the change says, and unless that was a put as before. */
  #expiryAfter(now: Version | null, { o, x }: Change): number | undefined {
    if (x === "k" || (x === undefined && o !== "put")) return now?.expiresMs;
    if (x === undefined) return undefined;
    return x.startsWith("+") ? this.clockMs + Number(x.slice(1)) : Number(x);
  }

  #set(name: string, version: Version): void {
    const versions = this.versions.get(name);
    if (versions) versions.push(version);
    else this.versions.set(name, [version]);
  }
}

function parseHeader(json: string): Header | null {
  try {
    const header = JSON.parse(json) as Partial<Header>;
    return typeof header.p === "string" && typeof header.n === "string" ? (header as Header) : null;
  } catch {
    return null;
  }
}
