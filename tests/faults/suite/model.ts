/**
 * What a store must hold: a partition's log applied from empty, by rules written down here a second time, from the
 * documents and not from the code that is tested. Pure.
 */
import type { EntryId } from "../../../core/entry-id.ts";
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
}

interface Header {
  p: string;
  s: number;
  o: string;
  n: string;
  k: string;
  c?: string;
  by?: string;
  if?: string;
  tp?: string;
}

const INT64_MAX = 2n ** 63n - 1n;
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
    const name = `${header.n}/${header.k}`;
    const last = this.#sequences.get(header.p);
    const repeated = last !== undefined && header.s <= last;
    if (!repeated) this.#sequences.set(header.p, header.s);
    const result = repeated ? "applied repeated" : this.#run(id, name, header, fields[3] ?? Buffer.alloc(0));
    if (this.#foreign.has(name)) this.undecided.add(id);
    else if (result === "dead") this.dead.add(id);
    if (/^rejected|^applied (?:counted|absent|repeated)/.test(result)) this.outcomes.set(id, result);
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
    const now = this.current(name);
    const exists = now !== undefined && now.body !== null;
    if (header.if !== undefined) {
      const wanted = header.if.slice(1);
      const matches = exists && (wanted === "*" || wanted === now.id);
      if (matches !== header.if.startsWith("=")) return "rejected condition-not-met";
    }
    switch (header.o) {
      case "put":
        this.#set(name, { id, contentType: header.c ?? "", body });
        return exists ? "applied replaced" : "applied created";
      case "delete":
        if (!exists) return "applied absent";
        this.#set(name, { id, contentType: "", body: null });
        return "applied deleted";
      case "increment": {
        const before = exists ? (now.body?.toString("latin1") ?? "") : "0";
        if (!INTEGER.test(before) || BigInt(before) > INT64_MAX || BigInt(before) < -INT64_MAX - 1n) {
          return "rejected not-an-integer";
        }
        const after = BigInt(before) + BigInt(header.by ?? "0");
        if (after > INT64_MAX || after < -INT64_MAX - 1n) return "rejected increment-overflow";
        const contentType = exists ? now.contentType : "text/plain";
        this.#set(name, { id, contentType, body: Buffer.from(String(after)) });
        return `applied counted ${after}`;
      }
      default:
        return "dead";
    }
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
